/** What the generated configuration does in a real Envoy: the shares, matches, fallbacks, limits and refusals that a rule promises. */

import assert from 'node:assert/strict';
import { connect as connectH2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type EnvoyRig, startEnvoyRig, startHttpWorkload, startTcpWorkload, type Workload } from './envoy-rig.ts';

interface Seen {
  readonly name: string;
  readonly cluster: string;
  readonly version: string;
  readonly state?: string;
}

describe('a real Envoy with generated configuration', function () {
  this.timeout(60_000);
  let rig: EnvoyRig;
  const workloads = new Map<string, Workload>();
  const portOf = (name: string): number => workloads.get(name)?.port ?? 0;

  before(async function () {
    for (const name of ['v1', 'v2', 'v3']) workloads.set(name, await startHttpWorkload(name));
    workloads.set('h2c', await startHttpWorkload('h2c', 'h2c'));
    workloads.set('redis', await startTcpWorkload('redis'));
    const started = await startEnvoyRig({ mode: 'explicit', inboundTarget: portOf('v1') });
    if (started === undefined) return skip(this, noEnvoy);
    rig = started;
  });

  after(async () => {
    await rig?.stop();
    for (const workload of workloads.values()) await workload.stop();
  });

  const three: readonly Seen[] = [
    { name: 'v1', cluster: 'east', version: 'v1' },
    { name: 'v2', cluster: 'west', version: 'v2' },
    { name: 'v3', cluster: 'west', version: 'v3' },
  ];

  /** A mesh of one HTTP service (reviews, port 80), one of gRPC's kind, one of TCP; and a rule's routes for reviews. */
  function mesh(routes: unknown, endpoints: readonly Seen[] = three, settings: unknown = {}): string {
    const of = (cluster: string): unknown[] =>
      endpoints
        .filter((each) => each.cluster === cluster)
        .map(({ name, version, state = 'ready' }) => ({
          address: '127.0.0.1',
          version,
          workload: name,
          state,
          ports: { http: portOf(name) },
        }));
    const only = (name: string, port: string): unknown => [{ address: '127.0.0.1', ports: { [port]: portOf(name) } }];
    return JSON.stringify({
      settings,
      services: [
        {
          name: 'reviews',
          clusters: {
            east: { ports: ['80:http'], endpoints: of('east') },
            west: { ports: ['80:http'], endpoints: of('west') },
          },
        },
        {
          name: 'greeter',
          namespace: 'other',
          clusters: { west: { ports: ['8080:grpc'], endpoints: only('h2c', 'grpc') } },
        },
        { name: 'redis', clusters: { east: { ports: ['6379:tcp'], endpoints: only('redis', 'tcp') } } },
      ],
      rules:
        routes === undefined
          ? []
          : [
              {
                apiVersion: 'fairway.dev/v1alpha1',
                kind: 'TrafficRule',
                metadata: { name: 'reviews', namespace: 'shop' },
                spec: { service: 'reviews', routes },
              },
            ],
    });
  }

  async function count(times: number, host = 'reviews'): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (let round = 0; round < times / 20; round++) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => rig.ask(host)));
      for (const { status, said } of answers) {
        const who = status === 200 ? said.name : String(status);
        counts.set(who, (counts.get(who) ?? 0) + 1);
      }
    }
    return counts;
  }

  it('sends to everything without a rule, under every name of the service', async () => {
    await rig.apply(mesh(undefined));
    assert.deepEqual([...(await count(120)).keys()].sort(), ['v1', 'v2', 'v3']);
    const domain = ['', '.shop', '.shop.svc', '.shop.svc.cluster.local'];
    for (const host of domain.flatMap((rest) => [`reviews${rest}`, `reviews${rest}:80`]))
      assert.equal((await rig.ask(host)).status, 200, host);
  });

  it('splits by weight, and takes a change at once', async () => {
    await rig.apply(
      mesh([
        {
          backends: [
            { version: 'v1', weight: 90 },
            { version: 'v2', cluster: 'west', weight: 10 },
          ],
        },
      ]),
    );
    const split = await count(600);
    assert.deepEqual([...split.keys()].sort(), ['v1', 'v2']);
    // 60 expected of 600, standard deviation 7.3: six of those either way.
    const ofTen = split.get('v2') ?? 0;
    assert.ok(ofTen > 15 && ofTen < 105, `v2 got ${ofTen} of 600`);
    await rig.apply(mesh([{ backends: [{ version: 'v2', cluster: 'west' }] }]));
    assert.deepEqual([...(await count(60))], [['v2', 60]]);
  });

  it('matches headers, whole path elements, methods and query parameters; else 404', async () => {
    const to = (version: string): unknown => [{ version }];
    await rig.apply(
      mesh([
        { matches: [{ headers: [{ name: 'x-group', value: 'beta' }] }], backends: to('v3') },
        { matches: [{ path: { prefix: '/api/' }, method: 'GET' }], backends: to('v2') },
        {
          matches: [{ path: { regex: '/item/[0-9]+' }, queryParams: [{ name: 'q', value: '1' }] }],
          backends: to('v1'),
        },
      ]),
    );
    const who = async (path: string, method = 'GET', headers = {}): Promise<string> => {
      const { status, said } = await rig.ask('reviews', { path, method, headers });
      return said.name || String(status);
    };
    assert.equal(await who('/', 'GET', { 'x-group': 'beta' }), 'v3');
    assert.equal(await who('/', 'GET', { 'x-group': 'betas' }), '404');
    assert.equal(await who('/api'), 'v2');
    assert.equal(await who('/api/x'), 'v2');
    assert.equal(await who('/apix'), '404');
    assert.equal(await who('/api', 'POST'), '404');
    assert.equal(await who('/item/7?q=1'), 'v1');
    assert.equal(await who('/item/7?q=2'), '404');
    assert.equal(await who('/item/7x?q=1'), '404');
  });

  it('changes headers as they stand', async () => {
    await rig.apply(
      mesh([
        {
          backends: [{ version: 'v1' }],
          requestHeaders: {
            set: [{ name: 'x-a', value: '100%REQ(x)%' }],
            add: [{ name: 'x-b', value: 'two' }],
            remove: ['x-c'],
          },
          responseHeaders: { set: [{ name: 'x-answer', value: '50%' }], remove: ['x-powered-by'] },
        },
      ]),
    );
    const { said, headers } = await rig.ask('reviews', { headers: { 'x-a': 'old', 'x-b': 'one', 'x-c': 'secret' } });
    assert.equal(said.headers['x-a'], '100%REQ(x)%');
    assert.equal(said.headers['x-b'], 'one, two');
    assert.equal(said.headers['x-c'], undefined);
    assert.equal(headers['x-answer'], '50%');
    assert.equal(headers['x-powered-by'], undefined);
  });

  it('goes down the chain as destinations are lost, and up again, and loses no request', async () => {
    const rule = [{ backends: [{ version: 'v3', cluster: 'west', fallback: [{ version: 'v2' }, {}] }] }];
    await rig.apply(mesh(rule));
    let asking = true;
    const failed: string[] = [];
    const load = (async () => {
      while (asking) {
        const { status, body } = await rig.ask('reviews');
        if (status !== 200) failed.push(`${status} ${body}`);
      }
    })();
    for (const [lost, expected] of [
      [[], 'v3'],
      [['v3'], 'v2'],
      [['v3', 'v2'], 'v1'],
      [['v2'], 'v3'],
    ] as const) {
      await rig.apply(
        mesh(
          rule,
          three.filter(({ name }) => !(lost as readonly string[]).includes(name)),
        ),
      );
      assert.deepEqual([...(await count(40))], [[expected, 40]]);
    }
    asking = false;
    await load;
    assert.deepEqual(failed, []);
  });

  it('loses no request while rules come, change and go', async () => {
    const rules = [
      undefined,
      [
        {
          backends: [
            { version: 'v1', weight: 1 },
            { version: 'v2', weight: 1 },
          ],
        },
      ],
      [{ backends: [{ cluster: 'west', fallback: [{}] }] }],
      [
        { matches: [{ path: { prefix: '/x' } }], backends: [{ version: 'v3' }] },
        { backends: [{ version: 'v3', fallback: [{ version: 'v1' }] }] },
      ],
    ];
    await rig.apply(mesh(undefined));
    let asking = true;
    let asked = 0;
    const failed: string[] = [];
    const load = async (): Promise<void> => {
      while (asking) {
        const { status, body } = await rig.ask('reviews');
        asked += 1;
        if (status !== 200) failed.push(`${status} ${body}`);
      }
    };
    const loads = [load(), load(), load(), load()];
    for (let round = 0; round < 20; round++) await rig.apply(mesh(rules[round % rules.length]));
    asking = false;
    await Promise.all(loads);
    assert.ok(asked > 0);
    assert.deepEqual(failed, []);
  });

  it('answers from the fallback when a destination is dead and its cluster has not said so', async () => {
    const dead = await startHttpWorkload('dead');
    workloads.set('dead', dead);
    await dead.stop();
    const endpoints = [...three, { name: 'dead', cluster: 'west', version: 'v4' }];
    await rig.apply(mesh([{ backends: [{ version: 'v4', fallback: [{ version: 'v1' }] }] }], endpoints));
    assert.deepEqual([...(await count(40))], [['v1', 40]]);
  });

  it('lets ending workloads serve while the chain has nothing else', async () => {
    const rule = [{ backends: [{ version: 'v1' }] }];
    await rig.apply(mesh(rule, [{ name: 'v1', cluster: 'east', version: 'v1', state: 'terminating' }]));
    assert.deepEqual([...(await count(20))], [['v1', 20]]);
    await rig.apply(mesh(rule, [{ name: 'v1', cluster: 'east', version: 'v1', state: 'unready' }]));
    assert.deepEqual([...(await count(20))], [['503', 20]]);
  });

  it('limits one try, with retries and without', async () => {
    await rig.apply(
      mesh([{ backends: [{ version: 'v1' }], timeouts: { backendRequest: '50ms' }, retry: { attempts: 0 } }]),
    );
    assert.equal((await rig.ask('reviews', { path: '/slow' })).status, 504);
    await rig.apply(mesh([{ backends: [{ version: 'v1' }], timeouts: { request: '50ms' } }]));
    assert.equal((await rig.ask('reviews', { path: '/slow' })).status, 504);
  });

  it('retries on the status codes that the rule names', async () => {
    await rig.apply(mesh([{ backends: [{ version: 'v1' }], retry: { attempts: 2, on: ['503'] } }]));
    assert.equal((await rig.ask('reviews', { path: '/status/503' })).status, 503);
    const line = await waitFor('the access log', () =>
      rig.log().find(({ path, direction }) => path === '/status/503' && direction === 'outbound'),
    );
    assert.equal(line['attempts'], 3);
  });

  it('speaks HTTP/2 to gRPC ports, and takes HTTP/2 by prior knowledge', async () => {
    await rig.apply(mesh(undefined));
    assert.equal((await rig.ask('greeter.other:8080')).said.version, '2.0');
    const session = connectH2(`http://127.0.0.1:${rig.proxyPort}`);
    try {
      const body = await new Promise<string>((resolve, reject) => {
        session.on('error', reject);
        const stream = session.request({ ':path': '/', ':authority': 'greeter.other.svc:8080' });
        let text = '';
        stream.setEncoding('utf8');
        stream.on('data', (chunk: string) => {
          text += chunk;
        });
        stream.on('error', reject);
        stream.on('end', () => resolve(text));
      });
      assert.equal(JSON.parse(body).name, 'h2c');
    } finally {
      session.destroy();
    }
  });

  it('tunnels to TCP services by CONNECT, and tells those who speak HTTP to them', async () => {
    await rig.apply(mesh(undefined));
    const { head, socket } = await tunnel(rig.proxyPort, 'redis.shop:6379');
    assert.match(head, /^HTTP\/1\.1 200 /);
    socket.write('PING\n');
    assert.equal(await lines(socket, 2), 'redis\nPING\n');
    socket.destroy();
    const { status, body } = await rig.ask('redis.shop:6379');
    assert.equal(status, 502);
    assert.match(body, /is a TCP port: reach it with CONNECT/);
  });

  it('passes unknown hosts through, by request and by CONNECT', async () => {
    await rig.apply(mesh(undefined));
    assert.equal((await rig.ask(`127.0.0.1:${portOf('v2')}`)).said.name, 'v2');
    const { head, socket } = await tunnel(rig.proxyPort, `127.0.0.1:${portOf('redis')}`);
    assert.match(head, /^HTTP\/1\.1 200 /);
    assert.equal(await lines(socket, 1), 'redis\n');
    socket.destroy();
  });

  it('refuses unknown hosts in words where the mesh lets requests to registered services only', async () => {
    await rig.apply(mesh(undefined, three, { outbound: 'registered-only' }));
    const { status, body } = await rig.ask(`127.0.0.1:${portOf('v2')}`);
    assert.equal(status, 502);
    assert.match(body, /^fairway: no service has the host/);
    const { head, socket } = await tunnel(rig.proxyPort, `127.0.0.1:${portOf('redis')}`);
    socket.destroy();
    assert.match(head, /^HTTP\/1\.1 502 /);
    assert.equal((await rig.ask('reviews')).status, 200);
  });

  it('lets connections be upgraded to WebSocket', async () => {
    await rig.apply(mesh([{ backends: [{ version: 'v1' }] }]));
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const { head, socket } = await speak(rig.proxyPort, `GET /socket HTTP/1.1\r\nHost: reviews\r\n${upgrade}\r\n\r\n`);
    assert.match(head, /^HTTP\/1\.1 101 /);
    socket.write('to and fro\n');
    assert.equal(await lines(socket, 1), 'to and fro\n');
    socket.destroy();
  });

  it('takes inbound requests for its workload', async () => {
    const response = await fetch(`http://127.0.0.1:${rig.inboundPort}/hello`);
    const said = (await response.json()) as { name: string; url: string };
    assert.deepEqual([said.name, said.url], ['v1', '/hello']);
  });

  it('logs where a request went: cluster, version and workload', async () => {
    await rig.apply(mesh([{ name: 'pinned', backends: [{ version: 'v2', cluster: 'west' }] }]));
    await rig.ask('reviews', { path: '/logged' });
    const line = await waitFor('the access log', () =>
      rig.log().find(({ path, direction }) => path === '/logged' && direction === 'outbound'),
    );
    assert.equal(line['destination'], 'west/v2/v2');
    assert.equal(line['route'], 'pinned');
    assert.equal(line['upstream_cluster'], 'outbound|80|v2.west|reviews.shop.svc.cluster.local');
    assert.equal(line['upstream_host'], `127.0.0.1:${portOf('v2')}`);
    assert.equal(line['status'], 200);
  });

  it('logs another version at the same address at once, over the connection that there is; and nobody where nobody was asked', async () => {
    const only = (version: string): string =>
      mesh([{ backends: [{ cluster: 'west' }] }], [{ name: 'v2', cluster: 'west', version }]);
    const askAndRead = async (path: string, host = 'reviews'): Promise<unknown> => {
      await rig.ask(host, { path });
      const isIt = (line: Readonly<Record<string, unknown>>): boolean =>
        line['path'] === path && line['direction'] === 'outbound';
      return (await waitFor('the access log', () => rig.log().find(isIt)))['destination'];
    };
    await rig.apply(only('v2'));
    assert.equal(await askAndRead('/before'), 'west/v2/v2');
    const before = await upstreamConnections();
    await rig.apply(only('v4'));
    assert.equal(await askAndRead('/after'), 'west/v2/v4');
    assert.equal(await upstreamConnections(), before);
    assert.equal(await askAndRead('/nobody', 'nobody.example'), null);
  });

  /** Made so far to endpoints of reviews; each Envoy cluster counts its own. */
  async function upstreamConnections(): Promise<number> {
    const filter = encodeURIComponent('reviews.*upstream_cx_total$');
    const lines = (await (await fetch(`http://127.0.0.1:${rig.adminPort}/stats?filter=${filter}`)).text()).trim();
    assert.notEqual(lines, '');
    return lines.split('\n').reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }
});

function tunnel(port: number, target: string): Promise<{ head: string; socket: Socket }> {
  return speak(port, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
}

/** Sends a request as it stands; gives the answer's head, and the connection with what follows unread. */
function speak(port: number, request: string): Promise<{ head: string; socket: Socket }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let seen = '';
    const read = (chunk: Buffer): void => {
      seen += chunk.toString('latin1');
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', read);
      socket.pause();
      const rest = seen.slice(end + 4);
      if (rest !== '') socket.unshift(Buffer.from(rest, 'latin1'));
      resolve({ head: seen.slice(0, end), socket });
    };
    socket.on('data', read);
    socket.on('error', reject);
  });
}

function lines(socket: Socket, wanted: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
      if (seen.split('\n').length > wanted) resolve(seen);
    });
    socket.on('error', reject);
    socket.resume();
  });
}
