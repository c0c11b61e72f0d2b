import assert from 'node:assert/strict';
import { conditionNotes } from '../../../src/cli/views/rules.ts';
import type { Condition } from '../../../src/model/rule.ts';

const condition = (
  type: Condition['type'],
  status: Condition['status'],
  reason: string,
  message = 'why',
): Condition => ({
  ...{ type, status, reason, message },
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

describe('the notes below a rule', () => {
  it('say why, and nothing of what is as it should be', () => {
    const conditions = [
      condition('Accepted', 'True', 'Accepted'),
      condition('ResolvedRefs', 'False', 'VersionNotFound'),
      condition('Programmed', 'Unknown', 'NoProxies', ''),
    ];
    assert.deepEqual(conditionNotes({ conditions }), [
      'not ResolvedRefs (VersionNotFound): why',
      'not known to be Programmed (NoProxies)',
    ]);
  });

  it('do not say again what follows from a form that was not accepted', () => {
    const conditions = [
      condition('Accepted', 'False', 'Invalid'),
      condition('ResolvedRefs', 'Unknown', 'Invalid'),
      condition('Programmed', 'False', 'NotAccepted'),
    ];
    assert.deepEqual(conditionNotes({ conditions }), ['not Accepted (Invalid): why']);
  });

  it('do say which form proxies hold in place of one that was not accepted', () => {
    const conditions = [condition('Accepted', 'False', 'Invalid'), condition('Programmed', 'False', 'Invalid')];
    assert.deepEqual(conditionNotes({ conditions }), ['not Accepted (Invalid): why', 'not Programmed (Invalid): why']);
  });
});
