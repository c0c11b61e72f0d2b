/** The pilot ends, gently or not, and comes back; the sidecars go on with what they hold, and converge with the next one. */

import assert from 'node:assert/strict';
import {
  checkLoads,
  everywhere,
  guardEachTest,
  runReviews,
  type Scene,
  theScene,
  untilAnswersAre,
  untilPhase,
} from './scene.ts';

describe('a pilot that is restarted under load', () => {
  let scene: Scene;

  before(async function () {
    this.timeout(180_000);
    scene = await theScene();
  });
  guardEachTest();
  afterEach(async () => {
    scene.westLine.set('carry');
    if (!scene.pilot.process.running()) await scene.startPilot();
    await untilPhase(scene, 'west', 'fresh');
    await scene.deleteRule();
    await scene.east.pods.get('reviews-v3')?.delete();
  });

  it('ended by SIGTERM: it exits with 0, no request fails, and the next one takes over', async () => {
    const loads = await scene.startLoads(500);
    await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
    await untilAnswersAre(loads, ['200 v2 west']);
    const exit = await scene.pilot.stop();
    assert.deepEqual(exit, { code: 0, signal: null }, scene.pilot.process.logTail());
    for (const load of loads) assert.deepEqual([...(await load.next(200)).keys()], ['200 v2 west']);
    await scene.startPilot();
    await scene.applyRule([{ backends: [{ version: 'v1', cluster: 'east' }] }]);
    await untilAnswersAre(loads, ['200 v1 east'], 30_000);
    await checkLoads();
  });

  it('killed: no request fails, and what changed meanwhile arrives with the next one', async () => {
    const loads = await scene.startLoads(500);
    await untilAnswersAre(loads, everywhere);
    await scene.pilot.kill();
    await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
    for (const load of loads) await load.next(200);
    await scene.startPilot();
    await untilAnswersAre(loads, ['200 v2 west'], 30_000);
    await checkLoads();
  });

  it('started while a cluster is out of reach: it serves that cluster’s last good state, marked stale', async () => {
    const loads = await scene.startLoads(200);
    await untilAnswersAre(loads, everywhere);
    const before = (await scene.pilot.endpoints()).filter(({ cluster }) => cluster === 'west').length;
    await scene.pilot.stop();
    scene.westLine.set('refuse');
    await scene.startPilot();
    await untilPhase(scene, 'west', 'stale');
    const kept = (await scene.pilot.endpoints()).filter(({ cluster }) => cluster === 'west');
    assert.equal(kept.length, before);
    assert.ok(
      kept.every(({ staleSince }) => staleSince !== undefined),
      JSON.stringify(kept[0]),
    );
    await untilAnswersAre(loads, everywhere);
    // A change in the reachable cluster is served, and a rule for the lost one still works.
    const pod = await runReviews(scene.east, 'v3');
    await untilAnswersAre(loads, [...everywhere, '200 v3 east']);
    await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
    await untilAnswersAre(loads, ['200 v2 west']);
    await pod.delete();
    await checkLoads();
  });
});
