import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/logger.ts';
import type { ServiceKey } from '../../src/model/service.ts';
import { RuleSet } from '../../src/rules/traffic-rule/rule-set.ts';
import { rawObject } from '../support/rules.ts';

/** One thing that a source says of one of its objects. */
type Step = { readonly kind: 'remove' } | { readonly kind: 'put'; readonly object: object };

/** What one source says of one object, in its order. */
interface Story {
  readonly source: string;
  readonly id: string;
  readonly steps: readonly Step[];
}

const step = (name: string): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'remove' }) },
    {
      weight: 4,
      arbitrary: fc
        .record({
          service: fc.constantFrom('a', 'b', 'BAD'),
          version: fc.constantFrom('v1', 'v2', ''),
          day: fc.constantFrom(undefined, 1, 2),
        })
        .map(
          ({ service, version, day }): Step => ({
            kind: 'put',
            object: {
              apiVersion: 'fairway.dev/v1alpha1',
              kind: 'TrafficRule',
              metadata: {
                name,
                namespace: 'shop',
                creationTimestamp: day === undefined ? undefined : `2026-01-0${day}T00:00:00Z`,
              },
              spec: { service, routes: [{ backends: [{ version }] }] },
            },
          }),
        ),
    },
  );

const story: fc.Arbitrary<Story> = fc
  .tuple(fc.constantFrom('folder', 'primary'), fc.constantFrom('x', 'y', 'z'))
  .chain(([source, id]) => fc.array(step(id), { minLength: 1, maxLength: 6 }).map((steps) => ({ source, id, steps })));

const stories = fc.uniqueArray(story, { selector: ({ source, id }) => `${source}#${id}`, maxLength: 6 });

/** Plays the stories, each in its own order, mixed as `picks` say; checks after each step that what was told is what changed. */
function play(told: readonly Story[], picks: readonly number[]): RuleSet {
  const set = new RuleSet(silentLogger);
  const hashes = new Map<ServiceKey, string>();
  const seen = new Map<string, unknown>();
  set.onChange(({ services, records }) => {
    for (const key of services) {
      const hash = set.winners.get(key)?.hash;
      if (hash === undefined) hashes.delete(key);
      else hashes.set(key, hash);
    }
    for (const key of records) seen.set(key, set.record(key));
  });
  const left = told.map(({ source, id, steps }) => ({ source: set.source(source), id, steps: [...steps] }));
  for (let i = 0; left.some(({ steps }) => steps.length > 0); i++) {
    const open = left.filter(({ steps }) => steps.length > 0);
    const next = open[(picks[i % picks.length] ?? 0) % open.length];
    const said = next?.steps.shift();
    if (said?.kind === 'put') next?.source.put(rawObject(said.object), next.id);
    else next?.source.remove(next.id);
  }
  const heard = [...hashes].sort();
  assert.deepEqual(heard, [...set.winners].map(([key, rule]) => [key, rule.hash]).sort());
  for (const record of set.records()) assert.equal(seen.get(record.key), record);
  return set;
}

function outcome(set: RuleSet): unknown {
  return {
    winners: [...set.winners].sort(([a], [b]) => (a < b ? -1 : 1)),
    records: set.records().map(({ raw: _raw, lastGoodRaw: _good, ...rest }) => rest),
  };
}

describe('RuleSet, whatever the order in which sources speak', () => {
  it('ends in the same state, and tells its listeners all of it', () => {
    const picks = fc.array(fc.nat(5), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(stories, picks, picks, (told, first, second) => {
        assert.deepEqual(outcome(play(told, first)), outcome(play(told, second)));
      }),
      { numRuns: 300 },
    );
  });

  it('never has two records in force for one service, nor one out of force with nobody before it', () => {
    fc.assert(
      fc.property(stories, fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }), (told, picks) => {
        const set = play(told, picks);
        for (const record of set.records()) {
          if (record.lastGood === undefined) continue;
          const isWinner =
            set.winners.get(record.lastGood.service)?.hash === record.lastGood.hash && record.loss === undefined;
          assert.equal(isWinner, record.loss === undefined);
          const winner = record.loss && set.record(record.loss.by.key);
          if (record.loss !== undefined) assert.notEqual(winner?.lastGood, undefined);
        }
      }),
      { numRuns: 200 },
    );
  });
});
