import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Debounce } from '../../../src/core/debounce.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const limits = { minWindowMs: 1, maxWindowMs: 90, costFactor: 1.5 };

describe('debounce', () => {
  it('handles the first event at once, and what comes in the window after it as one', () => {
    const clock = new ManualClock();
    const waits: number[] = [];
    let busyMs = 0;
    const debounce = new Debounce(
      clock,
      limits,
      (waitedMs) => waits.push(waitedMs),
      () => busyMs,
    );
    debounce.trigger();
    clock.advance(0);
    assert.deepEqual(waits, [0]);
    // What the batch set off kept the process busy for 20 ms: a window of 30.
    clock.advance(10);
    busyMs = 20;
    debounce.trigger();
    debounce.trigger();
    clock.advance(19);
    assert.deepEqual(waits, [0]);
    clock.advance(1);
    assert.deepEqual(waits, [0, 20]);
  });

  it('waits longer while what the last batch set off goes on, and no longer than the bound', () => {
    const clock = new ManualClock();
    const waits: number[] = [];
    let idleMs = 0;
    const busyMs = (): number => clock.monotonic() - idleMs;
    const debounce = new Debounce(clock, limits, (waitedMs) => waits.push(Math.ceil(waitedMs)), busyMs);
    debounce.trigger();
    clock.advance(0);
    debounce.trigger();
    clock.advance(89);
    assert.deepEqual(waits, [0]);
    clock.advance(1);
    assert.deepEqual(waits, [0, 90]);
    // Busy for 20 ms, then idle.
    debounce.trigger();
    clock.advance(20);
    for (let ms = 0; ms < 10; ms++) {
      idleMs += 1;
      clock.advance(1);
    }
    assert.deepEqual(waits, [0, 90, 30]);
  });

  it('lets no event wait longer than its bound, whatever happens', () => {
    const anyMoment = fc.record({
      ms: fc.nat(40),
      busyShare: fc.double({ min: 0, max: 1, noNaN: true }),
      event: fc.boolean(),
      handlingMs: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(anyMoment, { maxLength: 60 }), (moments) => {
        const clock = new ManualClock();
        let busyMs = 0;
        let handlingMs = 0;
        /** Events that were not handled, by when they came. */
        let pending: number[] = [];
        const check = (waitedMs: number): void => {
          assert.equal(waitedMs, clock.monotonic() - (pending[0] as number));
          assert.ok(waitedMs <= limits.maxWindowMs, `waited ${waitedMs} ms`);
          pending = [];
        };
        const debounce = new Debounce(
          clock,
          limits,
          (waitedMs) => {
            check(waitedMs);
            busyMs += handlingMs;
          },
          () => busyMs,
        );
        for (const moment of moments) {
          handlingMs = moment.handlingMs;
          if (moment.event) {
            pending.push(clock.monotonic());
            debounce.trigger();
          }
          for (let ms = 0; ms < moment.ms; ms++) {
            busyMs += moment.busyShare;
            clock.advance(1);
          }
        }
        clock.advance(limits.maxWindowMs);
        assert.deepEqual(pending, []);
      }),
    );
  });

  it('forgets what is pending when it is stopped', () => {
    const clock = new ManualClock();
    const debounce = new Debounce(clock, limits, () => assert.fail('was stopped'));
    debounce.trigger();
    debounce.stop();
    clock.advance(1000);
  });
});
