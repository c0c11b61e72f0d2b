/** What people read of a run, and what is kept of it. */

import { strict as assert } from 'node:assert';
import { renderOutcomes, renderResults } from '../../conformance/results-table.ts';
import type { TestResult } from '../../conformance/suite.ts';

const results: readonly TestResult[] = [
  { name: 'MeshBasic', outcome: 'passed', seconds: 0.11, why: '' },
  { name: 'MeshPorts', outcome: 'failed', seconds: 30.8, why: 'no header\ntimeout' },
  { name: 'MeshIp', outcome: 'skipped', seconds: 0, why: 'not supported' },
];

describe('a table of results', () => {
  it('has a line for each test, why it failed below it, and the line that CI counts', () => {
    assert.deepEqual(renderResults('The suite', results).split('\n'), [
      'The suite',
      '  passed   MeshBasic    0.1 s',
      '  failed   MeshPorts   30.8 s  no header',
      '                               timeout',
      '  skipped  MeshIp       0.0 s  not supported',
      '',
      '1 passed, 1 failed, 1 skipped',
      '',
    ]);
  });

  it('is the same after every run that came out the same, where it is kept', () => {
    const slower = results.map((result) => ({ ...result, seconds: result.seconds + 1 }));
    assert.equal(renderOutcomes('The suite', slower), renderOutcomes('The suite', results));
  });
});
