/**
 * A mesh of any size: HTTP services `svc-<i>` in one namespace of one cluster or many, each with a cluster IP and endpoints in three zones.
 * What changes is part of it: an endpoint change moves the first endpoint that a service has in one cluster.
 */

import type { Endpoint, ServiceShard } from '../../src/model/service.ts';
import { markedAddress, markedValue } from './marks.ts';
import type { MeshSize, NumberedChange } from './messages.ts';

export const namespace = 'load';

const ports = new Map([['http', 8080]]);
const localities = [0, 1, 2].map((at) => ({ region: 'r', zone: `z${at}`, subzone: '' }));

/** The only cluster is `load`. */
export function clusterName(cluster: number, clusters: number): string {
  return clusters === 1 ? 'load' : `load-${cluster}`;
}

/** The proxies are spread evenly over the clusters, or over the first ones where there are more clusters than proxies. */
export function clusterOfProxy(proxy: number, clusters: number): string {
  return clusterName(proxy % clusters, clusters);
}

/** All that there is at the start; service by service. */
export function* syntheticShards(mesh: MeshSize): Generator<ServiceShard> {
  const { services, clusters = 1, own = false } = mesh;
  for (let cluster = 0; cluster < clusters; cluster++)
    for (let at = 0; at < services; at++) yield shardOf(mesh, cluster, own ? cluster * services + at : at);
}

/** How many services there are to change. */
export function serviceCount({ services, clusters = 1, own = false }: MeshSize): number {
  return own ? services * clusters : services;
}

/** What the cluster says after the change: one that is the service's own, or one after the other. */
export function changedShard(mesh: MeshSize, { service, n }: Pick<NumberedChange, 'service' | 'n'>): ServiceShard {
  const { services, clusters = 1, own = false } = mesh;
  return shardOf(mesh, own ? Math.floor(service / services) : n % clusters, service, n);
}

/** `marked`: the number of the change that moved the first endpoint. */
function shardOf(mesh: MeshSize, cluster: number, service: number, marked?: number): ServiceShard {
  const { services, clusters = 1, own = false } = mesh;
  const name = `svc-${service}`;
  const inCluster = clusterName(cluster, clusters);
  /** Unique over all clusters: no two have an address in common. */
  const number = own ? service : cluster * services + service;
  const at = service % services;
  const endpoints = Math.round((at + 1) * mesh.endpoints) - Math.round(at * mesh.endpoints);
  return {
    cluster: inCluster,
    namespace,
    name,
    createdAtMs: 0,
    headless: false,
    vips: [`10.${96 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`],
    ports: [{ name: 'http', port: 80, transport: 'TCP', protocol: 'http' }],
    endpoints: Array.from({ length: endpoints }, (_, index) => {
      const address = index === 0 && marked !== undefined ? markedAddress(marked) : addressOf(number, index);
      return syntheticEndpoint(inCluster, name, index, address);
    }).sort((a, b) => (a.address < b.address ? -1 : 1)),
  };
}

function addressOf(service: number, at: number): string {
  // 100.64.0.0/10 and beyond: apart from the marked addresses and from the proxies' own.
  const number = service * 16 + (at % 16) + Math.floor(at / 16) * 2 ** 20;
  return `${100 + (number >> 24)}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

function syntheticEndpoint(cluster: string, name: string, at: number, address: string): Endpoint {
  return {
    address,
    ports,
    cluster,
    network: '',
    locality: localities[at % 3] ?? { region: '', zone: '', subzone: '' },
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
