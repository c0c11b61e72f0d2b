/** What is permitted while it is not known which grants there are: nobody’s traffic moves because a pilot has just started. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../src/core/clock.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { KnownGrants } from '../../../../src/pilot/members/known-grants.ts';
import { memberSourceName } from '../../../../src/pilot/members/member-rules.ts';
import { RuleInputs } from '../../../../src/pilot/rules/rule-inputs.ts';
import { RuleMemory } from '../../../../src/pilot/rules/rule-memory.ts';
import type { RuleSink } from '../../../../src/registry/rule-sink.ts';
import { RuleSet } from '../../../../src/rules/traffic-rule/rule-set.ts';
import { rawRule } from '../../../support/rules.ts';

const far = { namespace: 'lab', name: 'far' };

describe('grants', () => {
  let folder: string;
  const ends: RuleInputs[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-known-grants-'));
  });
  afterEach(async () => {
    for (const inputs of ends.splice(0)) await inputs.stop();
    rmSync(folder, { recursive: true });
  });

  function start(given = false): {
    readonly inputs: RuleInputs;
    readonly permits: () => boolean;
    readonly changes: () => number;
  } {
    const memory = new RuleMemory({ folder, clock: systemClock, logger: silentLogger });
    const inputs = new RuleInputs(new RuleSet(silentLogger), silentLogger, memory);
    ends.push(inputs);
    const grants = new KnownGrants(() => given);
    let changes = 0;
    grants.follow(inputs, () => {
      changes += 1;
    });
    return { inputs, permits: () => grants.permits('shop', far), changes: () => changes };
  }

  function attach(inputs: RuleInputs, name: string): RuleSink {
    let sink: RuleSink | undefined;
    inputs.attach(name, (told) => {
      sink = told;
      return { stop: () => Promise.resolve() };
    });
    assert.ok(sink !== undefined);
    return sink;
  }

  it('are not missed before each source has been read, and are then; both are told', () => {
    const { inputs, permits, changes } = start();
    assert.equal(permits(), false);
    const primary = attach(inputs, 'cluster primary');
    assert.deepEqual([permits(), changes()], [true, 1]);
    attach(inputs, 'rules folder').synced();
    assert.deepEqual([permits(), changes()], [true, 1]);
    primary.synced();
    assert.deepEqual([permits(), changes()], [false, 2]);
  });

  it('of members count for nothing, so nobody waits for them', () => {
    const { inputs, permits } = start();
    attach(inputs, 'cluster primary').synced();
    attach(inputs, memberSourceName('edge'));
    assert.equal(permits(), false);
  });

  it('are as they were saved where a source is out of reach', async () => {
    const before = start();
    const sink = attach(before.inputs, 'cluster primary');
    sink.put(rawRule('{service: reviews, routes: [{backends: [{}]}]}'), 'TrafficRule/shop/reviews');
    sink.synced();
    await before.inputs.stop();
    const { inputs, permits } = start();
    attach(inputs, 'cluster primary');
    assert.equal(permits(), false);
  });
});
