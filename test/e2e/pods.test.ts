/** Pods come and go, as deployments and kubelets make them, while load goes on; each request must get its answer. */

import { strategicPatch } from '../rig/kubernetes/client.ts';
import {
  checkLoads,
  everywhere,
  guardEachTest,
  namespace,
  runReviews,
  type Scene,
  theScene,
  untilAnswersAre,
} from './scene.ts';

describe('pods that come and go under load', () => {
  let scene: Scene;

  before(async function () {
    this.timeout(180_000);
    scene = await theScene();
  });
  guardEachTest();
  afterEach(async () => {
    await scene.deleteRule();
    for (const cluster of [scene.east, scene.west]) await cluster.pods.get('reviews-v3')?.delete();
  });

  it('a new version is used once it is ready and left before it ends', async () => {
    const loads = await scene.startLoads(300);
    await untilAnswersAre(loads, everywhere);
    const pods = await Promise.all([runReviews(scene.east, 'v3'), runReviews(scene.west, 'v3', 'explicit')]);
    await untilAnswersAre(loads, [...everywhere, '200 v3 east', '200 v3 west']);
    await Promise.all(pods.map((pod) => pod.delete()));
    await untilAnswersAre(loads, everywhere);
    await checkLoads();
  });

  it('rolling every pod of a version that a rule wants loses no request', async () => {
    const loads = await scene.startLoads(300);
    await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
    await untilAnswersAre(loads, ['200 v2 west']);
    const old = scene.west.pods.get('reviews-v2');
    if (old === undefined) throw new Error('reviews-v2 is not in west');
    const surge = await runReviews(scene.west, 'v2', 'captured', 'reviews-v2-surge');
    await old.delete();
    await runReviews(scene.west, 'v2');
    await surge.delete();
    await untilAnswersAre(loads, ['200 v2 west']);
    await checkLoads();
  });

  it('deleting the last pod of the wanted version sends its load along the chain', async () => {
    const loads = await scene.startLoads(300);
    await scene.applyRule([
      { backends: [{ version: 'v3', cluster: 'east', fallback: [{ version: 'v2', cluster: 'west' }] }] },
    ]);
    await untilAnswersAre(loads, ['200 v2 west']);
    const pod = await runReviews(scene.east, 'v3');
    await untilAnswersAre(loads, ['200 v3 east']);
    await pod.delete();
    await untilAnswersAre(loads, ['200 v2 west']);
    await checkLoads();
  });

  it('a pod that turns unready is left alone, and used again once it is ready', async () => {
    const loads = await scene.startLoads(100);
    await untilAnswersAre(loads, everywhere);
    const ready = async (holds: boolean): Promise<void> => {
      const status = { status: { conditions: [{ type: 'Ready', status: holds ? 'True' : 'False' }] } };
      const path = `/api/v1/namespaces/${namespace}/pods/reviews-v1/status`;
      await scene.east.api.client.must('PATCH', path, status, strategicPatch);
    };
    try {
      await ready(false);
      await untilAnswersAre(
        loads,
        everywhere.filter((answer) => answer !== '200 v1 east'),
      );
    } finally {
      await ready(true);
    }
    await untilAnswersAre(loads, everywhere);
    await checkLoads();
  });
});
