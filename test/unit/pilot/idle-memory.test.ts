import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** In a process of its own, since what it sets is the process's: one second of turns, each of which leaves much behind for a while. */
const burst = (isBounded: boolean): number => {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { systemClock } from './src/core/clock.ts';
    import { IdleMemory } from './src/pilot/idle-memory.ts';
    const memory = ${isBounded} ? new IdleMemory(systemClock) : undefined;
    const kept = [];
    for (let turn = 0; turn < 400; turn++) {
      kept.push(Array.from({ length: 10_000 }, (_, at) => ({ at })));
      if (kept.length > 40) kept.shift();
      await new Promise((next) => setImmediate(next));
    }
    memory?.stop();
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return Number(stdout);
};

describe('idle memory', () => {
  it('keeps the young generation smaller in a burst of work than it would be', function () {
    this.timeout(30_000);
    const [free, bounded] = [burst(false), burst(true)];
    assert.ok(bounded < free, `${bounded} is not below ${free}`);
    assert.ok(bounded >= 8 * 10 ** 6, `${bounded} is less than it may have`);
  });
});
