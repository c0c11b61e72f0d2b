import assert from 'node:assert/strict';
import { describeChanges, specChanges } from '../../../../src/rules/objects/spec-changes.ts';
import { specHash } from '../../../../src/rules/objects/spec-hash.ts';

const spec = (weight: number, more: object = {}): object => ({
  service: 'reviews',
  routes: [{ backends: [{ version: 'v1', weight }, { version: 'v2' }] }],
  ...more,
});

describe('what became another between two forms', () => {
  it('is said by path, with both values', () => {
    assert.equal(describeChanges(spec(90), spec(50)), 'routes[0].backends[0].weight 90 → 50');
  });

  it('is nothing for equal forms, in whatever order their keys stand', () => {
    assert.equal(describeChanges({ a: 1, b: [2] }, { b: [2], a: 1 }), 'nothing');
    assert.equal(specHash({ a: 1, b: { c: 2, d: 3 } }), specHash({ b: { d: 3, c: 2 }, a: 1 }));
    assert.notEqual(specHash({ a: [1, 2] }), specHash({ a: [2, 1] }));
  });

  it('names what came and what went once, whatever it holds', () => {
    const timeouts = { timeouts: { request: '1s', backendRequest: '1s' } };
    assert.equal(describeChanges(spec(1), spec(1, timeouts)), 'timeouts added');
    assert.equal(describeChanges(spec(1, timeouts), spec(1)), 'timeouts removed');
    assert.deepEqual(specChanges({ list: [1, 2] }, { list: [1] }), [{ path: 'list[1]', before: 2 }]);
  });

  it('is bounded: four changes are listed, long values are cut, depth ends', () => {
    const many = (value: number): object => Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`k${at}`, value]));
    assert.match(describeChanges(many(1), many(2)), /^k0 1 → 2, .*k3 1 → 2, and 5 more$/);
    assert.ok(describeChanges({ a: 'x'.repeat(500) }, { a: 'y' }).length < 80);
    const deep = (value: number): object => {
      let inner: object = { value };
      for (let at = 0; at < 100; at++) inner = { inner };
      return inner;
    };
    assert.equal(specChanges(deep(1), deep(2)).length, 1);
  });

  it('has no hash for what cannot be written down', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    assert.equal(specHash(loop), undefined);
  });
});
