/** What a rule's policy does to plain connections, with a real Envoy and iptables in a network namespace of its own (policy-tcp-scene.ts). */

import assert from 'node:assert/strict';
import type { TcpObservations } from './policy-tcp-scene.ts';
import { runCaptured } from './scene-run.ts';

describe("a plain connection under a rule's policy", function () {
  this.timeout(90_000);
  let seen: TcpObservations;

  before(async function () {
    const observed = await runCaptured<TcpObservations>(import.meta.resolve('./policy-tcp-scene.ts'));
    if (observed === undefined) return this.skip();
    seen = observed;
  });

  it('goes where others from its address go', () => {
    for (const [one, two] of seen.bySource) {
      assert.match(one, /^w[0-3]$/);
      assert.equal(two, one);
    }
    assert.ok(new Set(seen.bySource.map(([one]) => one)).size > 1);
  });

  it('is closed where there are as many as the rule allows', () => assert.equal(seen.answeredOfThree, 2));

  it('is closed when nothing moves on it for too long, and when it is too old', () =>
    assert.deepEqual([seen.idle, seen.old], ['closed', 'closed']));

  it('goes to another endpoint when one takes none', () => {
    assert.ok(
      seen.pastTheDead.every((name) => name === 'w0' || name === 'w2'),
      `${seen.pastTheDead}`,
    );
  });
});
