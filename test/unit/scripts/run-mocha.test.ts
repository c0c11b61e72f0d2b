import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runVariable } from '../../support/leftovers.ts';

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of the processes that the run says it started. */
  readonly pids: readonly number[];
}

/** A run of one of the files in test/support/runs; it has a sign of its own. */
function run(name: string, command: readonly string[]): Outcome {
  const { [runVariable]: _, ...env } = process.env;
  const file = join('test/support/runs', `${name}.ts`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, file], { encoding: 'utf8', env });
  const pids = /pids ([\d ]+)\n/.exec(stdout)?.[1]?.split(' ').map(Number) ?? [];
  return { status, stdout, stderr, pids };
}

/** A zombie that nobody reaps counts as ended. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a run of mocha', function () {
  this.timeout(60_000);
  const runner = (limitMs: number): readonly string[] => ['test/support/runs/run.ts', String(limitMs)];

  for (const [title, command] of [
    ['by itself', ['node_modules/mocha/bin/mocha.js']],
    ['by the runner', runner(120_000)],
  ] as const)
    it(`ends ${title}, with its exit code, when a failed hook leaves processes behind, and names and ends them`, () => {
      const outcome = run('failing-hook', command);
      assert.equal(outcome.status, 1);
      assert.match(outcome.stdout, /^0 passed, 1 failed$/m);
      assert.equal(outcome.pids.length, 2);
      for (const pid of outcome.pids) assert.match(outcome.stderr, new RegExp(`sleep \\(pid ${pid}\\)`));
      assert.deepEqual(outcome.pids.filter(isRunning), []);
    });

  it('ends what outlives mocha, and is no failure for it', () => {
    const outcome = run('orphan', runner(120_000));
    assert.equal(outcome.status, 0);
    assert.match(outcome.stdout, /^1 passed, 0 failed$/m);
    assert.match(outcome.stderr, new RegExp(`left processes behind, .*sleep \\(pid ${outcome.pids[0]}\\)`));
    assert.deepEqual(outcome.pids.filter(isRunning), []);
  });

  it('ends after its limit, and has failed', () => {
    const outcome = run('endless', runner(4000));
    assert.equal(outcome.status, 1);
    assert.match(outcome.stderr, /the tests take longer than 4 s: they are ended/);
    assert.deepEqual(outcome.pids.filter(isRunning), []);
  });
});
