import assert from 'node:assert/strict';
import { silentLogger } from '../../../../src/core/logger.ts';
import type { Condition } from '../../../../src/model/rule.ts';
import type { Programming } from '../../../../src/rules/status/programming.ts';
import {
  type RuleStatus,
  ruleConditions,
  ruleStatus,
  writtenStatus,
} from '../../../../src/rules/traffic-rule/conditions.ts';
import type { Resolution } from '../../../../src/rules/traffic-rule/resolve.ts';
import type { RuleRecord } from '../../../../src/rules/traffic-rule/rule-record.ts';
import { RuleSet } from '../../../../src/rules/traffic-rule/rule-set.ts';
import { oneRoute, rawRule } from '../../../support/rules.ts';

const good = oneRoute('backends: [{version: v1}]');
const bad = oneRoute('backends: [{version: v1, weight: -1}], name: Bad');
const resolved: Resolution = { resolved: true };
const none: Programming = { acknowledged: 0, total: 0, rejections: [] };
const t0 = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** The record of shop/reviews after these specs were put, in turn. */
function recordOf(...specs: string[]): RuleRecord {
  const set = new RuleSet(silentLogger);
  for (const spec of specs) set.source('folder').put(rawRule(spec), 'a');
  const record = set.record('folder#a');
  assert.ok(record);
  return record;
}

