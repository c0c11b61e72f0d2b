/** A cluster's API is lost and comes back: what it last said stays in force, and nobody else notices. */

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

describe('a cluster’s API that is lost', () => {
  let scene: Scene;

  before(async function () {
    this.timeout(180_000);
    scene = await theScene();
  });
  guardEachTest();
  afterEach(async () => {
    scene.westLine.set('carry');
    await untilPhase(scene, 'west', 'fresh');
    await scene.deleteRule();
    for (const cluster of [scene.east, scene.west]) await cluster.pods.get('reviews-v3')?.delete();
  });

  it('killed and back: its endpoints stay, it is marked stale, the other cluster’s changes still arrive', async () => {
    const loads = await scene.startLoads(200);
    await untilAnswersAre(loads, everywhere);
    const before = (await scene.pilot.endpoints()).filter(({ cluster }) => cluster === 'west').length;
    await scene.west.api.kill();
    try {
      await untilPhase(scene, 'west', 'stale');
      const kept = (await scene.pilot.endpoints()).filter(({ cluster }) => cluster === 'west');
      assert.equal(kept.length, before);
      assert.ok(
        kept.every(({ staleSince }) => staleSince !== undefined),
        JSON.stringify(kept[0]),
      );
      await untilAnswersAre(loads, everywhere);
      const pod = await runReviews(scene.east, 'v3');
      await untilAnswersAre(loads, [...everywhere, '200 v3 east']);
      await pod.delete();
      await untilAnswersAre(loads, everywhere);
    } finally {
      await scene.west.api.restart();
    }
    await untilPhase(scene, 'west', 'fresh');
    await untilAnswersAre(loads, everywhere);
    await checkLoads();
  });

  it('cut off from the pilot alone: what was deleted meanwhile is found after the return', async () => {
    await runReviews(scene.west, 'v3');
    const loads = await scene.startLoads(200);
    await untilAnswersAre(loads, [...everywhere, '200 v3 west']);
    scene.westLine.set('refuse');
    await untilPhase(scene, 'west', 'stale');
    // The pilot cannot know that v3 ends; so a rule keeps load away from it first, as an operator would.
    await scene.applyRule([
      {
        backends: [
          { version: 'v1', weight: 1 },
          { version: 'v2', weight: 1 },
        ],
      },
    ]);
    await untilAnswersAre(loads, everywhere);
    await scene.west.pods.get('reviews-v3')?.delete();
    assert.ok(
      (await scene.pilot.endpoints()).some(({ version }) => version === 'v3'),
      'kept while its cluster is silent',
    );
    scene.westLine.set('carry');
    await untilPhase(scene, 'west', 'fresh');
    await scene.deleteRule();
    await untilAnswersAre(loads, everywhere);
    assert.ok(
      !(await scene.pilot.endpoints()).some(({ version }) => version === 'v3'),
      'gone once its cluster said so',
    );
    await checkLoads();
  });

  it('its history is compacted while it is out of reach: it is listed anew, without loss', async () => {
    const loads = await scene.startLoads(200);
    scene.westLine.set('refuse');
    await untilPhase(scene, 'west', 'stale');
    const pod = await runReviews(scene.west, 'v3');
    await scene.west.api.compact();
    await scene.west.api.restart();
    scene.westLine.set('carry');
    await untilPhase(scene, 'west', 'fresh');
    await untilAnswersAre(loads, [...everywhere, '200 v3 west']);
    await pod.delete();
    await untilAnswersAre(loads, everywhere);
    await checkLoads();
  });

  it('answering slowly does not slow the other cluster down', async () => {
    const loads = await scene.startLoads(100);
    scene.westLine.set('carry', 2000);
    const pod = await runReviews(scene.east, 'v3');
    await untilAnswersAre(loads, [...everywhere, '200 v3 east']);
    await pod.delete();
    await untilAnswersAre(loads, everywhere);
    await checkLoads();
  });
});
