import assert from 'node:assert/strict';
import { grpcMatches } from '../../../../src/envoy/grpc/match.ts';
import type { RouteMatch } from '../../../../src/model/rule.ts';

const matches = (match: Partial<RouteMatch>): readonly unknown[] =>
  grpcMatches({ headers: [], queryParams: [], ...match });

describe('matches for gRPC’s own clients', () => {
  it('know a prefix of whole elements by what a call’s path can be', () => {
    assert.deepEqual(matches({ path: { kind: 'prefix', value: '/' } }), [{ prefix: '/' }]);
    assert.deepEqual(matches({ path: { kind: 'prefix', value: '/shop.Reviews/' } }), [{ prefix: '/shop.Reviews/' }]);
    assert.deepEqual(matches({ path: { kind: 'prefix', value: '/shop.Reviews/Get' } }), [
      { path: '/shop.Reviews/Get' },
      { prefix: '/shop.Reviews/Get/' },
    ]);
  });

  it('know the start of a path, and letters whatever their case', () => {
    assert.deepEqual(matches({ path: { kind: 'start', value: '/shop.Re' } }), [{ prefix: '/shop.Re' }]);
    assert.deepEqual(matches({ path: { kind: 'exact', value: '/a/b', ignoreCase: true } }), [
      { path: '/a/b', case_sensitive: false },
    ]);
  });

  it('say in two ways that a header has another value: to a client one that is not there meets nothing', () => {
    const not = (name: string) => ({ name, match: { kind: 'exact', value: '1' }, not: true }) as const;
    const other = { name: 'x-a', string_match: { exact: '1' }, invert_match: true };
    const missing = { name: 'x-a', present_match: true, invert_match: true };
    assert.deepEqual(matches({ headers: [not('X-A')] }), [
      { prefix: '/', headers: [missing] },
      { prefix: '/', headers: [other] },
    ]);
    assert.equal(matches({ headers: ['a', 'b', 'c', 'd'].map(not) }).length, 16);
    assert.deepEqual(matches({ headers: ['a', 'b', 'c', 'd', 'e'].map(not) }), []);
    const absent = { name: 'x-a', match: { kind: 'present', present: true }, not: true } as const;
    assert.deepEqual(matches({ headers: [absent] }), [{ prefix: '/', headers: [missing] }]);
  });

  it('hold regular expressions together, though a client puts anchors around them', () => {
    assert.deepEqual(matches({ path: { kind: 'regex', value: '/a|/b' } }), [{ safe_regex: { regex: '(?:/a|/b)' } }]);
    const header = { name: 'X-Kind', match: { kind: 'regex', value: 'a|b' } } as const;
    assert.deepEqual(matches({ headers: [header] }), [
      { prefix: '/', headers: [{ name: 'x-kind', string_match: { safe_regex: { regex: '(?:a|b)' } } }] },
    ]);
  });

  it('leave out what no call meets', () => {
    assert.deepEqual(matches({ method: 'GET' }), []);
    assert.deepEqual(matches({ method: 'POST' }), [{ prefix: '/' }]);
    assert.deepEqual(matches({ queryParams: [{ name: 'q', match: { kind: 'exact', value: '1' } }] }), []);
    assert.deepEqual(matches({ headers: [{ name: 'Host', match: { kind: 'exact', value: 'a' } }] }), []);
    assert.deepEqual(matches({ headers: [{ name: 'x-bin', match: { kind: 'prefix', value: 'a' } }] }), []);
  });

  it('know of a hidden header whether it is there', () => {
    const present = (name: string, there: boolean): readonly unknown[] =>
      matches({ headers: [{ name, match: { kind: 'present', present: there } }] });
    assert.deepEqual(present('host', true), [{ prefix: '/' }]);
    assert.deepEqual(present('host', false), []);
    assert.deepEqual(present('x-bin', true), []);
    assert.deepEqual(present('x-bin', false), [{ prefix: '/' }]);
  });
});
