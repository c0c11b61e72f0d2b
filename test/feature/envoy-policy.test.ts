/** How a real Envoy treats a service's endpoints under a rule's policy: balancing, affinity, limits, and leaving out what is bad. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { pause, waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type PolicyEndpoint, type PolicyRig, startPolicyEndpoint, startPolicyRig } from './policy-rig.ts';

describe("a real Envoy under a rule's policy", function () {
  this.timeout(90_000);
  let rig: PolicyRig;
  let all: readonly PolicyEndpoint[] = [];
  let [a, b, c]: PolicyEndpoint[] = [];

  before(async function () {
    const started = await startPolicyRig();
    if (started === undefined) return skip(this, noEnvoy);
    rig = started;
  });

  after(() => rig?.envoy.stop());

  beforeEach(async () => {
    all = await Promise.all(['a', 'b', 'c', 'd'].map((name) => startPolicyEndpoint(name)));
    [a, b, c] = all as PolicyEndpoint[];
  });

  afterEach(() => Promise.all(all.map((endpoint) => endpoint.close())));

  const first = (count: number): readonly PolicyEndpoint[] => all.slice(0, count);
  const shareOf = (counts: ReadonlyMap<string, number>, name: string): number => counts.get(name) ?? 0;

  /** Which endpoint answers each of these. */
  async function whoTakes(keys: readonly string[], askOf: (key: string) => object): Promise<Map<string, string>> {
    const taken = new Map<string, string>();
    for (const key of keys) taken.set(key, (await rig.ask(askOf(key))).said.name);
    return taken;
  }

  /** Waits until these alone are held for unhealthy, and requests pass them by; says who answers instead. */
  function whoAnswersBut(unhealthy: readonly PolicyEndpoint[]): Promise<readonly string[]> {
    const ports = unhealthy.map(({ port }) => port).sort((x, y) => x - y);
    const held = async (): Promise<boolean> => JSON.stringify(await rig.unhealthy()) === JSON.stringify(ports);
    return waitFor('requests to pass by what is bad', async () => {
      if (!(await held())) return undefined;
      const taken = unhealthy.map(({ requests }) => requests);
      const counts = await rig.count(30);
      const passed = unhealthy.every(({ requests }, i) => requests === taken[i]);
      return passed && (await held()) ? [...counts.keys()].sort() : undefined;
    });
  }

  describe('balances', () => {
    it('in turn', async () => {
      await rig.apply({ loadBalancing: { policy: 'roundRobin' } }, first(3));
      const counts = await rig.count(90);
      for (const { name } of first(3)) assert.ok(Math.abs(shareOf(counts, name) - 30) <= 1, `${name}: ${[...counts]}`);
    });

    it('at random', async () => {
      await rig.apply({ loadBalancing: { policy: 'random' } }, first(3));
      const counts = await rig.count(450);
      // 150 expected, standard deviation 10: six of those.
      for (const { name } of first(3)) assert.ok(Math.abs(shareOf(counts, name) - 150) < 60, `${name}: ${[...counts]}`);
    });

    it('to the one with the fewest requests in flight', async () => {
      const spec = { loadBalancing: { policy: 'leastRequest', choices: 20 } };
      await rig.apply(spec, first(1));
      const release = rig.hold(5);
      await waitFor('requests in flight', () => a?.requests === 5);
      await rig.apply(spec, first(3));
      const counts = await rig.count(60);
      release();
      assert.equal(shareOf(counts, 'a'), 0, `${[...counts]}`);
      assert.equal(shareOf(counts, 'b') + shareOf(counts, 'c'), 60);
    });

    it('slowly to an endpoint that is new', async () => {
      const spec = { loadBalancing: { policy: 'roundRobin', slowStart: '8s' } };
      await rig.apply(spec, first(2));
      // Both are to be old when the third comes.
      await pause(8500);
      await rig.apply(spec, first(3));
      const counts = await rig.count(60);
      assert.ok(shareOf(counts, 'c') < 14, `new: ${shareOf(counts, 'c')} of 60, 20 would be its full share`);
      await waitFor('the full share', async () => shareOf(await rig.count(30), 'c') >= 9, { timeoutMs: 40_000 });
    });
  });

  describe('keeps together', () => {
    const keys = Array.from({ length: 120 }, (_, i) => `key-${i}`);

    for (const policy of ['ringHash', 'maglev'] as const) {
      it(`what has a header in common while endpoints come and go, by ${policy}`, async () => {
        const spec = { loadBalancing: { policy }, affinity: { header: 'X-User' } };
        const byHeader = (key: string): object => ({ headers: { 'x-user': key } });
        await rig.apply(spec, all);
        const before = await whoTakes(keys, byHeader);
        assert.deepEqual(await whoTakes(keys, byHeader), before);
        assert.equal(new Set(before.values()).size, 4);

        await rig.apply(spec, first(3));
        const without = await whoTakes(keys, byHeader);
        const moved = keys.filter((key) => before.get(key) !== without.get(key));
        const lost = keys.filter((key) => before.get(key) === 'd');
        for (const key of lost) assert.ok(moved.includes(key));
        // A quarter was at the endpoint that went; spread anew, three quarters would have moved.
        assert.ok(moved.length < keys.length * 0.55, `${moved.length} of ${keys.length} moved, ${lost.length} had to`);

        await rig.apply(spec, all);
        assert.deepEqual(await whoTakes(keys, byHeader), before);
      });
    }

    it('what is bound to a dead endpoint with another, and fails no request', async () => {
      await all[3]?.close();
      await rig.apply({ affinity: { header: 'x-user' } }, all);
      const taken = await whoTakes(keys, (key) => ({ headers: { 'x-user': key } }));
      assert.deepEqual([...new Set(taken.values())].sort(), ['a', 'b', 'c']);
    });

    it('what has a query parameter in common', async () => {
      await rig.apply({ affinity: { queryParam: 'user' } }, all);
      const ask = (key: string): object => ({ path: `/?other=${Math.random()}&user=${key}` });
      const taken = await whoTakes(keys, ask);
      assert.deepEqual(await whoTakes(keys, ask), taken);
      assert.equal(new Set(taken.values()).size, 4);
    });

    it('by a cookie, which it gives to a client without one', async () => {
      await rig.apply({ affinity: { cookie: { name: 'session', path: '/cart', ttl: '1h' } } }, all);
      const seen = new Set<string>();
      for (let client = 0; client < 20; client++) {
        const answer = await rig.ask();
        const [given = ''] = answer.headers['set-cookie'] ?? [];
        assert.match(given, /^session="?[^;]+"?; Max-Age=3600; Path=\/cart; HttpOnly$/);
        const cookie = given.split(';')[0] ?? '';
        seen.add(answer.said.name);
        const again = await rig.ask({ headers: { cookie } });
        assert.equal(again.said.name, answer.said.name);
        assert.equal(again.headers['set-cookie'], undefined);
      }
      assert.ok(seen.size > 1);
    });

    it('with one of several backends, which take their shares of what belongs together', async () => {
      const placed = all.map(({ port, name }, i) => ({ port, name, cluster: i < 2 ? 'east' : 'west' }));
      const routes = [
        {
          backends: [
            { cluster: 'east', weight: 3 },
            { cluster: 'west', weight: 1 },
          ],
        },
      ];
      const byHeader = (key: string): object => ({ headers: { 'x-user': key } });
      await rig.apply({ routes, affinity: { header: 'X-User' } }, placed);
      const taken = await whoTakes(keys, byHeader);
      for (let again = 0; again < 3; again++) assert.deepEqual(await whoTakes(keys, byHeader), taken);
      assert.deepEqual([...new Set(taken.values())].sort(), ['a', 'b', 'c', 'd']);
      const inWest = [...taken.values()].filter((name) => name === 'c' || name === 'd').length;
      // Always the same, for keys and hash are; a quarter of 120 is 30.
      assert.ok(inWest > 15 && inWest < 45, `${inWest} of ${keys.length} keys in west`);

      await rig.apply({ routes, affinity: { cookie: { name: 'session' } } }, placed);
      const seen = new Set<string>();
      for (let client = 0; client < 20; client++) {
        const [given = ''] = (await rig.ask()).headers['set-cookie'] ?? [];
        const cookie = given.split(';')[0] ?? '';
        const names = await Promise.all(
          Array.from({ length: 5 }, async () => (await rig.ask({ headers: { cookie } })).said.name),
        );
        assert.equal(new Set(names).size, 1, names.join());
        seen.add(names[0] ?? '');
      }
      assert.ok(seen.size > 2, [...seen].join());
    });

    it('what comes from one address, requests and tunnelled connections', async () => {
      await rig.apply({ affinity: { sourceIP: true } }, all);
      const addresses = Array.from({ length: 40 }, (_, i) => `127.0.1.${i + 1}`);
      const ask = (from: string): object => ({ from });
      const taken = await whoTakes(addresses, ask);
      assert.deepEqual(await whoTakes(addresses, ask), taken);
      assert.ok(new Set(taken.values()).size > 1);
      const tunnelled = new Map<string, string>();
      for (const from of addresses.slice(0, 10)) tunnelled.set(from, await askThroughTunnel(rig.envoy.proxyPort, from));
      for (const [from, name] of tunnelled) assert.equal(name, taken.get(from));
    });
  });

  describe('limits', () => {
    it('requests in flight: 503 above that, counted', async () => {
      await rig.apply({ connections: { maxRequests: 2 } }, first(1));
      const before = await rig.stat('upstream_rq_active_overflow');
      const release = rig.hold(2);
      await waitFor('requests in flight', () => a?.requests === 2);
      const { status, headers } = await rig.ask();
      release();
      assert.equal(status, 503);
      assert.equal(headers['x-envoy-overloaded'], 'true');
      assert.ok((await rig.stat('upstream_rq_active_overflow')) > before);
      await waitFor('room again', async () => (await rig.ask()).status === 200);
    });

    it('connections, and the requests that wait for one', async () => {
      await rig.apply({ connections: { max: 1, maxPending: 1 } }, first(1));
      const before = await rig.stat('upstream_rq_pending_overflow');
      // Until there is a connection, the first one waits too.
      const releaseFirst = rig.hold(1);
      await waitFor('one to be sent', () => a?.requests === 1);
      const releaseSecond = rig.hold(1);
      await waitFor('one to wait', async () => (await rig.stat('upstream_rq_pending_active')) === 1);
      assert.equal((await rig.ask()).status, 503);
      assert.equal(a?.openConnections, 1);
      assert.ok((await rig.stat('upstream_rq_pending_overflow')) > before);
      releaseFirst();
      releaseSecond();
      await waitFor('room again', async () => (await rig.ask()).status === 200);
    });

    it('requests per connection', async () => {
      await rig.apply({ connections: { maxRequestsPerConnection: 3 } }, first(1));
      await rig.count(9);
      assert.deepEqual(a?.perConnection, [3, 3, 3]);
    });

    it('how long a connection may be idle', async () => {
      await rig.apply({ connections: { idleTimeout: '100ms' } }, first(1));
      assert.equal((await rig.ask()).status, 200);
      await waitFor('the connection to be closed', () => a?.openConnections === 0);
    });

    it('how old a connection may be', async () => {
      await rig.apply({ connections: { maxAge: '200ms' } }, first(1));
      await waitFor('another connection', async () => {
        assert.equal((await rig.ask()).status, 200);
        return (a?.perConnection.length ?? 0) >= 3;
      });
    });

    it('retries, by number and by budget', async () => {
      const routes = [{ backends: [{}], retry: { attempts: 3, on: ['503'] } }];
      for (const [connections, tries] of [
        [{}, 4],
        [{ maxRetries: 0 }, 1],
        [{ retryBudget: { percent: 0, minConcurrency: 0 } }, 1],
        [{ retryBudget: { percent: 0, minConcurrency: 1 } }, 4],
      ] as const) {
        await rig.apply({ routes, connections, outlierDetection: { consecutiveErrors: 0 } }, first(1));
        if (a !== undefined) a.status = 503;
        const before = { taken: a?.requests ?? 0, overflow: await rig.stat('upstream_rq_retry_overflow') };
        assert.equal((await rig.ask()).status, 503);
        assert.equal((a?.requests ?? 0) - before.taken, tries, JSON.stringify(connections));
        assert.equal((await rig.stat('upstream_rq_retry_overflow')) - before.overflow, tries === 1 ? 1 : 0);
      }
    });

    it('silence on a connection, with probes', async () => {
      await rig.apply(undefined, first(1));
      assert.equal((await rig.ask()).status, 200);
      assert.deepEqual(timersTo(a?.port ?? 0), [noTimer]);
      await rig.apply({ connections: { keepalive: { idle: '30s' } } }, first(2));
      await waitFor('both to be asked', async () => (await rig.count(4)).size === 2);
      assert.deepEqual(timersTo(b?.port ?? 0), [keepaliveTimer]);
    });
  });

  describe('leaves out', () => {
    const noRetry = [{ backends: [{}], retry: { attempts: 0 } }];

    it('an endpoint that answers with errors, for a while', async () => {
      const outlierDetection = { consecutiveErrors: 3, interval: '100ms', baseEjection: '4s' };
      await rig.apply({ routes: noRetry, outlierDetection }, first(3));
      if (b !== undefined) b.status = 500;
      await waitFor('it to be left out', async () => {
        await rig.count(5);
        return (await rig.unhealthy()).length === 1;
      });
      assert.deepEqual(await whoAnswersBut([b as PolicyEndpoint]), ['a', 'c']);
      if (b !== undefined) b.status = 200;
      await waitFor('it to return', async () => shareOf(await rig.count(10), 'b') > 0);
    });

    it('an endpoint that answers 502, 503 or 504, where only these count', async () => {
      const outlierDetection = {
        consecutiveErrors: 0,
        consecutiveGatewayErrors: 3,
        baseEjection: '1h',
        maxEjection: '1h',
      };
      await rig.apply({ routes: noRetry, outlierDetection }, first(3));
      if (b !== undefined) b.status = 500;
      await rig.count(60);
      assert.deepEqual(await rig.unhealthy(), []);
      if (b !== undefined) b.status = 502;
      await waitFor('it to be left out', async () => {
        await rig.count(5);
        return (await rig.unhealthy()).length === 1;
      });
      assert.deepEqual(await whoAnswersBut([b as PolicyEndpoint]), ['a', 'c']);
    });

    it('by itself an endpoint that takes no connections, and none for what it answers', async () => {
      if (c !== undefined) c.status = 503;
      await b?.close();
      await rig.apply({ routes: noRetry, loadBalancing: { policy: 'roundRobin' } }, first(3));
      const before = await rig.stat('ejections_enforced_consecutive_local_origin_failure');
      await waitFor('it to be left out', async () => {
        await rig.count(3);
        return (await rig.unhealthy()).includes(b?.port ?? 0);
      });
      assert.ok((await rig.stat('ejections_enforced_consecutive_local_origin_failure')) > before);
      const taken = c?.requests ?? 0;
      await rig.count(9);
      assert.ok((c?.requests ?? 0) > taken, 'what answers 503 is asked on');
      await b?.open();
      await waitFor('it to return', async () => shareOf(await rig.count(6), 'b') > 0, { timeoutMs: 40_000 });
    });

    it('not all: where every endpoint is bad all are tried, unless the rule says never', async () => {
      const outlierDetection = { consecutiveErrors: 2, baseEjection: '1h', maxEjection: '1h' };
      for (const [panicThreshold, status] of [
        [undefined, 200],
        [0, 503],
      ] as const) {
        const loadBalancing = panicThreshold === undefined ? {} : { panicThreshold };
        await rig.apply({ routes: noRetry, outlierDetection, loadBalancing }, first(2));
        await waitFor('all to be healthy', async () => (await rig.unhealthy()).length === 0);
        for (const endpoint of first(2)) endpoint.status = 500;
        await waitFor('both to be left out', async () => {
          await rig.count(4);
          return (await rig.unhealthy()).length === 2;
        });
        for (const endpoint of first(2)) endpoint.status = 200;
        await waitFor(`every answer to be ${status}`, async () => {
          const panics = await rig.stat('lb_healthy_panic');
          const counts = await rig.count(5);
          if (status === 503) return counts.get('503') === 5;
          return !counts.has('503') && (await rig.stat('lb_healthy_panic')) > panics;
        });
      }
    });

    it('no more than the rule allows', async () => {
      const outlierDetection = { consecutiveErrors: 1, baseEjection: '1h', maxEjection: '1h', maxEjectedPercent: 50 };
      await rig.apply({ routes: noRetry, outlierDetection }, all);
      for (const endpoint of all) endpoint.status = 500;
      await waitFor('some to be left out', async () => {
        await rig.count(10);
        return (await rig.unhealthy()).length > 0;
      });
      await rig.count(60);
      assert.equal((await rig.unhealthy()).length, 2);
    });

    for (const [kind, check] of [
      ['http', { http: { path: '/healthz' } }],
      ['grpc', { grpc: {} }],
    ] as const) {
      it(`what a health check over ${kind} finds bad, and takes it back`, async () => {
        const asked =
          kind === 'http'
            ? first(3)
            : await Promise.all(['a', 'b', 'c'].map((name) => startPolicyEndpoint(name, 'h2c')));
        const bad = asked[1] as PolicyEndpoint;
        try {
          const healthCheck = { ...check, interval: '100ms', timeout: '10s', unhealthyThreshold: 2 };
          await rig.apply({ healthCheck }, asked, kind === 'http' ? 'http' : 'grpc');
          await waitFor('all to be healthy', async () => (await rig.unhealthy()).length === 0);
          await waitFor('all to be asked', async () => (await rig.count(6)).size === 3);
          bad.health = 503;
          assert.deepEqual(await whoAnswersBut([bad]), ['a', 'c']);
          bad.health = 200;
          await waitFor('it to return', async () => shareOf(await rig.count(6), 'b') > 0);
        } finally {
          if (kind === 'grpc') await Promise.all(asked.map((endpoint) => endpoint.close()));
        }
      });
    }

    it('what a health check at another port finds bad, and one that asks for a connection alone', async () => {
      const other = await startPolicyEndpoint('health');
      try {
        const often = { interval: '100ms', timeout: '10s', unhealthyThreshold: 1 };
        await rig.apply({ healthCheck: { http: { path: '/healthz' }, port: other.port, ...often } }, first(2));
        assert.equal((await rig.count(10)).size, 2);
        other.health = 500;
        await waitFor('all to be unhealthy', async () => (await rig.unhealthy()).length === 2);
      } finally {
        await other.close();
      }
      await rig.apply({ healthCheck: { tcp: {}, interval: '100ms', timeout: '10s', unhealthyThreshold: 1 } }, first(2));
      await waitFor('all to be healthy', async () => (await rig.unhealthy()).length === 0);
      assert.equal((await rig.ask()).status, 200);
      await a?.close();
      assert.deepEqual(await whoAnswersBut([a as PolicyEndpoint]), ['b']);
    });

    it('nothing, while too few are healthy by the threshold of the rule', async () => {
      const healthCheck = { http: { path: '/healthz' }, interval: '100ms', timeout: '10s', unhealthyThreshold: 1 };
      for (const endpoint of first(2)) endpoint.health = 503;
      await rig.apply({ healthCheck }, all);
      assert.deepEqual(await whoAnswersBut(first(2)), ['c', 'd']);
      await rig.apply({ healthCheck, loadBalancing: { panicThreshold: 60 } }, all);
      await waitFor('all to be asked', async () => (await rig.count(40)).size === 4);
      assert.equal((await rig.unhealthy()).length, 2);
    });
  });
});

/** By a tunnel to the service's port from this address; who answers. */
function askThroughTunnel(proxyPort: number, from: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const socket = connect({ port: proxyPort, host: '127.0.0.1', localAddress: from }, () =>
      socket.write('CONNECT reviews:80 HTTP/1.1\r\nHost: reviews:80\r\n\r\n'),
    );
    socket.on('data', (chunk: Buffer) => {
      const opened = seen.includes('\r\n\r\n');
      seen += chunk.toString('latin1');
      if (!opened && seen.includes('\r\n\r\n'))
        socket.write('GET / HTTP/1.1\r\nHost: reviews\r\nConnection: close\r\n\r\n');
      if (seen.includes('"name"')) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(/"name":"(\w+)"/.exec(seen)?.[1] ?? seen));
  });
}

const noTimer = '00';
const keepaliveTimer = '02';

/** The kernel's timers on connections to this port of loopback: https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt */
function timersTo(port: number): readonly string[] {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const established = '01';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , to, state]) => to === remote && state === established)
    .map((fields) => fields[5]?.split(':')[0] ?? '');
}
