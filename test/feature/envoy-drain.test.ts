/**
 * Drains under 500 requests per second, through a real Envoy to real workloads (drain-scene.ts): no request fails, the drained workloads get
 * nothing more, and everything comes back. The command is the real one.
 */

import assert from 'node:assert/strict';
import { waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type DrainScene, type Stream, startDrainScene, type Workload } from './drain-scene.ts';

interface Report {
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

for (const mode of ['eager', 'on-demand'] as const) {
  describe(`a drain under load, where proxies are ${mode}`, function () {
    this.timeout(120_000);
    drains(mode);
  });
}

function drains(mode: 'eager' | 'on-demand'): void {
  let scene: DrainScene;

  before(async function () {
    const started = await startDrainScene(mode);
    if (started === undefined) return skip(this, noEnvoy);
    scene = started;
  });
  after(() => scene?.stop());

  const isIn =
    (cluster: string, zone = '') =>
    (workload: Workload): boolean =>
      workload.cluster === cluster && (zone === '' || workload.zone === zone);

  const drainOf = async (name: string): Promise<Map<string, Report['conditions'][number]>> => {
    const { out } = await scene.run(['get', 'drains', name, '-o', 'json']);
    const { items } = JSON.parse(out) as { readonly items: readonly Report[] };
    return new Map((items[0]?.conditions ?? []).map((condition) => [condition.type, condition]));
  };

  /** Waits until load goes on elsewhere and these workloads take none of it any more. */
  async function untilIdle(isOne: (workload: Workload) => boolean): Promise<void> {
    let before = { here: scene.count(isOne), there: scene.count((one) => !isOne(one)) };
    await waitFor('a hundred requests, none of them to the drained', () => {
      const now = { here: scene.count(isOne), there: scene.count((one) => !isOne(one)) };
      if (now.here > before.here) before = now;
      return now.there - before.there > 100;
    });
  }

  it('refuses to leave a service with nothing, and says which', async () => {
    const refused = await scene.run(['cluster', 'drain', 'west']);
    assert.equal(refused.exit, 1, refused.err);
    assert.match(refused.err, /FW-CLI-114 1 of 3 services have requests that nothing else could answer: shop\/lonely/);
    assert.match(refused.out, /shop\/reviews:80 +east 2, west 2 +east 50%, west 50% +east 100% +east 2\.0× +moves/);
    assert.match(refused.out, /shop\/lonely:80 +west 1 +west 100% +west 100% +- +stays/);
    assert.match((await scene.run(['get', 'drains'])).err, /No drains found/);
    const unknown = await scene.run(['cluster', 'drain', 'north']);
    assert.match(unknown.err, /FW-CLI-112 no cluster named north is registered/);
    const nowhere = await scene.run(['cluster', 'drain', 'west', '--zone', 'z']);
    assert.match(
      nowhere.err,
      /FW-CLI-113 nothing is there to drain: no service that is meant has endpoints in zone z of cluster west/,
    );
  });

  it('moves a cluster in steps, over a restart of the pilot, and loses no request', async () => {
    const load = scene.startLoad(['reviews.shop', 'ratings.shop']);
    await waitFor('west to take its part', () => scene.count(isIn('west')) > 100);
    const services = ['--service', 'shop/reviews', '--service', 'shop/ratings'];
    const drained = scene.run(['cluster', 'drain', 'west', '--over', '5s', ...services, '--wait']);
    await waitFor('a step between the first and the last', async () => {
      const message = (await drainOf('west')).get('Drained')?.message ?? '';
      return /^[2-6]0%, step/.test(message);
    });
    await scene.restartPilot();
    const after = (await drainOf('west')).get('Drained')?.message ?? '';
    assert.doesNotMatch(after, /^(0|10)%/, 'it begins anew');
    const done = await drained;
    assert.equal(done.exit, 0, done.err);
    const again = await scene.run(['cluster', 'drain', 'west', '--over', '5s', ...services, '--wait']);
    assert.equal(again.exit, 0, again.err);
    assert.match(again.out, /drain\.fairway\.dev\/west unchanged/);
    const conditions = await drainOf('west');
    assert.equal(conditions.get('Drained')?.message, '100%, step 10 of 10: 2 of 2 services moved out of cluster west');
    assert.equal(conditions.get('Accepted')?.status, 'True');
    assert.match((await scene.run(['get', 'drains'])).out, /west +west +- +2 +5s +100% +True +True 1\/1/);
    await untilIdle(isIn('west'));
    const undrained = scene.run(['cluster', 'undrain', 'west', '--over', '3s', '--wait']);
    await waitFor('a step between the first and the last of the way back', async () => {
      const { reason, message = '' } = (await drainOf('west')).get('Drained') ?? {};
      return reason === 'Returning' && /^[2-7]0%, step .* 2 services comes back to cluster west$/.test(message);
    });
    const back = await undrained;
    assert.equal(back.exit, 0, back.err);
    assert.equal(back.out, 'drain.fairway.dev/west configured\ndrain.fairway.dev/west deleted\n');
    const before = scene.count(isIn('west'));
    await waitFor('west to take its part again', () => scene.count(isIn('west')) > before + 100);
    const { asked, failures } = await load.stop();
    assert.deepEqual(failures, [], `${failures.length} of ${asked} requests failed`);
    assert.ok(asked > 1000, String(asked));
    assert.match((await scene.run(['cluster', 'undrain', 'west'])).err, /FW-CLI-117/);
  });

  it('moves a zone at once, and lets it back, and loses no request', async () => {
    const load = scene.startLoad(['reviews.shop', 'ratings.shop']);
    const start = scene.count(isIn('east', 'a'));
    await waitFor('zone a to take its part', () => scene.count(isIn('east', 'a')) > start + 100);
    const drained = await scene.run(['cluster', 'drain', 'east', '--zone', 'a', '--wait']);
    assert.equal(drained.exit, 0, drained.err);
    assert.match(drained.out, /drain\.fairway\.dev\/east-a created/);
    assert.match(drained.out, /shop\/reviews:80 +east\/a 1, east\/b 1, west\/c 1, west\/d 1/);
    await untilIdle(isIn('east', 'a'));
    const undrained = await scene.run(['cluster', 'undrain', 'east', '--zone', 'a']);
    assert.equal(undrained.exit, 0, undrained.err);
    const before = scene.count(isIn('east', 'a'));
    await waitFor('zone a to take its part again', () => scene.count(isIn('east', 'a')) > before + 100);
    const { asked, failures } = await load.stop();
    assert.deepEqual(failures, [], `${failures.length} of ${asked} requests failed`);
  });

  it('leaves open streams to end by themselves, as it begins and as it ends', async () => {
    const open = (): Promise<Stream[]> =>
      Promise.all(Array.from({ length: 12 }, () => scene.openStream('ratings.shop')));
    const before = await open();
    assert.ok(before.some(({ cluster }) => cluster === 'west'));
    const drained = await scene.run(['cluster', 'drain', 'west', '--service', 'shop/ratings', '--wait']);
    assert.equal(drained.exit, 0, drained.err);
    const during = await open();
    assert.deepEqual([...new Set(during.map(({ cluster }) => cluster))], ['east']);
    assert.equal((await scene.run(['cluster', 'undrain', 'west'])).exit, 0);
    await waitFor('a stream to west', async () => {
      const stream = await scene.openStream('ratings.shop');
      stream.close();
      return stream.cluster === 'west';
    });
    const streams = [...before, ...during];
    const received = streams.map((stream) => stream.received());
    await waitFor(
      'every stream to go on',
      () => streams.every((stream, index) => stream.received() > (received[index] ?? 0)),
      {},
      () => JSON.stringify(streams.map((stream) => stream.ended())),
    );
    for (const stream of streams) stream.close();
  });

  it('keeps what would be left with nothing, however it was applied, and says so', async () => {
    scene.write(
      'all.yaml',
      [drainText('all-west', 'cluster: west'), drainText('all-east', 'cluster: east')].join('---\n'),
    );
    await waitFor('both to be judged', async () => {
      const [west, east] = [await drainOf('all-west'), await drainOf('all-east')];
      return west.get('Accepted')?.reason === 'NoCapacity' && east.get('Programmed')?.status === 'True';
    });
    const [west, east] = [await drainOf('all-west'), await drainOf('all-east')];
    // Of equal age, the first by name goes before.
    assert.equal(east.get('Drained')?.message, '100%, step 10 of 10: 2 of 2 services moved out of cluster east');
    assert.equal(west.get('Drained')?.message, '100%, step 10 of 10: 0 of 3 services moved out of cluster west');
    assert.equal(west.get('Drained')?.reason, 'NoCapacity');
    assert.match(west.get('Accepted')?.message ?? '', /3 of 3 .* stay: shop\/lonely, shop\/ratings, shop\/reviews/);
    assert.match((await scene.run(['get', 'drains'])).out, /not Accepted \(NoCapacity\)/);
    const load = scene.startLoad(['reviews.shop', 'ratings.shop', 'lonely.shop']);
    const before = scene.count(isIn('west'));
    await waitFor('west to answer all', () => scene.count(isIn('west')) > before + 300);
    const { failures } = await load.stop();
    assert.deepEqual(failures, []);
  });
}

function drainText(name: string, spec: string): string {
  return `apiVersion: fairway.dev/v1alpha1\nkind: Drain\nmetadata: {name: ${name}}\nspec: {${spec}}\n`;
}
