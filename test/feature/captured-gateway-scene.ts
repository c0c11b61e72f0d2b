/**
 * Runs inside a network namespace of its own (started by envoy-captured-gateway.test.ts): what a captured workload reaches by routes of the Gateway
 * API, connections above all. In: the form of its routes. Prints one line of JSON: observations by name.
 */

import type { Scope } from '../../src/model/mesh.ts';
import { ask, clientHello, greeting, packetMark, prepareNetwork } from './captured-network.ts';
import { startEnvoyRig, startHttpWorkload, startTcpWorkload } from './envoy-rig.ts';

prepareNetwork();
const [v1, v2] = [await startHttpWorkload('v1'), await startHttpWorkload('v2')];
const workloads = [
  v1,
  v2,
  await startTcpWorkload('redis', { address: '10.1.2.1', port: 6379 }),
  await startTcpWorkload('redis-v2', { address: '10.1.2.2', port: 6379 }),
  await startTcpWorkload('db', { address: '10.1.3.1', port: 443 }),
  await startTcpWorkload('db-v2', { address: '10.1.3.2', port: 443 }),
  await startTcpWorkload('db-v3', { address: '10.1.3.3', port: 443 }),
];
const rig = await startEnvoyRig({
  mode: 'captured',
  inbound: [],
  packetMark,
  routes: process.argv[2] as Scope['routes'],
});

const service = (
  name: string,
  vip: string,
  port: string,
  address: string,
  at?: number,
  namespace = 'shop',
): object => ({
  name,
  namespace,
  clusters: {
    east: {
      vips: [vip],
      ports: [port],
      endpoints: [{ address, ...(at === undefined ? {} : { ports: { http: at } }) }],
    },
  },
});
const services = [
  service('reviews', '10.1.0.5', '80:http', '127.0.0.1', v1.port),
  service('reviews-v2', '10.1.0.6', '80:http', '127.0.0.1', v2.port),
  service('redis', '10.1.0.9', '6379:tcp', '10.1.2.1'),
  service('redis-v2', '10.1.0.10', '6379:tcp', '10.1.2.2'),
  service('queue', '10.1.0.11', '6379:tcp', '10.1.2.1', undefined, 'other'),
  service('db', '10.1.0.12', '443:tls', '10.1.3.1'),
  service('db-v2', '10.1.0.13', '443:tls', '10.1.3.2'),
  service('db-v3', '10.1.0.14', '443:tls', '10.1.3.3'),
];
const route = (
  kind: string,
  name: string,
  to: string,
  port: number,
  more: object = {},
  namespace = 'shop',
): object => ({
  kind,
  metadata: { name, namespace: 'shop' },
  spec: {
    parentRefs: [{ group: '', kind: 'Service', name, namespace }],
    rules: [{ backendRefs: [{ name: to, port }] }],
    ...more,
  },
});
const look = async (): Promise<object> => ({
  http: await ask('10.1.0.5', 80, 'reviews'),
  tcp: await greeting('10.1.0.9', 6379),
  consumer: await greeting('10.1.0.11', 6379),
  tlsByName: await greeting('10.1.0.12', 443, await clientHello('a.example.com')),
  tlsByWildcard: await greeting('10.1.0.12', 443, await clientHello('deep.b.example.com')),
  tlsOther: await greeting('10.1.0.12', 443, await clientHello('c.example.com')),
});

if (rig === undefined) {
  console.log(JSON.stringify({ envoy: 'absent' }));
} else {
  await rig.apply(JSON.stringify({ services }));
  const before = await look();
  const routes = [
    route('HTTPRoute', 'reviews', 'reviews-v2', 80),
    route('TCPRoute', 'redis', 'redis-v2', 6379),
    route('TCPRoute', 'queue', 'redis-v2', 6379, {}, 'other'),
    route('TLSRoute', 'db', 'db-v2', 443, { hostnames: ['a.example.com', '*.b.example.com'] }),
  ];
  await rig.apply(JSON.stringify({ services, routes }));
  const after = await look();
  await rig.apply(JSON.stringify({ services, routes: [route('TCPRoute', 'redis', 'gone', 6379)] }));
  const refused = await greeting('10.1.0.9', 6379);
  await rig.stop();
  console.log(JSON.stringify({ before, after, refused }));
}
for (const workload of workloads) await workload.stop();
