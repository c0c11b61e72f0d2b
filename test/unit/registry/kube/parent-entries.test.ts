import assert from 'node:assert/strict';
import fc from 'fast-check';
import { gatewayControllerName } from '../../../../src/model/parent-status.ts';
import { maxParents, parentEntries } from '../../../../src/registry/kube/parent-entries.ts';

const early = '2026-01-01T00:00:00Z';
const late = '2026-02-02T00:00:00Z';

function entry(name: string, controllerName: string, status = 'True', lastTransitionTime = early): object {
  return { parentRef: { name }, controllerName, conditions: [{ type: 'Accepted', status, lastTransitionTime }] };
}
const ours = (name: string, status?: string, time?: string): object => entry(name, gatewayControllerName, status, time);
const theirs = (name: string): object => entry(name, 'example.com/other');

function written(wanted: readonly unknown[], held: unknown): readonly unknown[] | undefined {
  return parentEntries({ parents: wanted }, held)?.status.parents;
}

describe('entries in status.parents', () => {
  it('are added to a status that has none, or is none', () => {
    for (const held of [undefined, null, {}, { parents: null }, { parents: [] }, 'nonsense'])
      assert.deepEqual(written([ours('a')], held), [ours('a')]);
  });

  it('are not written where they are there, whenever they were judged', () => {
    const held = { parents: [theirs('a'), ours('a'), ours('b', 'False')] };
    assert.equal(written([ours('a', 'True', late), ours('b', 'False', late)], held), undefined);
    assert.equal(written([ours('b', 'False', late), ours('a', 'True', late)], held), undefined);
    assert.equal(written([], { parents: [theirs('a')] }), undefined);
    assert.equal(written([], undefined), undefined);
  });

  it('are replaced in their place, and the time moves with the status alone', () => {
    const held = { parents: [ours('a'), theirs('x'), ours('b')] };
    assert.deepEqual(written([ours('a', 'False', late), ours('b', 'True', late)], held), [
      ours('a', 'False', late),
      theirs('x'),
      ours('b'),
    ]);
  });

  it('go when they are not wanted, and those of others stay whatever they hold', () => {
    const odd = [null, 7, 'text', {}, { controllerName: 5 }, theirs('a')];
    assert.deepEqual(written([], { parents: [...odd, ours('a')] }), odd);
  });

  it('are left out where the list has no room, and counted', () => {
    const full = Array.from({ length: maxParents - 1 }, (_, index) => theirs(`x${index}`));
    const entries = parentEntries({ parents: [ours('a'), ours('b'), ours('c')] }, { parents: full });
    assert.equal(entries?.status.parents.length, maxParents);
    assert.equal(entries?.omitted, 2);
    assert.deepEqual(entries?.status.parents.at(-1), ours('a'));
  });

  it('written once are there, and those of others are as they were: for any lists', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const status = fc.constantFrom('True', 'False');
    const time = fc.constantFrom(early, late);
    const own = fc.uniqueArray(fc.tuple(name, status, time), { selector: ([each]) => each, maxLength: 4 });
    const list = own.map((all) => all.map((each) => ours(...each)));
    const mixed = fc
      .tuple(list, fc.array(name.map(theirs), { maxLength: 4 }))
      .chain(([a, b]) => fc.shuffledSubarray([...a, ...b], { minLength: a.length + b.length }));
    const others = (parents: readonly unknown[]): readonly unknown[] =>
      parents.filter((each) => (each as { controllerName: string }).controllerName !== gatewayControllerName);
    fc.assert(
      fc.property(list, mixed, (wanted, parents) => {
        const after = written(wanted, { parents }) ?? parents;
        assert.deepEqual(others(after), others(parents));
        assert.equal(after.length, others(parents).length + wanted.length);
        assert.equal(written(wanted, { parents: after }), undefined);
      }),
    );
  });
});
