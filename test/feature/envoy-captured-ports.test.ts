/**
 * Captured mode with a real Envoy and real iptables, in a network namespace of its own (captured-ports-scene.ts): requests mean the service that
 * their Host names, whatever port stands behind it.
 */

import assert from 'node:assert/strict';
import type { Said } from './captured-network.ts';
import { captures, runCaptured } from './scene-run.ts';

type Observations = Readonly<
  Record<'byName' | 'byAddress' | 'atOnce' | 'byHttp2' | 'byPod' | 'unknown' | 'refused' | 'still', readonly Said[]>
> & { readonly comesAndGoes: readonly number[]; readonly held: readonly string[] };

const texts = (said: readonly Said[]): ReadonlySet<string> =>
  new Set(said.map(({ status, text }) => `${status} ${text}`));

for (const routes of ['tables', 'vhds', 'on-demand'] as const)
  describe(`a Host that names another port, with routes as ${routes}`, function () {
    this.timeout(90_000);
    let all: Observations;

    before(async function () {
      const file = import.meta.resolve('./captured-ports-scene.ts');
      const observed = await runCaptured<Observations>(file, [routes], [captures.ipv4, captures.ipv6]);
      if (observed === undefined) return this.skip();
      all = observed;
    });

    it('means the service of that name, in any case, with a dot at its end, and by its addresses', () => {
      assert.deepEqual([...texts(all.byName)], ['200 v1']);
      assert.deepEqual([...texts(all.byAddress)], ['200 v1']);
      assert.deepEqual([...texts(all.still)], ['200 v1']);
    });

    it('means it from the first request on, though many ask for it at a time by many ports', () => {
      assert.deepEqual([...texts(all.atOnce)], ['200 v2']);
    });

    it('means it over HTTP/2 and gRPC', () => {
      assert.deepEqual([...texts(all.byHttp2)], ['200 h2']);
    });

    it('means a workload of a headless service', () => {
      assert.deepEqual([...texts(all.byPod)], ['200 pod']);
    });

    it('means what the mesh does not know, which is passed on, or refused where the mesh says so', () => {
      assert.deepEqual([...texts(all.unknown)], ['200 outside']);
      assert.deepEqual(new Set(all.refused.map(({ status }) => status)), new Set([502]));
    });

    it('means a service that comes, goes, and comes again', () => {
      assert.deepEqual(all.comesAndGoes, [200, 502, 200, 502]);
    });

    it('is held as one virtual host, whatever ports were named', () => {
      const port = all.held.filter((name) => /:\d+$/.test(name));
      assert.deepEqual(port, []);
      assert.equal(all.held.filter((name) => name.includes('reviews')).length, 1, all.held.join(' '));
      assert.equal(new Set(all.held).size, all.held.length);
    });
  });
