/**
 * What a route gives Envoy's HTTP filters and mirrors to do, as the client, the workload and the mirror see it, in a real Envoy: copies, faults,
 * CORS and rate limits.
 */

import assert from 'node:assert/strict';
import { waitFor } from '../rig/wait.ts';
import { assertShare, shareRequests } from '../support/share.ts';
import { type Reply, type RouteScene, startRouteScene } from './route-scene.ts';

const v1 = [{ version: 'v1' }];
describe('what a route gives HTTP filters to do, in a real Envoy', function () {
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

  /** All of `shareRequests` requests, 40 at a time. */
  async function sendMany(path: string): Promise<Reply[]> {
    return Promise.all(Array.from({ length: shareRequests }, () => scene.send(path)));
  }

  /** How many requests an Envoy cluster was sent, once none of them is under way. */
  async function sentTo(cluster: string): Promise<number> {
    const names = [`cluster.${cluster}.upstream_rq_total`, `cluster.${cluster}.upstream_rq_active`];
    return waitFor('the copies to be answered', async () => {
      const response = await fetch(
        `http://127.0.0.1:${scene.rig.adminPort}/stats?format=json&filter=upstream_rq_(total|active)$`,
      );
      const { stats } = (await response.json()) as { stats: { name: string; value: number }[] };
      const [total, active] = names.map((name) => stats.find((stat) => stat.name === name)?.value);
      return active === 0 ? total : undefined;
    });
  }

  it('copies a share of the requests, and answers from the backend alone', async () => {
    await scene.apply([{ backends: v1, mirrors: [{ version: 'v2', percent: 37.5 }] }]);
    const cluster = 'outbound|80|v2|reviews.shop.svc.cluster.local';
    const before = (await sentTo(cluster).catch(() => 0)) ?? 0;
    const replies = await sendMany('/copied');
    assert.deepEqual([...new Set(replies.map(({ status, body }) => `${status} ${body}`))], ['200 v1']);
    const total = await sentTo(cluster);
    const copies = scene.workload('v2').seen.filter(({ url }) => url === '/copied').length;
    assert.equal(copies, total - before);
    assertShare(copies, 0.375, shareRequests, 'mirror');
    assert.equal(scene.workload('v1').seen.length, shareRequests);
  });

  it('copies whole requests to each mirror, and does not wait for them', async () => {
    const mirrors = [{ version: 'v2' }, { version: 'v3', cluster: 'east' }];
    await scene.apply([{ backends: v1, mirrors, rewrite: { path: { full: '/new' } } }]);
    const { status, body } = await scene.send('/never-mind', { method: 'POST', content: 'the content' });
    assert.deepEqual([status, body], [200, 'v1']);
    for (const name of ['v2', 'v3']) {
      const copy = await waitFor(`the copy for ${name}`, () => scene.workload(name).seen[0]);
      assert.deepEqual([copy.method, copy.url, copy.body], ['POST', '/new', 'the content']);
      assert.equal(copy.headers.host, 'reviews-shadow');
    }
  });

  it('delays and aborts by their shares, each drawn by itself', async () => {
    const fault = { delay: { percent: 20, duration: '150ms' }, abort: { percent: 7.5, status: 418 } };
    await scene.apply([{ name: 'faulty', backends: v1, fault }]);
    const replies = await sendMany('/faulty');
    const aborted = replies.filter(({ status }) => status === 418);
    assert.deepEqual(
      [...new Set(aborted.map(({ body }) => body))],
      ['fairway: refused by the fault of route faulty (FI)'],
    );
    assertShare(aborted.length, 0.075, shareRequests, 'abort');
    assert.equal(scene.workload('v1').seen.length, shareRequests - aborted.length);
    const lines = await waitFor('the access log', () => {
      const found = scene.rig.log().filter(({ path, direction }) => path === '/faulty' && direction === 'outbound');
      return found.length === shareRequests ? found : undefined;
    });
    const delayed = lines.filter(({ flags }) => String(flags).split(',').includes('DI'));
    assertShare(delayed.length, 0.2, shareRequests, 'delay');
    // Envoy's clock stands still while a busy loop turns, so a single delay may seem short; half of them cannot.
    const durations = delayed.map((line) => Number(line['duration_ms'])).sort((a, b) => a - b);
    const median = durations[Math.floor(durations.length / 2)] ?? 0;
    assert.ok(median >= 100, `half of the delayed requests took less than ${median} ms`);
  });

  it('counts a delay towards idle and stream, and not towards the times of backends', async () => {
    const delayed = async (timeouts: unknown): Promise<string> => {
      await scene.apply([{ backends: v1, fault: { delay: { percent: 100, duration: '1200ms' } }, timeouts }]);
      const { status, body } = await scene.send('/');
      return `${status} ${/\((\w+)\)$/.exec(body)?.[1] ?? body}`;
    };
    assert.equal(await delayed({ idle: '100ms' }), '504 SI');
    assert.equal(await delayed({ stream: '100ms' }), '504 DT');
    assert.equal(await delayed({ request: '1s', backendRequest: '1s' }), '200 v1');
  });

  it('aborts gRPC calls with a gRPC status, and other requests with the HTTP status that corresponds', async () => {
    await scene.apply([{ name: 'faulty', backends: v1, fault: { abort: { percent: 100, grpcStatus: 8 } } }]);
    const headers = await scene.call();
    assert.deepEqual([headers[':status'], headers['grpc-status']], [200, '8']);
    assert.equal(headers['grpc-message'], 'fairway: refused by the fault of route faulty (FI)');
    assert.equal((await scene.send('/')).status, 429);
    await scene.apply([{ backends: v1, fault: { abort: { percent: 100, status: 503 } } }]);
    assert.equal((await scene.call())['grpc-status'], '14');
    assert.equal((await scene.send('/')).status, 503);
  });

  it('answers preflights, and lets pages of allowed origins alone read answers', async () => {
    await scene.apply([
      {
        backends: v1,
        cors: {
          allowOrigins: ['https://shop.example.com', 'https://*.example.org'],
          allowMethods: ['PUT', 'DELETE'],
          allowHeaders: ['x-tenant'],
          exposeHeaders: ['x-powered-by'],
          maxAge: '10m',
          allowCredentials: true,
        },
      },
    ]);
    const preflight = (origin: string): Promise<Reply> =>
      scene.send('/', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } });
    const { status, headers } = await preflight('https://shop.example.com');
    assert.equal(status, 200);
    assert.equal(headers['access-control-allow-origin'], 'https://shop.example.com');
    assert.equal(headers['access-control-allow-methods'], 'PUT,DELETE');
    assert.equal(headers['access-control-allow-headers'], 'x-tenant');
    assert.equal(headers['access-control-max-age'], '600');
    assert.equal(headers['access-control-allow-credentials'], 'true');
    const allowed = async (origin: string): Promise<boolean> =>
      (await preflight(origin)).headers['access-control-allow-origin'] === origin;
    assert.equal(await allowed('https://a.b.example.org'), true);
    for (const other of [
      'https://example.org',
      'https://shop.example.com.evil.org',
      'http://shop.example.com',
      'https://evilexample.org',
      'https://a.example.org.evil.net',
    ])
      assert.equal(await allowed(other), false, other);
    assert.deepEqual(scene.workload('v1').seen, []);
    const answer = await scene.send('/', { headers: { origin: 'https://shop.example.com' } });
    assert.equal(answer.body, 'v1');
    assert.equal(answer.headers['access-control-allow-origin'], 'https://shop.example.com');
    assert.equal(answer.headers['access-control-expose-headers'], 'x-powered-by');
    const foreign = await scene.send('/', { headers: { origin: 'https://evil.org' } });
    assert.equal(foreign.headers['access-control-allow-origin'], undefined);
  });

  it('lets a burst through, counted over all matches of the route, then answers 429', async () => {
    await scene.apply([
      {
        name: 'limited',
        matches: [{ path: { prefix: '/a' } }, { path: { exact: '/b' } }],
        rateLimit: { requests: 1, per: '24h', burst: 5 },
        backends: v1,
      },
      { backends: v1 },
    ]);
    const statuses: number[] = [];
    for (let i = 0; i < 10; i++) statuses.push((await scene.send(i % 2 === 0 ? '/a' : '/b')).status);
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429, 429, 429, 429]);
    assert.equal((await scene.send('/a')).body, 'fairway: too many requests for route limited (RL)');
    assert.equal((await scene.send('/c')).status, 200);
    assert.equal(scene.workload('v1').seen.length, 6);
  });

  it('limits what the proxy answers by itself too', async () => {
    await scene.apply([
      {
        name: 'ping',
        matches: [{ path: { exact: '/ping' } }],
        rateLimit: { requests: 1, per: '24h', burst: 3 },
        respond: { status: 202 },
      },
      {
        name: 'moved',
        matches: [{ path: { prefix: '/old' } }],
        rateLimit: { requests: 1, per: '24h' },
        redirect: { path: { prefix: '/new' } },
      },
      { name: 'limited', rateLimit: { requests: 1, per: '24h', burst: 2 }, backends: v1 },
    ]);
    const statuses = async (path: string, times: number): Promise<number[]> => {
      const found: number[] = [];
      for (let i = 0; i < times; i++) found.push((await scene.send(path)).status);
      return found;
    };
    assert.deepEqual(await statuses('/ping', 5), [202, 202, 202, 429, 429]);
    assert.equal((await scene.send('/ping')).body, 'fairway: too many requests for route ping (RL)');
    assert.deepEqual(await statuses('/old/x', 2), [302, 429]);
    assert.deepEqual(await statuses('/', 3), [200, 200, 429]);
  });

  it('answers gRPC calls beyond the limit with RESOURCE_EXHAUSTED', async () => {
    await scene.apply([{ name: 'limited', rateLimit: { requests: 1, per: '24h' }, backends: v1 }]);
    // The workload speaks no HTTP/2: the first call gets through to it, and that is all that counts here.
    assert.notEqual((await scene.call())['grpc-status'], '8');
    const refused = await scene.call();
    assert.deepEqual(
      [refused['grpc-status'], refused['grpc-message']],
      ['8', 'fairway: too many requests for route limited (RL)'],
    );
    // Port 80 has a bucket of its own.
    assert.equal((await scene.send('/')).status, 200);
  });

  it('refills the bucket as time goes on', async () => {
    await scene.apply([{ rateLimit: { requests: 1, per: '1s' }, backends: v1 }]);
    await waitFor('an empty bucket', async () => (await scene.send('/')).status === 429);
    await waitFor('a token', async () => (await scene.send('/')).status === 200);
  });
});

describe('what a route gives HTTP filters to do where hosts come on demand', function () {
  this.timeout(60_000);
  let scene: RouteScene;

  before(async function () {
    const started = await startRouteScene('on-demand');
    if (started === undefined) return this.skip();
    scene = started;
  });

  after(async () => {
    await scene?.stop();
  });

  it('is done for each request once, the first one too', async () => {
    await scene.apply([
      {
        name: 'limited',
        rateLimit: { requests: 1, per: '24h', burst: 2 },
        mirrors: [{ version: 'v2' }],
        fault: { delay: { percent: 100, duration: '1ms' } },
        backends: v1,
      },
    ]);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const sent = i === 0 ? { method: 'POST', content: 'the content' } : {};
      statuses.push((await scene.send('/', sent)).status);
    }
    assert.deepEqual(statuses, [200, 200, 429, 429]);
    assert.equal(scene.workload('v1').seen.length, 2);
    await waitFor('the copies', () => scene.workload('v2').seen.length === 2);
  });
});
