import assert from 'node:assert/strict';
import { drawTable, paint, wrapText } from '../../../src/demo/table.ts';
import { checkShares, newTally, type Tally } from '../../../src/demo/traffic.ts';

function tally(places: Readonly<Record<string, number>>): Tally {
  const total = Object.values(places).reduce((sum, count) => sum + count, 0);
  return { ...newTally(), places: new Map(Object.entries(places)), total };
}

describe("the demo's judgement", () => {
  it('takes shares within five standard deviations', () => {
    const checks = checkShares(tally({ 'v1 east': 880, 'v2 west': 120 }), { 'v1 east': 0.9, 'v2 west': 0.1 }, 0);
    assert.deepEqual(
      checks.map(({ place, ok }) => [place, ok]),
      [
        ['v1 east', true],
        ['v2 west', true],
      ],
    );
  });

  it('grants slack to a share, and none to a place where nothing belongs', () => {
    const checks = checkShares(
      tally({ 'v1 east': 450, 'v2 west': 549, 'v3 west': 1 }),
      { 'v1 east': 0.5, 'v2 west': 0.5 },
      0.2,
    );
    assert.deepEqual(
      checks.map(({ ok }) => ok),
      [true, true, false],
    );
  });

  it('refuses a share that is further off, and any request where none belongs', () => {
    assert.equal(
      checkShares(tally({ 'v1 east': 800, 'v2 west': 200 }), { 'v1 east': 0.9, 'v2 west': 0.1 }, 0)[0]?.ok,
      false,
    );
    assert.deepEqual(
      checkShares(tally({ 'v2 west': 999, 'v3 west': 1 }), { 'v2 west': 1 }, 0).map(({ ok }) => ok),
      [false, false],
    );
  });
});

describe("the demo's table", () => {
  for (const columns of [60, 160]) {
    it(`fits ${columns} columns`, () => {
      const lines = drawTable(['v1 east'], tally({ 'v1 east': 9, 'v2 west': 1 }), newTally(), columns, paint(false));
      assert.deepEqual(
        lines.filter((line) => line.length > columns),
        [],
      );
      assert.equal(lines.length, 3);
    });
  }

  it('breaks text between words', () => {
    assert.deepEqual(wrapText('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrapText('unbreakable', 4), ['unbreakable']);
  });
});