function words(conditions: readonly Condition[]): string[] {
  return conditions.map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`);
}

describe('ruleConditions', () => {
  it('says of a good rule that all is well', () => {
    const conditions = ruleConditions(recordOf(good), resolved, { acknowledged: 3, total: 3, rejections: [] }, t0, []);
    assert.deepEqual(words(conditions), [
      'Accepted True Accepted: the rule is valid and in force',
      'ResolvedRefs True ResolvedRefs: all targets exist',
      'Programmed True Programmed: 3 of 3 proxies acknowledged',
    ]);
    for (const condition of conditions) {
      assert.equal(condition.observedGeneration, 1);
      assert.equal(condition.lastTransitionTime, '2026-01-02T03:04:05Z');
    }
  });

  it('says what is wrong, and that nothing is in force', () => {
    assert.deepEqual(words(ruleConditions(recordOf(bad), undefined, none, t0, [])), [
      'Accepted False Invalid: FW-RULE-013 spec.routes[0].name: name must be lower-case letters, digits and "-", at most 63 characters; it is "Bad". Correct the value (and 1 more); no form of this rule is in force',
      'ResolvedRefs Unknown Invalid: the targets of an invalid rule are not looked up',
      'Programmed False NotAccepted: no proxy is given a rule that is not in force',
    ]);
  });

  it('says that the last good form stays in force', () => {
    const [accepted, , programmed] = ruleConditions(
      recordOf(good, bad),
      resolved,
      { acknowledged: 1, total: 2, rejections: [] },
      t0,
      [],
    );
    assert.match(accepted?.message ?? '', /; the last good form \(generation 1\) stays in force$/);
    assert.equal(accepted?.observedGeneration, 2);
    assert.equal(programmed?.status, 'False');
    assert.equal(
      programmed?.message,
      'generation 2 is not valid; of the last good form (generation 1), 1 of 2 proxies acknowledged',
    );
  });

  it('names the rule that is in force instead', () => {
    const set = new RuleSet(silentLogger);
    set.source('folder').put(rawRule(good, { name: 'b' }), 'b');
    set.source('folder').put(rawRule(good, { name: 'a' }), 'a');
    const record = set.record('folder#b');
    assert.ok(record);
    const [accepted, , programmed] = words(ruleConditions(record, resolved, none, t0, []));
    assert.equal(
      accepted,
      'Accepted False Conflicted: TrafficRule shop/a is in force for service shop/reviews: it is older, or first by name',
    );
    assert.equal(programmed, 'Programmed False NotAccepted: no proxy is given a rule that is not in force');
  });

  it('passes on what is not resolved, and warnings', () => {
    const resolution: Resolution = {
      resolved: false,
      reason: 'ClusterNotFound',
      message: 'no cluster named x is registered',
      findings: [],
    };
    const conditions = ruleConditions(
      recordOf(oneRoute('matches: [{method: GET}], backends: [{}]')),
      resolution,
      none,
      t0,
      [],
    );
    assert.deepEqual(words(conditions), [
      'Accepted True Accepted: the rule is valid and in force; FW-RULE-038 a request that matches none of the routes is answered with 404',
      'ResolvedRefs False ClusterNotFound: no cluster named x is registered',
      'Programmed Unknown NoProxies: no proxy is connected',
    ]);
  });

  it("counts proxies, and gives Envoy's words and the node", () => {
    const programmed = (programming: Programming) =>
      words(ruleConditions(recordOf(good), resolved, programming, t0, []))[2];
    assert.equal(
      programmed({ acknowledged: 1, total: 2, rejections: [] }),
      'Programmed False Pending: 1 of 2 proxies acknowledged',
    );
    const rejections = [
      { node: 'sidecar~b', error: 'no' },
      { node: 'sidecar~a', error: 'regex too large' },
    ];
    const text =
      'Programmed False Rejected: sidecar~a rejected it: regex too large; sidecar~b rejected it: no; 0 of 2 proxies acknowledged';
    assert.equal(programmed({ acknowledged: 0, total: 2, rejections }), text);
    assert.equal(programmed({ acknowledged: 0, total: 2, rejections: rejections.toReversed() }), text);
    const many = Array.from({ length: 1000 }, (_, i) => ({ node: `n${i}`, error: 'x'.repeat(1000) }));
    const long = programmed({ acknowledged: 0, total: 1000, rejections: many }) ?? '';
    assert.ok(long.includes('and 995 more proxies rejected it'));
    assert.ok(long.length < 4200);
  });

  it('moves lastTransitionTime with the status only', () => {
    const record = recordOf(good);
    const first = ruleConditions(record, resolved, { acknowledged: 0, total: 2, rejections: [] }, t0, []);
    const second = ruleConditions(record, resolved, { acknowledged: 1, total: 2, rejections: [] }, t0 + 60_000, first);
    assert.equal(second[2]?.message, '1 of 2 proxies acknowledged');
    assert.equal(second[2]?.lastTransitionTime, '2026-01-02T03:04:05Z');
    assert.equal(second[0], first[0]);
    const third = ruleConditions(record, resolved, { acknowledged: 2, total: 2, rejections: [] }, t0 + 120_000, second);
    assert.equal(third[2]?.lastTransitionTime, '2026-01-02T03:06:05Z');
    assert.equal(third[0]?.lastTransitionTime, '2026-01-02T03:04:05Z');
  });
});

describe('ruleStatus', () => {
  it('is the very same object while nothing changed, even one that was read back', () => {
    const record = recordOf(good);
    const programming = { acknowledged: 2, total: 2, rejections: [] };
    const first = ruleStatus(record, resolved, programming, t0, undefined);
    assert.deepEqual([first.observedGeneration, first.routes, first.proxies], [1, 1, { acknowledged: 2, total: 2 }]);
    assert.equal(ruleStatus(record, resolved, programming, t0 + 60_000, first), first);
    const readBack = JSON.parse(JSON.stringify(first)) as RuleStatus;
    assert.equal(ruleStatus(record, resolved, programming, t0 + 60_000, readBack), readBack);
    assert.notEqual(ruleStatus(record, resolved, none, t0, first), first);
  });

  it('goes on from what an object carries, if that can be used', () => {
    const record = recordOf(good);
    const first = ruleStatus(record, resolved, none, t0, undefined);
    const carried = writtenStatus({ status: JSON.parse(JSON.stringify(first)) });
    assert.equal(ruleStatus(record, resolved, none, t0 + 60_000, carried), carried);
    for (const status of [
      undefined,
      null,
      'x',
      {},
      { conditions: 'x' },
      { conditions: [null] },
      { conditions: [{ type: 'Accepted', status: 'True' }] },
    ]) {
      assert.equal(writtenStatus({ status }), undefined);
    }
    assert.equal(writtenStatus(null), undefined);
  });

  it('counts no proxies for a rule that is not in force', () => {
    assert.deepEqual(
      ruleStatus(recordOf(bad), undefined, { acknowledged: 0, total: 5, rejections: [] }, t0, undefined).proxies,
      {
        acknowledged: 0,
        total: 0,
      },
    );
  });
});
