/** Short ways to say what a cluster reports, for tests. */

import { unknownLocality } from '../../src/model/cluster.ts';
import type { RuleBackend, RuleRoute, TrafficRule } from '../../src/model/rule.ts';
import type { AppProtocol, Endpoint, ServicePort, ServiceShard } from '../../src/model/service.ts';

export function port(number: number, protocol: AppProtocol = 'http', name: string = protocol): ServicePort {
  return { name, port: number, transport: 'TCP', protocol };
}

/** `ports` are target ports by service port name. */
export function endpoint(cluster: string, address: string, fields: Partial<Endpoint> = {}): Endpoint {
  return {
    address,
    ports: new Map([['http', 8080]]),
    cluster,
    network: '',
    locality: unknownLocality,
    version: '',
    labels: {},
    ready: true,
    serving: true,
    terminating: false,
    serviceAccount: '',
    workload: '',
    node: '',
    hostname: '',
    ...fields,
  };
}

export function shard(cluster: string, name: string, fields: Partial<ServiceShard> = {}): ServiceShard {
  return {
    cluster,
    namespace: 'shop',
    name,
    createdAtMs: 0,
    headless: false,
    vips: [],
    ports: [port(80)],
    endpoints: [],
    ...fields,
  };
}

export function route(name: string, backends: readonly RuleBackend[], fields: Partial<RuleRoute> = {}): RuleRoute {
  const unchanged = { set: [], add: [], remove: [] };
  return { name, matches: [], backends, requestHeaders: unchanged, responseHeaders: unchanged, ...fields };
}

/** A rule for shop/reviews with one route. */
export function trafficRule(fields: {
  hash: string;
  generation?: number;
  backends: readonly RuleBackend[];
}): TrafficRule {
  return {
    ref: { namespace: 'shop', name: 'reviews', generation: fields.generation ?? 1 },
    service: 'shop/reviews',
    createdAtMs: 0,
    routes: [route('all', fields.backends)],
    hash: fields.hash,
    origin: 'test',
  };
}
