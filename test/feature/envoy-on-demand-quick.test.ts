/**
 * On-demand mode with a real Envoy under load: rules that come and are withdrawn at once, or change into others, while the sidecar may still be
 * fetching what they lead to. Skipped, and said so, where there is no Envoy.
 */

import assert from 'node:assert/strict';
import { pause, waitFor } from '../rig/wait.ts';
import { outbound, PilotRig } from '../support/pilot.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { startHttpWorkload, type Workload } from './envoy-rig.ts';
import { putService, type Sidecar, startSidecar, whenReady } from './vhds-rig.ts';

const versions = ['v1', 'v2', 'v3'];
/** Times that a rule comes and goes. */
const cycles = 60;
/** Between what is applied, in turn (ms): from nothing to longer than a sidecar takes to have all of it. */
const gaps = [0, 1, 2, 3, 5, 8, 13, 30];

describe('rules that come and go at once, on demand, with a real Envoy', function () {
  this.timeout(120_000);
  let rig: PilotRig;
  let sidecar: Sidecar;
  const workloads: Workload[] = [];

  before(async function () {
    rig = await PilotRig.start({ settings: { outbound: 'registered-only' } });
    for (const name of versions) workloads.push(await startHttpWorkload(name));
    for (const name of ['reviews', 'ratings']) putService(rig, name, workloads);
    const started = await startSidecar(rig.port, { config: 'on-demand' });
    if (started === undefined) return skip(this, noEnvoy);
    sidecar = started;
    await whenReady(sidecar);
  });

  after(async () => {
    await sidecar?.stop();
    await rig?.stop();
    for (const workload of workloads) await workload.stop();
  });

  /** Asks for both services all the time, with bodies and without, while `changes` goes on. */
  async function underLoad(changes: () => Promise<void>): Promise<{ asked: number; failures: readonly string[] }> {
    const failures: string[] = [];
    let [asked, going] = [0, true];
    const load = Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        while (going) {
          const ask = index % 4 === 3 ? { method: 'POST', content: 'x'.repeat(1000) } : {};
          const { status, body } = await sidecar.ask(index % 2 === 0 ? 'reviews.shop' : 'ratings.shop', ask);
          asked++;
          if (status !== 200) failures.push(`${status} ${body}`);
        }
      }),
    );
    await changes();
    going = false;
    await load;
    return { asked, failures };
  }

  const gap = (index: number): number => gaps[index % gaps.length] ?? 0;
  const routed = (service: string, ...backends: readonly string[]): void =>
    rig.rule(
      `{service: ${service}, routes: [{backends: [${backends.map((version) => `{version: ${version}, weight: 1}`).join(', ')}]}]}`,
      service,
    );

  it('loses no request to a rule that is withdrawn as soon as it came', async () => {
    const { asked, failures } = await underLoad(async () => {
      for (let index = 0; index < cycles; index++) {
        routed('reviews', ...versions);
        routed('ratings', versions[index % 3] ?? '');
        await pause(gap(index));
        rig.deleteRule('reviews');
        rig.deleteRule('ratings');
        await pause(gap(index * 3 + 1));
      }
      await rig.quiet();
    });
    assert.ok(asked > cycles, String(asked));
    assert.deepEqual([...new Set(failures)], [], `${failures.length} of ${asked} failed`);
  });

  it('loses none to a rule that becomes another and another', async () => {
    const { asked, failures } = await underLoad(async () => {
      for (let index = 0; index < cycles; index++) {
        routed('reviews', versions[index % 3] ?? '');
        routed('ratings', ...versions.filter((_, at) => at !== index % 3));
        await pause(gap(index));
      }
      rig.deleteRule('reviews');
      rig.deleteRule('ratings');
      await rig.quiet();
    });
    assert.ok(asked > cycles, String(asked));
    assert.deepEqual([...new Set(failures)], [], `${failures.length} of ${asked} failed`);
  });

  it('leaves the sidecar with what is in force', async () => {
    await waitFor('the Envoy clusters of the rules to go', async () => {
      const { clusters } = await sidecar.held();
      return clusters.every((name) => ['BlackHoleCluster', outbound('reviews'), outbound('ratings')].includes(name));
    });
    routed('reviews', 'v2');
    await waitFor('a rule that stays', async () => (await sidecar.ask('reviews.shop')).said.name === 'v2');
  });
});
