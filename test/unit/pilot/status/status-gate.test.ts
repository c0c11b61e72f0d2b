import assert from 'node:assert/strict';
import { StatusGate } from '../../../../src/pilot/status/status-gate.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

describe('the gate of statuses', () => {
  it('is open from the beginning where nobody holds it', () => {
    const gate = new StatusGate(new ManualClock(), () => {});
    assert.deepEqual([gate.isHeld, gate.keeps(1, { observedGeneration: 1 })], [false, false]);
  });

  it('keeps what was written of the same generation until the time is over, and nothing else', () => {
    const clock = new ManualClock();
    let again = 0;
    const gate = new StatusGate(clock, () => {
      again += 1;
    });
    gate.hold();
    assert.ok(gate.isHeld);
    gate.release(10_000);
    assert.deepEqual([gate.isHeld, again], [false, 1]);
    assert.ok(gate.keeps(2, { observedGeneration: 2 }));
    assert.ok(!gate.keeps(3, { observedGeneration: 2 }));
    assert.ok(!gate.keeps(2, undefined));
    clock.advance(10_000);
    assert.deepEqual([gate.keeps(2, { observedGeneration: 2 }), again], [false, 2]);
  });
});
