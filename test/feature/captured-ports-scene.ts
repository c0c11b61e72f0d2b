/**
 * Runs inside a network namespace of its own (started by envoy-captured-ports.test.ts): a captured workload whose requests name in their Host
 * another port than the one they go to. In: the form of the sidecar's routes. Prints one line of JSON: observations by name.
 */

import { connect } from 'node:http2';
import type { Scope } from '../../src/model/mesh.ts';
import { waitFor } from '../rig/wait.ts';
import { ask, packetMark, prepareNetwork, type Said } from './captured-network.ts';
import { startEnvoyRig, startHttpWorkload } from './envoy-rig.ts';

prepareNetwork();
const [v1, v2] = [await startHttpWorkload('v1'), await startHttpWorkload('v2')];
const h2 = await startHttpWorkload('h2', 'h2c');
const workloads = [
  v1,
  v2,
  h2,
  await startHttpWorkload('pod', 'http', { address: '10.1.3.1', port: 80 }),
  await startHttpWorkload('outside', 'http', { address: '10.1.9.1', port: 80 }),
];
const rig = await startEnvoyRig({
  mode: 'captured',
  inbound: [],
  packetMark,
  routes: process.argv[2] as Scope['routes'],
});

const service = (name: string, address: string, port: number, ports = '80:http'): object => ({
  name,
  clusters: {
    east: {
      vips: [address, ...(name === 'reviews' ? ['fd00::5'] : [])],
      ports: [ports],
      endpoints: [{ address: '127.0.0.1', ports: { http: port, grpc: port } }],
    },
  },
});
const usual = [
  service('reviews', '10.1.0.5', v1.port),
  service('ratings', '10.1.0.6', v2.port),
  service('greeter', '10.1.0.8', h2.port, '80:grpc'),
  { name: 'db', clusters: { east: { headless: true, ports: ['80:http'], endpoints: [{ address: '10.1.3.1' }] } } },
];
const mesh = (more: readonly object[] = [], settings: object = {}): string =>
  JSON.stringify({ settings, services: [...usual, ...more] });

/** A request over HTTP/2, as a gRPC client sends it where `contentType` says so. */
function askH2(address: string, authority: string, contentType: string): Promise<Said> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}:80`);
    const stream = session.request({
      ':authority': authority,
      ':method': 'POST',
      ':path': '/',
      'content-type': contentType,
    });
    let [status, body] = [0, ''];
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
    });
    stream.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    const end = (text: string): void => {
      session.destroy();
      resolve({ status, text });
    };
    stream.on('error', (error) => end(error.message));
    session.on('error', (error) => end(error.message));
    stream.on('end', () => end(body.startsWith('{') ? JSON.parse(body).name : (body.split('\n')[0] ?? '')));
    stream.end();
  });
}

/** One after the other. */
async function asks(address: string, hosts: readonly string[]): Promise<readonly Said[]> {
  const said: Said[] = [];
  for (const host of hosts) said.push(await ask(address, 80, host));
  return said;
}

if (rig === undefined) {
  console.log(JSON.stringify({ envoy: 'absent' }));
} else {
  await rig.apply(mesh());
  // The port first, so that on demand the sidecar asks by a Host with one.
  const byName = await asks('10.1.0.5', [
    'reviews:9999',
    'reviews',
    'reviews.shop:1',
    'REVIEWS.shop.svc:80',
    'reviews.shop.svc.cluster.local.:9999',
  ]);
  const byAddress = [
    ...(await asks('10.1.0.5', ['10.1.0.5:8080', '10.1.0.5'])),
    ...(await asks('fd00::5', ['[fd00::5]:8080', '[fd00::5]'])),
  ];
  const atOnce = await Promise.all(
    ['ratings', 'ratings:9999', 'ratings.shop:7', 'ratings.shop', 'ratings:9998', 'ratings'].map((host) =>
      ask('10.1.0.6', 80, host),
    ),
  );
  const byHttp2 = [
    await askH2('10.1.0.8', 'greeter:9999', 'text/plain'),
    await askH2('10.1.0.8', 'greeter:50051', 'application/grpc'),
    await askH2('10.1.0.8', 'greeter.shop', 'application/grpc'),
  ];
  const byPod = await asks('10.1.3.1', ['db-0.db:9999', 'db-0.db', 'db-0.db.shop:80']);
  const unknown = [
    ...(await asks('10.1.9.1', [
      'outside.example:9999',
      'outside.example',
      'outside.example:1',
      '10.1.9.1:80',
      'odd:',
      'a:b:c',
    ])),
    ...(await Promise.all(
      ['other.example:1', 'other.example', 'other.example:2'].map((host) => ask('10.1.9.1', 80, host)),
    )),
  ];
  const late = service('late', '10.1.0.7', v1.port);
  const closed = { outbound: 'registered-only' };
  await rig.apply(mesh([], closed));
  const hosts = ['late:9999', 'late', 'late.shop:1'];
  const refused = await asks('10.1.0.7', hosts);
  const comesAndGoes: number[] = [];
  const until = async (status: number): Promise<void> => {
    const said = await waitFor(`status ${status}`, async () => {
      const each = await asks('10.1.0.7', hosts);
      return each.every((one) => one.status === status) && each;
    });
    comesAndGoes.push(...new Set(said.map((one) => one.status)));
  };
  for (let times = 0; times < 2; times++) {
    await rig.apply(mesh([late], closed));
    await until(200);
    await rig.apply(mesh([], closed));
    await until(502);
  }
  const still = await asks('10.1.0.5', ['reviews:9999', 'reviews']);
  const dump = (await (await fetch(`http://127.0.0.1:${rig.adminPort}/config_dump`)).json()) as {
    readonly configs: readonly {
      readonly dynamic_route_configs?: readonly {
        readonly route_config: { readonly virtual_hosts?: readonly { readonly name: string }[] };
      }[];
    }[];
  };
  const held = dump.configs
    .flatMap(({ dynamic_route_configs = [] }) => dynamic_route_configs)
    .flatMap(({ route_config: { virtual_hosts = [] } }) => virtual_hosts.map(({ name }) => name))
    .sort();
  await rig.stop();
  console.log(
    JSON.stringify({ byName, byAddress, atOnce, byHttp2, byPod, unknown, refused, comesAndGoes, still, held }),
  );
}
for (const workload of workloads) await workload.stop();
