import assert from 'node:assert/strict';
import type { Clock } from '../../../../src/core/clock.ts';
import { RequestBudget } from '../../../../src/registry/kube/request-budget.ts';

/** Time that the test moves. */
function manualClock(): { readonly clock: Clock; advance(ms: number): Promise<void> } {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  return {
    clock: {
      now: () => nowMs,
      monotonic: () => nowMs,
      after(delayMs, run) {
        const timer = { atMs: nowMs + delayMs, run };
        timers.add(timer);
        return { cancel: () => void timers.delete(timer) };
      },
    },
    async advance(ms) {
      nowMs += ms;
      for (const timer of [...timers]) {
        if (timer.atMs > nowMs) continue;
        timers.delete(timer);
        timer.run();
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('registry: what a cluster’s API is asked at a time', () => {
  const never = new AbortController().signal;

  it('a pause holds all back until it is over, and the longest counts', async () => {
    const { clock, advance } = manualClock();
    const budget = new RequestBudget(clock, 2, () => 0);
    await budget.turn(never);
    budget.pause(5_000);
    budget.pause(1_000);
    let turns = 0;
    for (let index = 0; index < 3; index++) void budget.turn(never).then(() => (turns += 1));
    await advance(4_999);
    assert.equal(turns, 0);
    await advance(1);
    assert.equal(turns, 3);
  });

  it('a pause that grows while it is waited for is kept', async () => {
    const { clock, advance } = manualClock();
    const budget = new RequestBudget(clock, 2, () => 0);
    budget.pause(1_000);
    let turns = 0;
    void budget.turn(never).then(() => (turns += 1));
    await advance(500);
    budget.pause(1_000);
    await advance(500);
    assert.equal(turns, 0);
    await advance(500);
    assert.equal(turns, 1);
  });

  it('lists go as many at a time as allowed, in order; one that is given up leaves the queue', async () => {
    const budget = new RequestBudget(manualClock().clock, 2);
    const first = await budget.listing(never);
    const second = await budget.listing(never);
    const order: string[] = [];
    const third = budget.listing(never).then((release) => (order.push('third'), release));
    const impatient = new AbortController();
    const given = budget.listing(impatient.signal);
    const fourth = budget.listing(never).then((release) => (order.push('fourth'), release));
    impatient.abort(new Error('given up'));
    await assert.rejects(given, /given up/);
    assert.deepEqual(order, []);
    first();
    first();
    (await third)();
    (await fourth)();
    assert.deepEqual(order, ['third', 'fourth']);
    second();
    const both = await Promise.all([budget.listing(never), budget.listing(never)]);
    assert.equal(both.length, 2);
  });

  it('who stops does not wait', async () => {
    const budget = new RequestBudget(manualClock().clock);
    budget.pause(1_000_000);
    const stop = new AbortController();
    const turn = budget.turn(stop.signal);
    stop.abort(new Error('stopped'));
    await assert.rejects(turn, /stopped/);
  });
});
