import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../../src/core/logger.ts';
import { RuleMemory } from '../../../../src/pilot/rules/rule-memory.ts';
import { waitFor } from '../../../rig/wait.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

describe('the memory of rules on disk', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-memory-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const saved = { id: 'TrafficRule/shop/a', object: { kind: 'TrafficRule' }, generation: 1, origin: 'a.yaml' };

  async function failOnce(): Promise<{ clock: ManualClock; memory: RuleMemory; obstacle: string }> {
    const clock = new ManualClock();
    let errors = 0;
    const logger = { ...silentLogger, error: () => void (errors += 1) };
    const memory = new RuleMemory({ folder, clock, logger });
    memory.save('east', () => [saved]);
    clock.advance(500);
    await waitFor('the file', () => readdirSync(folder).some((name) => name.endsWith('.json')));
    const [name = ''] = readdirSync(folder).filter((each) => each.endsWith('.json'));
    // A folder of the name cannot be replaced by a file.
    const obstacle = join(folder, name);
    rmSync(obstacle);
    mkdirSync(obstacle);
    memory.save('east', () => [saved, { ...saved, id: 'TrafficRule/shop/b' }]);
    clock.advance(500);
    await waitFor('the failure', () => errors === 1);
    return { clock, memory, obstacle };
  }

  it('saves again what could not be saved', async () => {
    const { clock, memory, obstacle } = await failOnce();
    rmdirSync(obstacle);
    await waitFor('the file', () => {
      clock.advance(30_000);
      return memory.load('east') !== undefined;
    });
    assert.equal(memory.load('east')?.objects.length, 2);
    await memory.close();
  });

  it('saves nothing of a source that is gone meanwhile', async () => {
    const { clock, memory, obstacle } = await failOnce();
    memory.forget('east');
    rmdirSync(obstacle);
    clock.advance(60_000);
    await memory.close();
    assert.equal(memory.load('east'), undefined);
  });
});
