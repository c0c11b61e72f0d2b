/** Requests that wait, in the delay or between the tries of a rule that is withdrawn meanwhile: a real Envoy still has where they were going. */

import assert from 'node:assert/strict';
import { defaultXdsLimits } from '../../src/xds/limits.ts';
import { waitFor } from '../rig/wait.ts';
import { endpoint } from '../support/fixtures.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type Fleet, startFleet } from './envoy-fleet.ts';
import { startHttpWorkload, type Workload } from './envoy-rig.ts';

describe('a rule that is withdrawn while requests wait, in a real Envoy', function () {
  this.timeout(60_000);
  let fleet: Fleet;
  const workloads: Workload[] = [];

  before(async function () {
    const { removalGraceMs } = defaultXdsLimits;
    const started = await startFleet([{ name: 'web', cluster: 'east', address: '10.1.0.1' }], {
      limits: { removalGraceMs },
    });
    if (started === undefined) return skip(this, noEnvoy);
    fleet = started;
    for (const name of ['v1', 'v2']) workloads.push(await startHttpWorkload(name));
    const endpoints = workloads.map(({ name, port }) =>
      endpoint('east', '127.0.0.1', { ports: new Map([['http', port]]), version: name, workload: name }),
    );
    fleet.pilot.service('east', 'reviews', [], { endpoints });
  });

  after(async () => {
    await fleet?.stop();
    for (const workload of workloads) await workload.stop();
  });

  async function apply(routes: string): Promise<void> {
    fleet.pilot.rule(`{service: reviews, routes: ${routes}}`);
    await fleet.settled();
  }

  const askAtOnce = (path: string, times: number): Promise<readonly string[]> => {
    const { ask } = fleet.member('web');
    return Promise.all(
      Array.from({ length: times }, async () => {
        const { status, said, body } = await ask('reviews.shop', { path });
        return status === 200 ? said.name : `${status} ${body}`;
      }),
    );
  };

  /** The sum of Envoy's counters whose names end so. */
  async function count(counter: string): Promise<number> {
    const lines = (await fleet.member('web').admin(`/stats?filter=${counter}$`)).matchAll(/: (\d+)$/gm);
    return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
  }

  it('all of them get there, and the rule is withdrawn without waiting for them', async () => {
    await apply('[{backends: [{version: v2}], fault: {delay: {percent: 100, duration: 2s}}}]');
    let isOver = false;
    const waiting = askAtOnce('/', 40).finally(() => {
      isOver = true;
    });
    await waitFor('the requests to wait', async () => (await count('delays_injected')) >= 40, { intervalMs: 20 });
    fleet.pilot.deleteRule();
    await fleet.settled();
    assert.equal(isOver, false);
    assert.deepEqual(new Set(await askAtOnce('/', 40)), new Set(['v1', 'v2']));
    assert.deepEqual(new Set(await waiting), new Set(['v2']));
  });

  it('the Envoy cluster goes after that', async () => {
    const has = async (): Promise<boolean> => (await fleet.member('web').admin('/clusters')).includes('|v2|');
    await waitFor('the cluster to go', async () => !(await has()), { intervalMs: 100 });
  });
});
