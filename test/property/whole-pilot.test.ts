/**
 * Whatever becomes of objects of every kind, of clusters and of clients, in whatever order: every scope ends with the bytes that a pilot would give
 * which starts now, and of every object was told what somebody finds who looks at all of them.
 */

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Merging } from '../../src/model/clusterset.ts';
import { viewBytes } from '../support/pilot-sim.ts';
import { anyWholeStep, type WholeStep } from '../support/whole-steps.ts';
import { type Said, WholeWorld } from '../support/whole-world.ts';

const seed = Number(process.env['FC_SEED'] ?? 20_261);
const numRuns = Number(process.env['FC_RUNS'] ?? 40);

function differing(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((name) => one.get(name) !== other.get(name));
}

function apart(one: Said, other: Said): unknown[] {
  const keys = [...new Set([...one.keys(), ...other.keys()])];
  return keys
    .filter((key) => !isDeepStrictEqual(one.get(key), other.get(key)))
    .map((key) => [key, one.get(key), other.get(key)]);
}

describe('a whole pilot, any sequence of events', function () {
  this.timeout(1_200_000);

  async function endsAsACold(merging: Merging, proxyless: boolean, steps: readonly WholeStep[]): Promise<void> {
    const world = new WholeWorld(merging, proxyless);
    for (const name of ['east', 'west']) world.register(name);
    for (const step of steps) await world.apply(step);
    await world.settle();
    const cold = await world.cold();
    const views = cold.views();
    for (const [index, view] of world.views().entries())
      assert.deepEqual(differing(viewBytes(view), viewBytes(views[index] ?? view)), [], `client ${index}`);
    const judged = world.judged();
    for (const key of world.told.keys()) if (!judged.has(key)) world.told.delete(key);
    assert.deepEqual(apart(world.told, judged), [], 'what was told');
    assert.deepEqual(apart(judged, cold.judged()), [], 'what a pilot says that starts now');
    await world.stop();
    await cold.stop();
  }

  for (const merging of ['all', 'exported'] as const) {
    it(`ends where a pilot ends that starts now, where ${merging} services merge`, () =>
      fc.assert(
        fc.asyncProperty(fc.boolean(), fc.array(anyWholeStep, { maxLength: 60, size: 'max' }), (proxyless, steps) =>
          endsAsACold(merging, proxyless, steps),
        ),
        { numRuns, seed },
      ));
  }
});
