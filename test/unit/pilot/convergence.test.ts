import assert from 'node:assert/strict';
import { Convergence } from '../../../src/pilot/convergence.ts';

describe('convergence', () => {
  let now = 0;
  let seen: number[] = [];
  let convergence: Convergence;
  beforeEach(() => {
    now = 1000;
    seen = [];
    convergence = new Convergence(
      () => now,
      (durationMs) => seen.push(durationMs),
    );
  });

  it('runs from the first change to the last answer', () => {
    convergence.changed(5);
    convergence.sent(1, 'CDS');
    convergence.sent(2, 'CDS');
    now += 10;
    convergence.answered(1, 'CDS');
    convergence.changed(0);
    assert.deepEqual(seen, []);
    now += 10;
    convergence.answered(2, 'CDS');
    assert.deepEqual(seen, [25]);
  });

  it('waits for the answer to each type', () => {
    convergence.changed(0);
    convergence.sent(1, 'CDS');
    convergence.sent(1, 'RDS');
    convergence.answered(1, 'CDS');
    convergence.answered(1, 'CDS');
    assert.deepEqual(seen, []);
    now += 10;
    convergence.answered(1, 'RDS');
    assert.deepEqual(seen, [10]);
  });

  it('does not wait for a stream that is gone', () => {
    convergence.changed(0);
    convergence.sent(1, 'CDS');
    convergence.sent(1, 'RDS');
    convergence.gone(1);
    assert.deepEqual(seen, [0]);
  });

  it('forgets a change that nobody had to be told of', () => {
    convergence.changed(0);
    now += 60_000;
    convergence.changed(0);
    convergence.sent(1, 'CDS');
    convergence.answered(1, 'CDS');
    assert.deepEqual(seen, [0]);
  });
});
