import assert from 'node:assert/strict';
import fc from 'fast-check';
import { drainStepMs, drainSteps } from '../../../src/xds/drain-steps.ts';

describe('the steps of a drain', () => {
  it('few streams end at once', () => {
    assert.deepEqual(drainSteps(0, 5_000), [0]);
    assert.deepEqual(drainSteps(9, 5_000), [9]);
  });

  it('many end evenly over two milliseconds each', () => {
    const steps = drainSteps(1_000, 5_000);
    assert.equal(steps.length * drainStepMs, 2_000);
    assert.ok(steps.every((count) => count === 10));
  });

  it('all end, in at most half of the time there is', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(10_000), (streams, deadlineMs) => {
        const steps = drainSteps(streams, deadlineMs);
        assert.equal(
          steps.reduce((sum, count) => sum + count, 0),
          streams,
        );
        assert.ok(steps.length === 1 || steps.length * drainStepMs <= deadlineMs / 2);
      }),
    );
  });
});
