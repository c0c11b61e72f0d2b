/**
 * Runs inside a network namespace of its own (started by envoy-captured.test.ts): a captured sidecar, real iptables, and what a workload sees.
 * In: the form of its routes. Prints one line of JSON: observations by name.
 */

import type { Scope } from '../../src/model/mesh.ts';
import { waitFor } from '../rig/wait.ts';
import { ask, greeting, packetMark, prepareNetwork } from './captured-network.ts';
import { startEnvoyRig, startHttpWorkload, startTcpWorkload } from './envoy-rig.ts';

prepareNetwork();
const [v1, v2] = [await startHttpWorkload('v1'), await startHttpWorkload('v2')];
const workloads = [
  v1,
  v2,
  await startTcpWorkload('redis-v1', { address: '10.1.2.1', port: 6379 }),
  await startTcpWorkload('redis-v2', { address: '10.1.2.2', port: 6379 }),
  await startTcpWorkload('db-0', { address: '10.1.3.1', port: 5432 }),
  await startTcpWorkload('db-1', { address: '10.1.3.2', port: 5432 }),
  await startHttpWorkload('outside', 'http', { address: '10.1.9.1', port: 80 }),
  await startTcpWorkload('outside-raw', { address: '10.1.9.2', port: 80 }),
  await startTcpWorkload('outside-tcp', { address: '10.1.9.2', port: 7000 }),
  await startHttpWorkload('application', 'http', { address: '10.3.0.1', port: 9080 }),
  await startTcpWorkload('application-tcp', { address: '10.3.0.1', port: 7777 }),
];
const rig = await startEnvoyRig({
  mode: 'captured',
  inbound: [{ port: 9080, targetPort: 9080, protocol: 'http' }],
  packetMark,
  routes: process.argv[2] as Scope['routes'],
});

const rule = (service: string, version: string): object => ({
  apiVersion: 'fairway.dev/v1alpha1',
  kind: 'TrafficRule',
  metadata: { name: service, namespace: 'shop' },
  spec: { service, routes: [{ backends: [{ version }] }] },
});
const mesh = (settings: object, more: readonly object[] = []): string =>
  JSON.stringify({
    settings,
    services: [
      {
        name: 'reviews',
        clusters: {
          east: {
            vips: ['10.1.0.5', 'fd00::5'],
            ports: ['80:http'],
            endpoints: [{ address: '127.0.0.1', version: 'v1', ports: { http: v1.port } }],
          },
          west: { ports: ['80:http'], endpoints: [{ address: '127.0.0.1', version: 'v2', ports: { http: v2.port } }] },
        },
      },
      {
        name: 'redis',
        clusters: {
          east: {
            vips: ['10.1.0.9'],
            ports: ['6379:tcp'],
            endpoints: [
              { address: '10.1.2.1', version: 'v1' },
              { address: '10.1.2.2', version: 'v2' },
            ],
          },
        },
      },
      {
        name: 'db',
        clusters: {
          east: {
            headless: true,
            ports: ['5432:tcp'],
            endpoints: [
              { address: '10.1.3.1', version: 'v1' },
              { address: '10.1.3.2', version: 'v2' },
            ],
          },
        },
      },
      ...more,
    ],
    rules: [rule('reviews', 'v2'), rule('redis', 'v2'), rule('db', 'v2')],
  });

if (rig === undefined) {
  console.log(JSON.stringify({ envoy: 'absent' }));
} else {
  await rig.apply(mesh({}));
  const seen = {
    byName: await ask('10.1.0.5', 80, 'reviews'),
    byAddress: await ask('10.1.0.5', 80, '10.1.0.5'),
    byIpv6: await ask('fd00::5', 80, '[fd00::5]'),
    unknownHost: await ask('10.1.9.1', 80, 'outside.example'),
    serverFirstOnHttpPort: await greeting('10.1.9.2', 80),
    unknownTcp: await greeting('10.1.9.2', 7000),
    tcpByRule: await greeting('10.1.0.9', 6379),
    headlessByRule: await greeting('10.1.3.1', 5432),
    toTheSidecarItself: await greeting('127.0.0.1', 15_001),
    inbound: await ask('10.3.0.1', 9080, 'anything'),
    inboundOtherPort: await greeting('10.3.0.1', 7777),
  };
  // A port that no service had: its listener, its table and its hosts come to an Envoy that is at work.
  const late = {
    name: 'late',
    clusters: {
      east: { vips: ['10.1.0.7'], ports: ['81:http'], endpoints: [{ address: '127.0.0.1', ports: { http: v1.port } }] },
    },
  };
  await rig.apply(mesh({}, [late]));
  const newPort = await waitFor('the service on a new port', async () => {
    const said = await ask('10.1.0.7', 81, 'late');
    return said.text === 'v1' && said;
  });
  await rig.apply(mesh({}));
  await rig.apply(mesh({}, [late]));
  const newPortAgain = await waitFor('the service on a port that had gone', async () => {
    const said = await ask('10.1.0.7', 81, 'late.shop');
    return said.text === 'v1' && said;
  });
  await rig.apply(mesh({ outbound: 'registered-only' }));
  const closed = {
    byName: await ask('10.1.0.5', 80, 'reviews'),
    unknownHost: await ask('10.1.9.1', 80, 'outside.example'),
    unknownTcp: await greeting('10.1.9.2', 7000),
    tcpByRule: await greeting('10.1.0.9', 6379),
  };
  await rig.stop();
  console.log(JSON.stringify({ seen: { ...seen, newPort, newPortAgain }, closed }));
}
for (const workload of workloads) await workload.stop();
