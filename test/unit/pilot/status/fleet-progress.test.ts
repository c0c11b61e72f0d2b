import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger } from '../../../../src/core/logger.ts';
import {
  FleetProgress,
  formKey,
  type PilotProgress,
  parseProgress,
  progressText,
  sumProgress,
} from '../../../../src/pilot/status/fleet-progress.ts';
import type { Programming } from '../../../../src/rules/status/programming.ts';

const plain = (acknowledged: number, total: number): Programming => ({ acknowledged, total, rejections: [] });
const key = formKey('shop/reviews@1');

function peer(proxies: number, ...forms: readonly (readonly [string, Programming])[]): PilotProgress {
  return parseProgress(progressText(proxies, forms).text);
}

describe('the progress of a fleet of pilots', () => {
  it('is the sum over those that know the form', () => {
    const sum = sumProgress(key, plain(2, 2), [peer(3, [key, plain(1, 3)]), peer(0)]);
    assert.deepEqual(sum, { acknowledged: 3, total: 5, rejections: [], moreRejections: 0, pilots: 3, behind: 0 });
  });

  it('a replica with proxies that knows only another form is behind', () => {
    const sum = sumProgress(key, plain(2, 2), [peer(3, [formKey('shop/reviews@0'), plain(3, 3)])]);
    assert.deepEqual(sum, { acknowledged: 2, total: 2, rejections: [], moreRejections: 0, pilots: 2, behind: 1 });
  });

  it('carries who refused, some with their words, cut, and counts the others', () => {
    const rejections = ['a', 'b', 'c', 'd'].map((node) => ({ node, error: 'x'.repeat(1000) }));
    const there = peer(9, [key, { acknowledged: 5, total: 9, rejections }]);
    const sum = sumProgress(key, { acknowledged: 0, total: 1, rejections: [{ node: 'aa', error: 'y' }] }, [there]);
    assert.deepEqual(
      sum.rejections.map(({ node }) => node),
      ['a', 'aa', 'b', 'c'],
    );
    assert.ok(sum.rejections.every(({ error }) => error.length <= 200));
    assert.equal(sum.moreRejections, 1);
  });

  it('a text says the same again when it is read, whatever the order it was made in', () => {
    const entry = fc.tuple(fc.nat(10_000), fc.nat(50), fc.nat(50));
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ([form]) => form }), (entries) => {
        const forms = entries.map(([form, ...counts]) => {
          const [acknowledged = 0, total = 0] = counts.toSorted((a, b) => a - b);
          return [formKey(String(form)), plain(acknowledged, total)] as const;
        });
        const { text } = progressText(7, forms);
        assert.equal(progressText(7, forms.toReversed()).text, text);
        assert.deepEqual(parseProgress(text), { proxies: 7, forms: new Map(forms), unsaid: 0 });
      }),
    );
  });

  it('is bounded, and says how much found no room; what is late goes first', () => {
    const many = Array.from({ length: 30_000 }, (_, i) => [formKey(String(i)), plain(9, 9)] as const);
    const { text, unsaid } = progressText(9, [...many, [key, plain(1, 9)]]);
    assert.ok(text.length < 200 * 1024);
    assert.equal(unsaid, 10_001);
    const there = parseProgress(text);
    assert.deepEqual(there.forms.get(key), plain(1, 9));
    // Nothing is known of the others, so they do not wait for this one.
    assert.equal(sumProgress(formKey('none'), plain(1, 1), [there]).behind, 0);
  });

  it('of a text that is none of ours, nothing counts', () => {
    const bad = [
      '',
      '{}',
      'null',
      '[]',
      '{"proxies":-1,"groups":[],"rejected":[],"unsaid":0}',
      '{"proxies":1,"groups":[[1,"x","abcdefgh"]],"rejected":[],"unsaid":0}',
    ];
    for (const text of bad) assert.deepEqual(parseProgress(text), { proxies: 0, forms: new Map(), unsaid: 0 }, text);
  });

  it('what two pilots tell each other makes both say the same', () => {
    const texts = new Map<FleetProgress, string>();
    const pilots = [4, 2].map((proxies) => new FleetProgress(silentLogger, () => proxies));
    const [one, other] = pilots as [FleetProgress, FleetProgress];
    for (const pilot of pilots)
      pilot.share(
        (text) => texts.set(pilot, text),
        () => undefined,
      );
    one.count('TrafficRule', new Map([['shop/reviews@1', plain(3, 4)]]));
    other.count('TrafficRule', new Map([['shop/reviews@1', plain(2, 2)]]));
    one.heard(new Map([[other.name, texts.get(other) ?? '']]));
    other.heard(new Map([[one.name, texts.get(one) ?? '']]));
    const sum = { acknowledged: 5, total: 6, rejections: [], moreRejections: 0, pilots: 2, behind: 0 };
    assert.deepEqual(one.sum('shop/reviews@1', plain(3, 4)), sum);
    assert.deepEqual(other.sum('shop/reviews@1', plain(2, 2)), sum);
  });
});
