/** Shards for tests of the registry. */

import type { Endpoint, ServiceShard } from '../../src/model/service.ts';

export function testEndpoint(cluster: string, address: string, fields: Partial<Endpoint> = {}): Endpoint {
  return {
    address,
    ports: new Map([['http', 8080]]),
    cluster,
    network: '',
    locality: { region: '', zone: '', subzone: '' },
    version: 'v1',
    labels: { app: 'a', version: 'v1' },
    ready: true,
    serving: true,
    terminating: false,
    serviceAccount: 'default',
    workload: `pod-${address}`,
    node: '',
    hostname: '',
    ...fields,
  };
}

export function testShard(
  cluster: string,
  name: string,
  addresses: readonly string[],
  fields: Partial<ServiceShard> = {},
): ServiceShard {
  return {
    cluster,
    namespace: 'shop',
    name,
    createdAtMs: 0,
    headless: false,
    vips: ['10.0.0.1'],
    ports: [{ name: 'http', port: 80, transport: 'TCP', protocol: 'http' }],
    endpoints: addresses.map((address) => testEndpoint(cluster, address)),
    ...fields,
  };
}
