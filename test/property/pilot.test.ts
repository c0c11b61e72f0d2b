/**
 * Whatever clusters and people say, in whatever order, batched anyhow: every scope ends with the bytes that a pilot would give which starts
 * now, every proxy ends with what its scope holds, and one that refuses some forms ends without them and with all else.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { typeUrl } from '../../src/core/type-urls.ts';
import { proxyTypes, type Refuses, type SimProxy, viewBytes } from '../support/pilot-sim.ts';
import { anyStep, type Step } from '../support/pilot-steps.ts';
import { nodes, World } from '../support/pilot-world.ts';

const seed = 20_260;
const takesAll: Refuses = () => false;
const needle = Buffer.from('|bad');
/** Refuses what leads to a version whose name begins with `bad`. */
const refusesBad =
  (types: readonly string[]): Refuses =>
  (url, resources) =>
    types.includes(url) && resources.some(({ body }) => body.includes(needle));
const anyTypes = fc.subarray([typeUrl.cluster, typeUrl.listener, typeUrl.route], { minLength: 1 });

describe('the pilot, any sequence of events', function () {
  this.timeout(120_000);

  function endsAsACold(steps: fc.Arbitrary<Step[]>, prepare: (world: World) => void): void {
    fc.assert(
      fc.property(steps, (steps) => {
        const world = new World(true);
        for (const name of ['east', 'west']) world.register(name);
        prepare(world);
        for (const step of steps) world.apply(step, takesAll);
        world.settle(takesAll);
        const cold = world.cold();
        for (const [i, proxy] of world.proxies.entries()) {
          assert.deepEqual(viewBytes(proxy.view), viewBytes((cold.proxies[i] as SimProxy).view));
          for (const url of proxyTypes) {
            const wanted = new Map([...proxy.view.resources(url)].map(([name, { version }]) => [name, version]));
            const held = new Map(proxy.held.get(url));
            // SotW has no word for an assignment or a route that is gone.
            if (nodes[i]?.[2] === 'sotw' && url !== typeUrl.cluster && url !== typeUrl.listener) {
              for (const name of held.keys()) if (!wanted.has(name)) held.delete(name);
            }
            assert.deepEqual([...held].sort(), [...wanted].sort(), url);
          }
        }
        world.sim.stop();
        cold.sim.stop();
      }),
      { numRuns: 400, seed },
    );
  }

  it('ends where a pilot ends that starts now, and so does every proxy', () =>
    endsAsACold(fc.array(anyStep, { maxLength: 40 }), () => {}));

  it('does so with rules that members hold of their own', () => {
    const often = anyStep.filter(({ do: what }) => what !== 'unregister');
    endsAsACold(fc.array(often, { minLength: 10, maxLength: 40 }), (world) => {
      world.haveMembers();
    });
  });

  it('ends without what a proxy refuses, and with everything else', () => {
    fc.assert(
      fc.property(anyTypes, fc.array(anyStep, { maxLength: 40 }), (types, steps) => {
        const world = new World(true);
        const refuses = refusesBad(types);
        for (const name of ['east', 'west']) world.register(name);
        world.haveMembers();
        for (const step of steps) world.apply(step, refuses);
        world.settle(refuses);
        for (const proxy of world.proxies) {
          const rules = [...world.rules.winners.values()];
          const bad = rules.filter(({ routes }) =>
            routes.some(({ backends }) => backends.some(({ chain }) => chain[0]?.version === 'bad')),
          );
          const { rejected } = (proxy.view as { scope?: { rejected: readonly string[] } }).scope ?? { rejected: [] };
          for (const url of types) {
            const wanted = new Map([...proxy.view.resources(url)].map(([name, { version }]) => [name, version]));
            for (const [name, version] of wanted) assert.equal(proxy.held.get(url)?.get(name), version, name);
            assert.ok(
              ![...proxy.view.resources(url).values()].some(({ body }) => body.includes(needle)),
              'a refused form is given again',
            );
          }
          // Good rules are in force, and nothing of them counts as rejected.
          for (const rule of rules) {
            if (bad.includes(rule)) continue;
            assert.ok(
              !rejected.includes(`shop/${rule.ref.name}@${rule.hash}`),
              `the good rule ${rule.ref.name} is set aside`,
            );
          }
        }
        world.sim.stop();
      }),
      { numRuns: 400, seed },
    );
  });
});
