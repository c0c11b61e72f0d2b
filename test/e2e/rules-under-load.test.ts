/** 500 requests a second go on while rules are applied, changed and deleted; each request must get its answer. */

import { checkLoads, everywhere, guardEachTest, type Scene, theScene, untilAnswersAre } from './scene.ts';

describe('rules that change under load', () => {
  let scene: Scene;

  before(async function () {
    this.timeout(180_000);
    scene = await theScene();
  });
  guardEachTest();
  afterEach(() => scene.deleteRule());

  it('applying, changing and deleting loses no request', async () => {
    const loads = await scene.startLoads(500);
    for (let round = 0; round < 4; round++) {
      await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
      await untilAnswersAre(loads, ['200 v2 west']);
      await scene.applyRule([
        {
          backends: [
            { version: 'v1', weight: 50 },
            { cluster: 'west', version: 'v2', weight: 50 },
          ],
        },
      ]);
      await untilAnswersAre(loads, ['200 v1 east', '200 v1 west', '200 v2 west']);
      await scene.applyRule([
        { backends: [{ version: 'v1', cluster: 'east', fallback: [{}] }], timeouts: { request: '3s' } },
      ]);
      await untilAnswersAre(loads, ['200 v1 east']);
      await scene.deleteRule();
      await untilAnswersAre(loads, everywhere);
    }
    await checkLoads();
  });

  it('twenty changes, as fast as kubectl makes them, lose no request', async () => {
    const loads = await scene.startLoads(500);
    for (let round = 0; round < 10; round++) {
      await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
      await scene.applyRule([{ backends: [{ version: 'v1', cluster: 'east' }] }]);
    }
    await untilAnswersAre(loads, ['200 v1 east']);
    await checkLoads();
  });
});
