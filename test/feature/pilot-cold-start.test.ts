/**
 * A pilot that starts while its sources are out of reach: what was saved before is in force, marked; what went meanwhile is found when they
 * are back. The inventory's and the rules' last good state on a real disk, and the sources in memory.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import type { RawObject } from '../../src/model/object.ts';
import { RuleInputs } from '../../src/pilot/rules/rule-inputs.ts';
import { RuleMemory } from '../../src/pilot/rules/rule-memory.ts';
import { FolderLastGoodStore } from '../../src/registry/last-good.ts';
import type { RuleSink, RuleSource } from '../../src/registry/rule-sink.ts';
import { outbound, PilotRig } from '../support/pilot.ts';
import { rawRule } from '../support/rules.ts';

/** A source of rules that a test speaks for. */
class Primary {
  readonly sink: Promise<RuleSink>;
  #resolve: (sink: RuleSink) => void = () => {};

  constructor() {
    this.sink = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  readonly start = (sink: RuleSink): RuleSource => {
    this.#resolve(sink);
    return { stop: () => Promise.resolve() };
  };
}

/** The same objects as in `rawRule`, named `name` and for the service of that name. */
function rule(name: string, version: string): RawObject {
  return rawRule(`{service: ${name}, routes: [{backends: [{version: ${version}}]}]}`, { name });
}

interface Run {
  readonly rig: PilotRig;
  readonly inputs: RuleInputs;
  readonly primary: RuleSink;
  stop(): Promise<void>;
}

describe('pilot: a start from the saved state', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-cold-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function run(logger: Logger = silentLogger): Promise<Run> {
    const clock = systemClock;
    const rig = await PilotRig.start({
      ready: false,
      inventory: {
        lastGood: new FolderLastGoodStore({ folder, clock, logger: silentLogger }),
        settings: { unreachableWaitMs: 50 },
      },
    });
    const inputs = new RuleInputs(rig.rules, logger, new RuleMemory({ folder: join(folder, 'rules'), clock, logger }));
    const primary = new Primary();
    inputs.attach('cluster primary', primary.start);
    return {
      rig,
      inputs,
      primary: await primary.sink,
      async stop() {
        await rig.stop();
        await inputs.stop();
      },
    };
  }

  async function firstLife(): Promise<void> {
    const { rig, primary, stop } = await run();
    rig.service('east', 'reviews', ['10.0.0.1@v1', '10.0.0.2@v2']);
    rig.service('west', 'ratings', ['10.1.0.1@v1']);
    primary.put(rule('reviews', 'v2'), 'a');
    primary.put(rule('ratings', 'v1'), 'b');
    primary.put(rawRule('{service: reviews, routes: 7}', { name: 'reviews' }), 'a');
    primary.synced();
    await stop();
  }

  it('serves clusters and rules as they were, the last good form of a broken rule too, and finds what went meanwhile', async () => {
    await firstLife();
    const { rig, inputs, primary, stop } = await run();
    try {
      rig.cluster('east', { reachable: false });
      rig.cluster('west', { reachable: false });
      const waits = { recalledMs: 100, unreachableMs: 500, silentMs: 5000 };
      assert.equal(inputs.synced, false);
      assert.equal(inputs.settled(50, waits), false);
      assert.equal(inputs.settled(100, waits), true);
      await rig.inventory.whenSettled();
      rig.engine.open();
      const envoy = rig.openEnvoy();
      await rig.until(() => envoy.routes('ratings')[0] === outbound('ratings', 'v1'));
      assert.deepEqual(envoy.routes('reviews'), [outbound('reviews', 'v2')]);
      assert.deepEqual(envoy.levels(outbound('reviews', 'v2')), [['10.0.0.2']]);
      assert.deepEqual(
        [...rig.inventory.clusters()].map(([, { state }]) => state.phase),
        ['stale', 'stale'],
      );
      assert.equal(rig.condition('Accepted').reason, 'Invalid');

      primary.put(rule('reviews', 'v1'), 'a');
      primary.synced();
      await rig.until(
        () => envoy.routes('ratings')[0] === outbound('ratings'),
        'the rule that was deleted meanwhile to go',
      );
      await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v1'));
      // West comes back without its service: as with rules, that is found.
      rig.cluster('west').regain();
      await rig.until(() => envoy.routes('ratings').length === 0);
    } finally {
      await stop();
    }
    const third = await run();
    assert.deepEqual(
      third.rig.rules.records().map(({ name }) => name),
      ['reviews'],
    );
    await third.stop();
  });

  it('saves nothing of a source that was not read: what is on disk stays', async () => {
    await firstLife();
    const second = await run();
    second.primary.problem([{ code: 'FW-KUBE-001', severity: 'error', message: 'no answer', where: {}, hint: 'wait' }]);
    await second.stop();
    const third = await run();
    assert.deepEqual(
      third.rig.rules.records().map(({ name }) => name),
      ['ratings', 'reviews'],
    );
    await third.stop();
  });

  it('says so when the saved rules cannot be used, and goes on without', async () => {
    await firstLife();
    const [file] = readdirSync(join(folder, 'rules')).map((name) => join(folder, 'rules', name));
    assert.ok(file !== undefined);
    const good = readFileSync(file, 'utf8');
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"format":1}',
      good.replace('v1', 'v9'),
      good.slice(0, -9),
      '{"format":2}',
    ]) {
      writeFileSync(file, text);
      const said: unknown[] = [];
      const logger: Logger = { ...silentLogger, error: (message, fields) => said.push({ message, ...fields }) };
      const { rig, stop } = await run(logger);
      assert.deepEqual(rig.rules.records(), [], text);
      assert.equal(said.length, 1, text);
      assert.match(JSON.stringify(said[0]), /FW-PILOT-001/);
      await stop();
    }
  });

  it('keeps the files of sources apart whose names are alike', async () => {
    const memory = new RuleMemory({ folder, clock: systemClock, logger: silentLogger });
    memory.save('cluster a b', () => [{ id: 'x', object: { a: 1 } }]);
    memory.save('cluster a-b', () => [{ id: 'y', object: { b: 1 } }]);
    await memory.close();
    assert.deepEqual(memory.load('cluster a b')?.objects, [{ id: 'x', object: { a: 1 } }]);
    assert.deepEqual(memory.load('cluster a-b')?.objects, [{ id: 'y', object: { b: 1 } }]);
  });
});
