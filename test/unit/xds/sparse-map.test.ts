import assert from 'node:assert/strict';
import { Interned } from '../../../src/xds/interned.ts';
import { SparseMap } from '../../../src/xds/sparse-map.ts';

describe('a sparse map', () => {
  it('holds what a map holds', () => {
    const sparse = new SparseMap<number>();
    sparse.set('a', 1);
    sparse.set('b', 2);
    sparse.set('a', 3);
    sparse.delete('b');
    sparse.delete('never');
    assert.deepEqual([...sparse.all], [['a', 3]]);
    sparse.clear();
    assert.equal(sparse.all.size, 0);
  });

  it('shares one map with all others that are empty, before and after', () => {
    const [one, other] = [new SparseMap<number>(), new SparseMap<string>()];
    one.set('a', 1);
    const full: unknown = one.all;
    one.delete('a');
    assert.notEqual(one.all, full);
    assert.equal<unknown>(one.all, other.all);
  });
});

describe('interned texts', () => {
  it('are kept up to a bound, and learnt again', () => {
    const interned = new Interned(10);
    for (const text of ['abcd', 'abcd', 'efgh', 'ijkl', 'a text that is longer than all', 'abcd'])
      assert.equal(interned.of(text), text);
  });
});
