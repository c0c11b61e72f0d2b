/** When a status that somebody changed is looked at again. */

import assert from 'node:assert/strict';
import { StatusRepairs } from '../../../../src/registry/kube/status-repairs.ts';

describe('a status that somebody changed', () => {
  let nowMs = 0;
  let repairs: StatusRepairs;

  beforeEach(() => {
    nowMs = 0;
    repairs = new StatusRepairs(() => nowMs, { firstMs: 10, maxMs: 35 });
  });

  /** How long it takes until it is looked at, ms. */
  function waited(written: boolean): number {
    const since = nowMs;
    repairs.notice('a');
    while (!repairs.take().includes('a')) nowMs += 1;
    repairs.looked('a', written);
    return nowMs - since;
  }

  it('is looked at once for all that was noticed meanwhile', () => {
    repairs.notice('a');
    repairs.notice('b');
    repairs.notice('a');
    assert.deepEqual(repairs.take(), []);
    nowMs = 10;
    repairs.notice('a');
    assert.deepEqual(repairs.take(), ['a', 'b']);
    assert.deepEqual(repairs.take(), []);
  });

  it('is looked at the more rarely the more often it had to be put right, until it is to be another', () => {
    assert.deepEqual([waited(false), waited(false)], [10, 10]);
    assert.deepEqual([waited(true), waited(true), waited(true), waited(true)], [10, 20, 35, 35]);
    repairs.forget('a');
    assert.equal(waited(true), 10);
  });

  it('counts no write that has another cause', () => {
    repairs.looked('a', true);
    assert.equal(waited(false), 10);
  });
});
