/**
 * Runs inside a network namespace of its own (started by envoy-captured-external.test.ts): what a captured workload reaches outside, and by
 * which of a connection's properties. In: the form of its routes. Prints one line of JSON: observations by name.
 */

import type { Scope } from '../../src/model/mesh.ts';
import { ask, clientHello, greeting, packetMark, prepareNetwork } from './captured-network.ts';
import { startEnvoyRig, startHttpWorkload, startTcpWorkload } from './envoy-rig.ts';

const bySni = async (address: string, name: string): Promise<string> => greeting(address, 443, await clientHello(name));

prepareNetwork();
const http = await startHttpWorkload('http');
const workloads = [
  http,
  await startTcpWorkload('api', { address: '10.1.5.1', port: 8443 }),
  await startTcpWorkload('wild', { address: '10.1.5.2', port: 443 }),
  await startTcpWorkload('vault', { address: '10.1.5.3', port: 443 }),
  await startTcpWorkload('alias', { address: '127.0.0.1', port: 443 }),
  await startTcpWorkload('postgres', { address: '10.1.6.1', port: 15_432 }),
  await startTcpWorkload('raw', { address: '10.1.7.1', port: 9001 }),
  await startTcpWorkload('outside', { address: '10.1.9.3', port: 443 }),
];
const rig = await startEnvoyRig({
  mode: 'captured',
  inbound: [],
  packetMark,
  routes: process.argv[2] as Scope['routes'],
});

const external = (name: string, spec: object): object => ({
  apiVersion: 'fairway.dev/v1alpha1',
  kind: 'ExternalService',
  metadata: { name, namespace: 'shop' },
  spec,
});
const tls = { number: 443, protocol: 'tls' };
const mesh = (outbound: string): string =>
  JSON.stringify({
    settings: { outbound, detectProtocols: true },
    services: [
      // On the port of TLS: what is in the open is HTTP, and ALPN inside of TLS is not.
      {
        name: 'plain',
        clusters: {
          east: {
            vips: ['10.1.0.4'],
            ports: ['443:http'],
            endpoints: [{ address: '127.0.0.1', ports: { http: http.port } }],
          },
        },
      },
      { name: 'vault', clusters: { west: { ports: ['443:tls'], endpoints: [{ address: '10.1.5.3' }] } } },
      { name: 'alias', clusters: { east: { externalName: 'alias.localhost', ports: ['443:tls'] } } },
      {
        name: 'anything',
        clusters: {
          east: {
            vips: ['10.1.0.8'],
            ports: ['9000:unknown'],
            endpoints: [{ address: '127.0.0.1', ports: { unknown: http.port } }],
          },
        },
      },
      {
        name: 'raw',
        clusters: { east: { vips: ['10.1.0.9'], ports: ['9001:unknown'], endpoints: [{ address: '10.1.7.1' }] } },
      },
    ],
    rules: [
      {
        apiVersion: 'fairway.dev/v1alpha1',
        kind: 'TrafficRule',
        metadata: { name: 'anything', namespace: 'shop' },
        spec: {
          service: 'anything',
          routes: [{ backends: [{}], responseHeaders: { set: [{ name: 'x-ruled', value: 'yes' }] } }],
        },
      },
    ],
    externals: [
      external('api', {
        hosts: ['api.example.com'],
        ports: [tls, { number: 80, protocol: 'http' }],
        resolution: 'static',
        endpoints: [
          {
            address: '10.1.5.1',
            ports: [
              { number: 443, targetPort: 8443 },
              { number: 80, targetPort: http.port },
            ],
          },
        ],
      }),
      external('web', {
        hosts: ['web.example.com'],
        ports: [{ number: 80, protocol: 'http' }],
        resolution: 'static',
        endpoints: [{ address: '127.0.0.1', ports: [{ number: 80, targetPort: http.port }] }],
      }),
      external('wild', {
        hosts: ['*.example.com'],
        ports: [tls],
        resolution: 'static',
        endpoints: [{ address: '10.1.5.2' }],
      }),
      external('postgres', {
        hosts: ['pg.example.com'],
        ports: [{ number: 5432, protocol: 'tcp' }],
        resolution: 'static',
        endpoints: [{ address: '10.1.6.1', ports: [{ number: 5432, targetPort: 15_432 }] }],
      }),
      external('far', {
        hosts: ['far.example.org'],
        ports: [tls, { number: 80, protocol: 'http' }],
        resolution: 'static',
        endpoints: [{ address: '10.1.5.2' }],
        from: { clusters: ['west'] },
      }),
    ],
  });

async function look(): Promise<object> {
  return {
    exact: await bySni('10.1.99.1', 'api.example.com'),
    wildcard: await bySni('10.1.99.1', 'deep.down.example.com'),
    elsewhere: await bySni('10.1.99.1', 'vault.shop'),
    alias: await bySni('10.1.99.1', 'alias.shop.svc.cluster.local'),
    unknown: await bySni('10.1.9.3', 'other.example.net'),
    fromWestOnly: await bySni('10.1.9.3', 'far.example.org'),
    httpBesideTls: await ask('10.1.0.4', 443, 'plain'),
    httpByHost: await ask('10.1.99.1', 80, 'web.example.com'),
    tcpByAddress: await greeting('10.1.6.1', 5432),
    detectedHttp: await ask('10.1.0.8', 9000, 'anything'),
    detectedOther: await greeting('10.1.0.9', 9001),
  };
}

if (rig === undefined) {
  console.log(JSON.stringify({ envoy: 'absent' }));
} else {
  await rig.apply(mesh('allow-any'));
  const open = await look();
  await rig.apply(mesh('registered-only'));
  const closed = await look();
  await rig.stop();
  console.log(JSON.stringify({ open, closed }));
}
for (const workload of workloads) await workload.stop();
