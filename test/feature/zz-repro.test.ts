import { typeUrl } from '../../src/core/type-urls.ts';
import { PilotRig } from '../support/pilot.ts';
import { startHttpWorkload } from './envoy-rig.ts';
import { putService, startSidecar, whenReady } from './vhds-rig.ts';

describe('repro', function () {
  this.timeout(60_000);
  it('x', async () => {
    const rig = await PilotRig.start({ settings: { outbound: 'registered-only' } });
    const workloads = [await startHttpWorkload('v1'), await startHttpWorkload('v2')];
    putService(rig, 'reviews', workloads);
    const sidecar = await startSidecar(rig.port, { config: 'on-demand' });
    if (sidecar === undefined) return;
    await whenReady(sidecar);
    await sidecar.ask('reviews.shop');
    const failures = new Map<string, number>();
    let moving = true;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (moving) {
          const { status, body } = await sidecar.ask('reviews.shop');
          if (status !== 200) failures.set(`${status} ${body}`, (failures.get(`${status} ${body}`) ?? 0) + 1);
        }
      }),
    );
    for (let i = 0; i < 40; i++) {
      const sent = rig.events.filter((e) => e.kind === 'sent' && e.typeUrl === typeUrl.virtualHost).length;
      const chain = ['{version: v1}', '{version: v2}', '{cluster: east}', '{version: v1, cluster: east}', '{version: v2, cluster: east}'][i % 5];
      const fb = '{}, {version: v1}, {version: v2}, {cluster: east}'.split(', ').slice(0, 0);
      rig.rule(`{service: reviews, routes: [{backends: [{version: v${1 + (i % 2)}, fallback: [{version: x${i}}, {}]}]}]}`);
      void chain; void fb;
      await rig.until(() => rig.events.filter((e) => e.kind === 'sent' && e.typeUrl === typeUrl.virtualHost).length > sent);
      rig.deleteRule();
      await rig.quiet();
    }
    moving = false;
    await load;
    console.log([...failures]);
    await sidecar.stop();
    await rig.stop();
    for (const w of workloads) await w.stop();
  });
});
