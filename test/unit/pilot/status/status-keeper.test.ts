import assert from 'node:assert/strict';
import type { RawObject } from '../../../../src/model/object.ts';
import { StatusKeeper } from '../../../../src/pilot/status/status-keeper.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

interface Status {
  readonly observedGeneration: number;
  readonly word: string;
}

interface Kept {
  readonly key: string;
  readonly generation: number;
  readonly raw: RawObject;
  readonly word: string;
}

const object = (uid: string | undefined, word = 'good'): Kept => ({
  key: 'shop/reviews',
  generation: 1,
  raw: { object: { metadata: uid === undefined ? {} : { uid } }, origin: 'cluster east', where: () => ({}) },
  word,
});

function keeperOf(first: Kept, written?: Status) {
  const clock = new ManualClock();
  const records = new Map([[first.key, first]]);
  const keeper = new StatusKeeper<Kept, string, Status>({
    clock,
    records: () => [...records.values()],
    record: (key) => records.get(key),
    written: () => written,
    judge: ({ word }) => word,
    make: ({ generation }, word, _now, previous) =>
      previous?.word === word ? previous : { observedGeneration: generation, word },
  });
  const told: string[] = [];
  keeper.listen(({ raw }, { word }, before) => told.push(`${uid(raw)} ${word} after ${before?.word}`));
  const settle = (): readonly string[] => {
    keeper.touch();
    clock.advance(5000);
    return told.splice(0);
  };
  return { records, keeper, settle };
}

function uid({ object: value }: RawObject): unknown {
  return (value as { readonly metadata: { readonly uid?: string } }).metadata.uid;
}

describe('the keeper of statuses', () => {
  it('tells a status once', () => {
    const { records, settle } = keeperOf(object('a'));
    assert.deepEqual(settle(), ['a good after undefined']);
    assert.deepEqual(settle(), []);
    records.set('shop/reviews', object('a', 'bad'));
    assert.deepEqual(settle(), ['a bad after good']);
  });

  it('tells once of what was written before it started, as no change', () => {
    const { settle } = keeperOf(object('a'), { observedGeneration: 1, word: 'good' });
    assert.deepEqual(settle(), ['a good after good']);
    assert.deepEqual(settle(), []);
  });

  it('tells of an object that took the place of another before anybody looked, though the same is to be said of it', () => {
    const { records, keeper, settle } = keeperOf(object('a'));
    settle();
    const anew = object('b');
    records.set('shop/reviews', anew);
    keeper.statusOf(anew, anew.word);
    assert.deepEqual(settle(), ['b good after undefined']);
  });

  it('takes objects without a uid, as files have them, for the same as long as they have their name', () => {
    const { records, settle } = keeperOf(object(undefined));
    assert.equal(settle().length, 1);
    records.set('shop/reviews', object(undefined));
    assert.deepEqual(settle(), []);
  });

  it('judges what a change concerns, and nothing else', () => {
    const clock = new ManualClock();
    const records = new Map(['a', 'b', 'c'].map((key): [string, Kept] => [key, { ...object(key), key }]));
    const judged: string[] = [];
    const isHeld = new Map([
      ['a', true],
      ['b', false],
      ['c', true],
    ]);
    const keeper = new StatusKeeper<Kept, boolean, Status>({
      clock,
      records: () => [...records.values()],
      record: (key) => records.get(key),
      written: () => undefined,
      judge: ({ key }) => {
        judged.push(key);
        return isHeld.get(key) ?? false;
      },
      make: ({ generation }) => ({ observedGeneration: generation, word: 'good' }),
      links: ({ key }) => [`shop/${key}`, 'shop/all'],
      isSettled: (held) => held,
    });
    keeper.listen(() => {});
    const after = (touch: () => void): string[] => {
      touch();
      clock.advance(5000);
      return judged.splice(0);
    };
    assert.deepEqual(
      after(() => {}),
      ['a', 'b', 'c'],
    );
    assert.deepEqual(
      after(() => keeper.touchLinks(['shop/c', 'shop/other'])),
      ['c'],
    );
    assert.deepEqual(
      after(() => keeper.touchProgress()),
      ['b'],
      'some proxy does not hold it yet',
    );
    isHeld.set('b', true);
    assert.deepEqual(
      after(() => keeper.touchProgress()),
      ['b'],
    );
    assert.deepEqual(
      after(() => keeper.touchProgress()),
      [],
    );
    records.delete('a');
    assert.deepEqual(
      after(() => keeper.touchRecords(['a', 'b'])),
      ['b'],
    );
    assert.deepEqual(
      after(() => keeper.touch()),
      ['b', 'c'],
    );
  });
});
