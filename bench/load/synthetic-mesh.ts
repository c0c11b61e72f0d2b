/** A mesh of any size: HTTP services `svc-<i>` in one namespace of one cluster, each with a cluster IP and endpoints in three zones. */

import type { Endpoint, ServiceShard } from '../../src/model/service.ts';
import { markedAddress, markedValue } from './marks.ts';
import type { NumberedChange } from './messages.ts';

export const clusterName = 'load';
export const namespace = 'load';

const ports = new Map([['http', 8080]]);

/** `marked`: the number of the change that moved the first endpoint. */
export function syntheticService(service: number, endpoints: number, marked?: number): ServiceShard {
  const name = `svc-${service}`;
  return {
    cluster: clusterName,
    namespace,
    name,
    createdAtMs: 0,
    headless: false,
    vips: [`10.${96 + (service >> 16)}.${(service >> 8) & 255}.${service & 255}`],
    ports: [{ name: 'http', port: 80, transport: 'TCP', protocol: 'http' }],
    endpoints: Array.from({ length: endpoints }, (_, at) =>
      syntheticEndpoint(name, at, at === 0 && marked !== undefined ? markedAddress(marked) : address(service, at)),
    ).sort((a, b) => (a.address < b.address ? -1 : 1)),
  };
}

function address(service: number, at: number): string {
  // 100.64.0.0/10 and beyond: apart from the marked addresses and from the proxies' own.
  const number = service * 16 + (at % 16) + Math.floor(at / 16) * 2 ** 20;
  return `${100 + (number >> 24)}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

function syntheticEndpoint(name: string, at: number, address: string): Endpoint {
  return {
    address,
    ports,
    cluster: clusterName,
    network: '',
    locality: { region: 'r', zone: `z${at % 3}`, subzone: '' },
    version: `v${(at % 2) + 1}`,
    labels: { app: name, version: `v${(at % 2) + 1}` },
    ready: true,
    serving: true,
    terminating: false,
    serviceAccount: 'default',
    workload: `${name}-${at}`,
    node: `n${at % 3}`,
    hostname: '',
  };
}

/** The TrafficRule for a service: requests with the marked header go to v2, all others to v1. */
export function syntheticRule({ service, n }: Pick<NumberedChange, 'service' | 'n'>): object {
  return {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'TrafficRule',
    metadata: { name: `svc-${service}`, namespace },
    spec: {
      service: `svc-${service}`,
      routes: [
        { matches: [{ headers: [{ name: 'x-group', value: markedValue(n) }] }], backends: [{ version: 'v2' }] },
        { backends: [{ version: 'v1' }] },
      ],
    },
  };
}
