/** How a real Envoy spreads requests over a service's endpoints by a rule's balancing, and keeps together what belongs together. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { pause, waitFor } from '../rig/wait.ts';
import type { PolicyEndpoint } from './policy-rig.ts';
import { policyScene, shareOf } from './policy-scene.ts';

describe("a real Envoy under a rule's balancing", function () {
  this.timeout(90_000);
  const scene = policyScene();
  let a: PolicyEndpoint | undefined;

  beforeEach(() => {
    [a] = scene.all;
  });

  describe('balances', () => {
    it('in turn', async () => {
      await scene.rig.apply({ loadBalancing: { policy: 'roundRobin' } }, scene.first(3));
      const counts = await scene.rig.count(90);
      for (const { name } of scene.first(3))
        assert.ok(Math.abs(shareOf(counts, name) - 30) <= 1, `${name}: ${[...counts]}`);
    });

    it('at random', async () => {
      await scene.rig.apply({ loadBalancing: { policy: 'random' } }, scene.first(3));
      const counts = await scene.rig.count(450);
      // 150 expected, standard deviation 10: six of those.
      for (const { name } of scene.first(3))
        assert.ok(Math.abs(shareOf(counts, name) - 150) < 60, `${name}: ${[...counts]}`);
    });

    it('to the one with the fewest requests in flight', async () => {
      const spec = { loadBalancing: { policy: 'leastRequest', choices: 20 } };
      await scene.rig.apply(spec, scene.first(1));
      const release = scene.rig.hold(5);
      await waitFor('requests in flight', () => a?.requests === 5);
      await scene.rig.apply(spec, scene.first(3));
      const counts = await scene.rig.count(60);
      release();
      assert.equal(shareOf(counts, 'a'), 0, `${[...counts]}`);
      assert.equal(shareOf(counts, 'b') + shareOf(counts, 'c'), 60);
    });

    it('slowly to an endpoint that is new', async () => {
      const spec = { loadBalancing: { policy: 'roundRobin', slowStart: '4s' } };
      await scene.rig.apply(spec, scene.first(2));
      // Both are to be old when the third comes.
      await pause(4500);
      await scene.rig.apply(spec, scene.first(3));
      const counts = await scene.rig.count(60);
      assert.ok(shareOf(counts, 'c') < 14, `new: ${shareOf(counts, 'c')} of 60, 20 would be its full share`);
      await waitFor('the full share', async () => shareOf(await scene.rig.count(30), 'c') >= 9, { timeoutMs: 40_000 });
    });
  });

  describe('keeps together', () => {
    const keys = Array.from({ length: 120 }, (_, i) => `key-${i}`);

    for (const policy of ['ringHash', 'maglev'] as const) {
      it(`what has a header in common while endpoints come and go, by ${policy}`, async () => {
        const spec = { loadBalancing: { policy }, affinity: { header: 'X-User' } };
        const byHeader = (key: string): object => ({ headers: { 'x-user': key } });
        await scene.rig.apply(spec, scene.all);
        const before = await scene.whoTakes(keys, byHeader);
        assert.deepEqual(await scene.whoTakes(keys, byHeader), before);
        assert.equal(new Set(before.values()).size, 4);

        await scene.rig.apply(spec, scene.first(3));
        const without = await scene.whoTakes(keys, byHeader);
        const moved = keys.filter((key) => before.get(key) !== without.get(key));
        const lost = keys.filter((key) => before.get(key) === 'd');
        for (const key of lost) assert.ok(moved.includes(key));
        // A quarter was at the endpoint that went; spread anew, three quarters would have moved.
        assert.ok(moved.length < keys.length * 0.55, `${moved.length} of ${keys.length} moved, ${lost.length} had to`);

        await scene.rig.apply(spec, scene.all);
        assert.deepEqual(await scene.whoTakes(keys, byHeader), before);
      });
    }

    it('what is bound to a dead endpoint with another, and fails no request', async () => {
      await scene.all[3]?.close();
      await scene.rig.apply({ affinity: { header: 'x-user' } }, scene.all);
      const taken = await scene.whoTakes(keys, (key) => ({ headers: { 'x-user': key } }));
      assert.deepEqual([...new Set(taken.values())].sort(), ['a', 'b', 'c']);
    });

    it('what has a query parameter in common', async () => {
      await scene.rig.apply({ affinity: { queryParam: 'user' } }, scene.all);
      const ask = (key: string): object => ({ path: `/?other=${Math.random()}&user=${key}` });
      const taken = await scene.whoTakes(keys, ask);
      assert.deepEqual(await scene.whoTakes(keys, ask), taken);
      assert.equal(new Set(taken.values()).size, 4);
    });

    it('by a cookie, which it gives to a client without one', async () => {
      await scene.rig.apply({ affinity: { cookie: { name: 'session', path: '/cart', ttl: '1h' } } }, scene.all);
      const seen = new Set<string>();
      for (let client = 0; client < 20; client++) {
        const answer = await scene.rig.ask();
        const [given = ''] = answer.headers['set-cookie'] ?? [];
        assert.match(given, /^session="?[^;]+"?; Max-Age=3600; Path=\/cart; HttpOnly$/);
        const cookie = given.split(';')[0] ?? '';
        seen.add(answer.said.name);
        const again = await scene.rig.ask({ headers: { cookie } });
        assert.equal(again.said.name, answer.said.name);
        assert.equal(again.headers['set-cookie'], undefined);
      }
      assert.ok(seen.size > 1);
    });

    it('with one of several backends, which take their shares of what belongs together', async () => {
      const placed = scene.all.map(({ port, name }, i) => ({ port, name, cluster: i < 2 ? 'east' : 'west' }));
      const routes = [
        {
          backends: [
            { cluster: 'east', weight: 3 },
            { cluster: 'west', weight: 1 },
          ],
        },
      ];
      const byHeader = (key: string): object => ({ headers: { 'x-user': key } });
      await scene.rig.apply({ routes, affinity: { header: 'X-User' } }, placed);
      const taken = await scene.whoTakes(keys, byHeader);
      for (let again = 0; again < 3; again++) assert.deepEqual(await scene.whoTakes(keys, byHeader), taken);
      assert.deepEqual([...new Set(taken.values())].sort(), ['a', 'b', 'c', 'd']);
      const inWest = [...taken.values()].filter((name) => name === 'c' || name === 'd').length;
      // Always the same, for keys and hash are; a quarter of 120 is 30.
      assert.ok(inWest > 15 && inWest < 45, `${inWest} of ${keys.length} keys in west`);

      await scene.rig.apply({ routes, affinity: { cookie: { name: 'session' } } }, placed);
      const seen = new Set<string>();
      for (let client = 0; client < 20; client++) {
        const [given = ''] = (await scene.rig.ask()).headers['set-cookie'] ?? [];
        const cookie = given.split(';')[0] ?? '';
        const names = await Promise.all(
          Array.from({ length: 5 }, async () => (await scene.rig.ask({ headers: { cookie } })).said.name),
        );
        assert.equal(new Set(names).size, 1, names.join());
        seen.add(names[0] ?? '');
      }
      assert.ok(seen.size > 2, [...seen].join());
    });

    it('what comes from one address, requests and tunnelled connections', async () => {
      await scene.rig.apply({ affinity: { sourceIP: true } }, scene.all);
      const addresses = Array.from({ length: 40 }, (_, i) => `127.0.1.${i + 1}`);
      const ask = (from: string): object => ({ from });
      const taken = await scene.whoTakes(addresses, ask);
      assert.deepEqual(await scene.whoTakes(addresses, ask), taken);
      assert.ok(new Set(taken.values()).size > 1);
      const tunnelled = new Map<string, string>();
      for (const from of addresses.slice(0, 10))
        tunnelled.set(from, await askThroughTunnel(scene.rig.envoy.proxyPort, from));
      for (const [from, name] of tunnelled) assert.equal(name, taken.get(from));
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
