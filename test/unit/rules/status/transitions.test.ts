import assert from 'node:assert/strict';
import type { Condition } from '../../../../src/model/rule.ts';
import { transitions } from '../../../../src/rules/status/transitions.ts';

const condition = (type: string, status: Condition['status'], reason: string, message = ''): Condition => ({
  type: type as Condition['type'],
  status,
  reason,
  message,
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const told = (before: readonly Condition[] | undefined, after: readonly Condition[]): readonly string[] =>
  transitions(before, after).map(({ severity, condition: type, reason }) => `${severity} ${type} ${reason}`);

describe('transitions of conditions', () => {
  const good = [condition('Accepted', 'True', 'Accepted'), condition('ResolvedRefs', 'True', 'ResolvedRefs')];

  it('are none for what is well from the beginning, and for another message alone', () => {
    assert.deepEqual(told(undefined, [...good, condition('Programmed', 'Unknown', 'NoProxies')]), []);
    assert.deepEqual(told(good, [condition('Accepted', 'True', 'Accepted', 'more words')]), []);
  });

  it('warn of what goes bad, and tell of what is well again', () => {
    const bad = [condition('Accepted', 'False', 'Invalid')];
    assert.deepEqual(told(undefined, bad), ['Warning Accepted Invalid']);
    assert.deepEqual(told(good, bad), ['Warning Accepted Invalid']);
    assert.deepEqual(told(bad, [condition('Accepted', 'False', 'Conflicted')]), ['Warning Accepted Conflicted']);
    assert.deepEqual(told(bad, good), ['Normal Accepted Accepted']);
  });

  it('leave out how far proxies are, but for rejections', () => {
    const [pending, done, rejected] = [
      condition('Programmed', 'False', 'Pending'),
      condition('Programmed', 'True', 'Programmed'),
      condition('Programmed', 'False', 'Rejected'),
    ];
    assert.deepEqual(told([pending], [done]), []);
    assert.deepEqual(told([done], [pending]), []);
    assert.deepEqual(told([pending], [rejected]), ['Warning Programmed Rejected']);
    assert.deepEqual(told([rejected], [rejected]), []);
    assert.deepEqual(told([rejected], [done]), ['Normal Programmed NotRejected']);
  });

  it('of any other condition are news both ways, and no warnings', () => {
    const [on, off] = [condition('Drained', 'True', 'Drained'), condition('Drained', 'False', 'Moving')];
    assert.deepEqual(told(undefined, [off]), []);
    assert.deepEqual(told([off], [on]), ['Normal Drained Drained']);
    assert.deepEqual(told([on], [off]), ['Normal Drained Moving']);
  });
});
