import assert from 'node:assert/strict';
import { JudgedRecords } from '../../../../src/pilot/status/judged-records.ts';
import type { Programming } from '../../../../src/rules/status/programming.ts';

const held: Programming = { acknowledged: 1, total: 1, rejections: [] };
const none = new Map<string, Programming>();

function found(judged: JudgedRecords, link: string): string[] {
  const into = new Set<string>();
  assert.equal(judged.find(link, into), into.size > 0);
  return [...into];
}

describe('what was judged, and by what', () => {
  it('finds the objects that a name concerns, until they are judged by others or forgotten', () => {
    const judged = new JudgedRecords();
    judged.set('one', none, ['shop/a', 'shop/b'], true);
    judged.set('two', none, ['shop/b'], true);
    assert.deepEqual(found(judged, 'shop/b'), ['one', 'two']);
    judged.set('one', none, ['shop/a'], true);
    assert.deepEqual(found(judged, 'shop/b'), ['two']);
    judged.forget('two');
    assert.deepEqual(found(judged, 'shop/b'), []);
    assert.deepEqual(found(judged, 'shop/a'), ['one']);
  });

  it('finds for an acknowledgement what some proxy does not hold yet', () => {
    const judged = new JudgedRecords();
    judged.set('settled', none, [], true);
    judged.set('under way', none, [], false);
    const into = new Set<string>();
    assert.ok(judged.findUnsettled(into));
    assert.deepEqual([...into], ['under way']);
    judged.set('under way', none, [], true);
    assert.equal(judged.findUnsettled(new Set()), false);
  });

  it('tells how far forms have got when that is another, and counts a form as long as a copy has it', () => {
    const judged = new JudgedRecords();
    judged.set('one', new Map([['form', held]]), [], true);
    judged.set('copy', new Map([['form', held]]), [], true);
    assert.deepEqual(judged.takeCounted(false), new Map([['form', held]]));
    judged.set('one', new Map([['form', { ...held }]]), [], true);
    assert.equal(judged.takeCounted(false), undefined);
    assert.notEqual(judged.takeCounted(true), undefined);
    judged.forget('one');
    assert.equal(judged.takeCounted(false), undefined, 'the copy has it');
    judged.forget('copy');
    assert.deepEqual(judged.takeCounted(false), new Map());
  });
});
