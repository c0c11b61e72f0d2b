import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Elsewhere } from '../../../src/mesh/elsewhere.ts';
import { anywhere, chainName, type RuleRoute, toDestination } from '../../../src/model/rule.ts';
import { serviceKey } from '../../../src/model/service.ts';

const none = { set: [], add: [], remove: [] };
const a = serviceKey('shop', 'a');
const b = serviceKey('shop', 'b');
const c = serviceKey('shop', 'c');

/** Routes to versions of b; '' is anywhere of it. */
function toB(...versions: readonly string[]): readonly RuleRoute[] {
  return [
    {
      name: 'split',
      matches: [],
      backends: versions.map((version) => ({
        weight: 1,
        chain: [version === '' ? anywhere : toDestination({ version })],
        service: { namespace: 'shop', name: 'b', port: 80 },
      })),
      requestHeaders: none,
      responseHeaders: none,
    },
  ];
}

describe('routes that lead elsewhere', () => {
  const names = (elsewhere: Elsewhere): string[] => elsewhere.chains(b).map(chainName);

  it('say which chains their targets need, each once', () => {
    const elsewhere = new Elsewhere();
    assert.deepEqual(elsewhere.set(a, toB('v1', '', 'v1')), [b]);
    assert.deepEqual(elsewhere.set(c, toB('v2', 'v1')), [b]);
    assert.deepEqual(names(elsewhere), ['v1', 'v2']);
    assert.deepEqual([...elsewhere.sources(b)], [a, c]);
  });

  it('need nothing more of a target that they lead to anywhere of, whatever they did before', () => {
    const elsewhere = new Elsewhere();
    assert.deepEqual(elsewhere.set(a, toB('')), []);
    assert.deepEqual([...elsewhere.sources(b)], [a]);
    assert.deepEqual(elsewhere.set(a, toB('v1')), [b]);
    assert.deepEqual(elsewhere.set(a, toB('')), [b]);
    assert.deepEqual(names(elsewhere), []);
  });

  it('name a target only when it needs others than before', () => {
    const elsewhere = new Elsewhere();
    elsewhere.set(a, toB('v1'));
    const before = elsewhere.chains(b);
    assert.deepEqual(elsewhere.set(c, toB('v1')), []);
    assert.equal(elsewhere.chains(b), before);
    assert.deepEqual(elsewhere.set(a, undefined), []);
    assert.deepEqual(elsewhere.set(c, undefined), [b]);
    assert.deepEqual(names(elsewhere), []);
    assert.deepEqual([...elsewhere.sources(b)], []);
  });

  it('say what would be needed with other routes, and change nothing', () => {
    const versions = ['', 'v1', 'v2', 'v3'];
    const anyRoutes = fc.option(
      fc.uniqueArray(fc.constantFrom(...versions), { minLength: 1 }).map((all) => toB(...all)),
      {
        nil: undefined,
      },
    );
    fc.assert(
      fc.property(anyRoutes, anyRoutes, anyRoutes, (ofA, ofC, otherOfA) => {
        const now = new Elsewhere();
        now.set(a, ofA);
        now.set(c, ofC);
        const before = names(now);
        const then = now.with(new Map([[a, otherOfA]]));
        const expected = new Elsewhere();
        expected.set(c, ofC);
        expected.set(a, otherOfA);
        assert.deepEqual(then.chains(b).map(chainName), names(expected));
        assert.deepEqual([...then.touched], before.join() === names(expected).join() ? [] : [b]);
        assert.deepEqual(names(now), before);
      }),
    );
  });

  it('need nothing for what takes no requests, or may not', () => {
    const elsewhere = new Elsewhere();
    const [route] = toB('v1', 'v2');
    const [one, two] = route?.backends ?? [];
    assert.ok(route !== undefined && one !== undefined && two !== undefined);
    const backends = [
      { ...one, weight: 0 },
      { ...two, refused: 'not granted' },
    ];
    assert.deepEqual(elsewhere.set(a, [{ ...route, backends }]), []);
  });
});
