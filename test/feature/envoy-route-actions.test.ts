/**
 * What a route does with a request, as the client and the workloads see it: redirects, rewrites, answers, matches, time limits and retries, in a
 * real Envoy.
 */

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { freePort } from '../rig/ports.ts';
import { type RouteScene, startRouteScene } from './route-scene.ts';

const v1 = [{ version: 'v1' }];

describe('what a route does with a request, in a real Envoy', function () {
  this.timeout(120_000);
  let scene: RouteScene;

  before(async function () {
    const started = await startRouteScene();
    if (started === undefined) return this.skip();
    scene = started;
  });

  after(async () => {
    await scene?.stop();
  });

  function lastSeen(name = 'v1'): { readonly url: string; readonly host: string | undefined } {
    const last = scene.workload(name).seen.at(-1);
    return { url: last?.url ?? '', host: last?.headers.host };
  }

  it('redirects: what the rule changes, and nothing else', async () => {
    await scene.apply([
      {
        matches: [{ path: { prefix: '/old' } }],
        redirect: {
          scheme: 'https',
          hostname: 'www.example.com',
          port: 8443,
          path: { prefix: '/new/' },
          statusCode: 308,
        },
        responseHeaders: { set: [{ name: 'cache-control', value: 'no-store' }] },
      },
      { matches: [{ path: { prefix: '/strip' } }], redirect: { path: { prefix: '/' } } },
      { matches: [{ path: { exact: '/gone' } }], redirect: { path: { full: '/here' }, statusCode: 301 } },
      { redirect: { path: { prefix: '/all' }, statusCode: 307 } },
    ]);
    const to = async (path: string): Promise<unknown> => {
      const { status, headers } = await scene.send(path);
      return [status, headers.location];
    };
    assert.deepEqual(await to('/old/a/b?c=d'), [308, 'https://www.example.com:8443/new/a/b?c=d']);
    assert.deepEqual(await to('/old'), [308, 'https://www.example.com:8443/new']);
    assert.equal((await scene.send('/old')).headers['cache-control'], 'no-store');
    assert.deepEqual(await to('/strip/a?b'), [302, 'http://reviews/a?b']);
    assert.deepEqual(await to('/strip'), [302, 'http://reviews/']);
    assert.deepEqual(await to('/gone?x=1'), [301, 'http://reviews/here?x=1']);
    assert.deepEqual(await to('/a'), [307, 'http://reviews/all/a']);
    assert.deepEqual(scene.workload('v1').seen, []);
  });

  it('holds for the host with a dot at its end, too', async () => {
    await scene.apply([{ respond: { status: 222 } }]);
    for (const host of ['reviews', 'reviews.shop.', 'reviews.shop.svc.cluster.local.', 'reviews.shop.:80']) {
      assert.equal((await scene.send('/', { headers: { host } })).status, 222, host);
    }
  });

  it('rewrites path and host, as the workload sees them', async () => {
    await scene.apply([
      {
        matches: [{ path: { prefix: '/api' } }, { path: { prefix: '/a.b+c/' } }],
        rewrite: { hostname: 'backend.example.com', path: { prefix: '/' } },
        backends: v1,
      },
      { matches: [{ path: { prefix: '/x' } }], rewrite: { path: { prefix: '/y/z' } }, backends: v1 },
      { matches: [{ path: { regex: '/r.*' } }], rewrite: { path: { full: '/one\\1' } }, backends: v1 },
      { rewrite: { path: { prefix: '/all/' } }, backends: v1 },
    ]);
    const became = async (path: string): Promise<string> => {
      assert.equal((await scene.send(path)).status, 200);
      return lastSeen().url;
    };
    assert.equal(await became('/api/x?q=/api'), '/x?q=/api');
    assert.equal(lastSeen().host, 'backend.example.com');
    assert.equal(await became('/api'), '/');
    assert.equal(await became('/api?q'), '/?q');
    assert.equal(await became('/a.b+c/d'), '/d');
    assert.equal(await became('/x/1'), '/y/z/1');
    assert.equal(lastSeen().host, 'reviews');
    assert.equal(await became('/x'), '/y/z');
    assert.equal(await became('/regex/1?q=1'), '/one\\1?q=1');
    assert.equal(await became('/'), '/all/');
    assert.equal(await became('/b/c'), '/all/b/c');
  });

  it('answers by itself', async () => {
    await scene.apply([
      {
        respond: { status: 418, body: '{"tea": "100%"}\n' },
        responseHeaders: { set: [{ name: 'content-type', value: 'application/json' }] },
      },
    ]);
    const { status, body, headers } = await scene.send('/');
    assert.deepEqual([status, body, headers['content-type']], [418, '{"tea": "100%"}\n', 'application/json']);
    assert.deepEqual(scene.workload('v1').seen, []);
  });

  it('matches by the presence of a header, and by its absence', async () => {
    await scene.apply([
      { matches: [{ headers: [{ name: 'X-A', present: true }] }], backends: [{ version: 'v2' }] },
      { matches: [{ headers: [{ name: 'x-b', present: false }] }], backends: v1 },
      { backends: [{ version: 'v3' }] },
    ]);
    const to = async (headers: Readonly<Record<string, string>>): Promise<string> =>
      (await scene.send('/', { headers })).body;
    assert.equal(await to({ 'x-a': 'any', 'x-b': 'any' }), 'v2');
    assert.equal(await to({ 'x-a': '' }), 'v2');
    assert.equal(await to({}), 'v1');
    assert.equal(await to({ 'x-b': 'any' }), 'v3');
  });

  it('says which destination has no healthy endpoint, to HTTP and to gRPC', async () => {
    await scene.apply([{ backends: [{ version: 'v9', cluster: 'west' }] }]);
    const { status, body, headers } = await scene.send('/');
    const said = (port: number): string =>
      `fairway: no healthy endpoint of outbound|${port}|v9.west|reviews.shop.svc.cluster.local (UH)`;
    assert.deepEqual([status, body], [503, said(80)]);
    assert.equal(headers['content-type'], 'text/plain');
    const answer = await scene.call();
    assert.deepEqual([answer[':status'], answer['grpc-status'], answer['grpc-message']], [200, '14', said(9000)]);
    assert.equal(answer['content-type'], 'application/grpc');
  });

  it('says to whom no connection can be made', async () => {
    const closed = await freePort();
    await scene.apply([{ backends: [{ version: 'gone' }], retry: { attempts: 0 } }], new Map([['gone', closed]]));
    const { status, body } = await scene.send('/');
    assert.equal(status, 503);
    assert.match(body, /^fairway: no connection to outbound\|80\|gone\|reviews\.shop\.svc\.cluster\.local: .+ \(UF\)$/);
  });

  it('ends what stands still: before the answer, in it, and after an upgrade', async () => {
    await scene.apply([{ name: 'quiet', backends: v1, timeouts: { idle: '700ms' } }]);
    const never = await scene.send('/never');
    assert.deepEqual(
      [never.status, never.body],
      [504, 'fairway: nothing moved for as long as route quiet allows (SI)'],
    );
    const stalled = await scene.send('/stall');
    assert.deepEqual([stalled.status, stalled.body, stalled.cut], [200, 'v1', true]);
    const socket = await upgrade();
    await closed(socket);
  });

  it('ends what lasts too long, however much moves', async () => {
    await scene.apply([{ name: 'short', backends: v1, timeouts: { stream: '1s' } }]);
    const drip = await scene.send('/drip');
    assert.deepEqual([drip.status, drip.cut], [200, true]);
    const never = await scene.send('/never');
    assert.deepEqual(
      [never.status, never.body],
      [504, 'fairway: the stream lasted for as long as route short allows (DT)'],
    );
    const socket = await upgrade();
    const echo = setInterval(() => socket.write('x'), 10);
    await closed(socket);
    clearInterval(echo);
  });

  it('keeps WebSockets for longer than a request may take', async () => {
    await scene.apply([{ name: 'web', backends: v1, timeouts: { request: '100ms', backendRequest: '100ms' } }]);
    const timed = await scene.send('/never');
    assert.equal(timed.status, 504);
    assert.match(timed.body, /^fairway: no answer of outbound\|80\|v1\|reviews.* in time \(UT\)$/);
    const socket = await upgrade();
    const start = Date.now();
    while (Date.now() - start < 500) {
      const back = new Promise((resolve, reject) => {
        socket.once('data', resolve);
        socket.once('close', () => reject(new Error('the socket was closed')));
      });
      socket.write('to and fro');
      await back;
      socket.removeAllListeners('close');
    }
    socket.destroy();
  });

  /** A WebSocket, as far as a proxy cares: the upgrade is done, the rest is bytes. */
  function upgrade(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const head = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==';
      const socket = connect(scene.rig.proxyPort, '127.0.0.1', () =>
        socket.write(`GET /socket HTTP/1.1\r\nHost: reviews\r\n${head}\r\n\r\n`),
      );
      socket.on('error', reject);
      socket.once('data', (chunk: Buffer) => {
        if (chunk.toString('latin1').startsWith('HTTP/1.1 101 ')) resolve(socket);
        else reject(new Error(chunk.toString('latin1')));
      });
    });
  }

  function closed(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
    });
  }

  it('tries as often as the rule says, as the workloads count it', async () => {
    const retry = { attempts: 3, on: ['503'], backoff: { base: '1ms', max: '5ms' } };
    await scene.apply([{ backends: [{}], retry }]);
    assert.equal((await scene.send('/status/503')).status, 503);
    const tries = [...scene.workloads.values()].reduce((sum, { seen }) => sum + seen.length, 0);
    assert.equal(tries, 4);
    await scene.apply([{ backends: v1, retry: { ...retry, attempts: 0 } }]);
    assert.equal((await scene.send('/status/503')).status, 503);
    assert.equal(scene.workload('v1').seen.length, 1);
  });

  it('retries elsewhere first, unless the rule says that it need not', async () => {
    // Of two tries of one request, how many met the same workload: seldom (Envoy draws six times), against half.
    const repeated = async (otherHostFirst: boolean): Promise<number> => {
      const retry = { attempts: 1, on: ['503'], backoff: { base: '1ms' }, otherHostFirst };
      await scene.apply([{ backends: [{}], retry }]);
      const ids = Array.from({ length: 300 }, (_, i) => String(i));
      for (const id of ids) await scene.send('/status/503', { headers: { 'x-id': id } });
      return [...scene.workloads.values()].reduce((sum, { seen }) => {
        const distinct = new Set(seen.map(({ headers }) => headers['x-id'])).size;
        return sum + seen.length - distinct;
      }, 0);
    };
    const seldom = await repeated(true);
    const often = await repeated(false);
    assert.ok(seldom < 20, `${seldom} of 300 met the same workload twice`);
    assert.ok(often > 40, `only ${often} of 300 met the same workload twice`);
  });
});
