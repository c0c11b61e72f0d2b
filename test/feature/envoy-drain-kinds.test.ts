/** Drains of what is no plain request, through a real Envoy to real workloads (drain-scene.ts): TCP connections, and copies of requests. */

import assert from 'node:assert/strict';
import { waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type DrainScene, type Stream, startDrainScene, tcpPlaces, type Workload } from './drain-scene.ts';

const mirrored = `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: ratings, namespace: shop}
spec:
  service: ratings
  routes:
  - backends: [{cluster: east}]
    mirrors: [{cluster: west, percent: 100}, {percent: 100}]
`;

describe('a drain of connections and copies', function () {
  this.timeout(60_000);
  let scene: DrainScene;

  before(async function () {
    const started = await startDrainScene('eager', tcpPlaces);
    if (started === undefined) return skip(this, noEnvoy);
    scene = started;
  });
  after(() => scene?.stop());

  const drain = async (service: string, ...more: readonly string[]): Promise<void> => {
    const drained = await scene.run(['cluster', 'drain', 'west', '--service', `shop/${service}`, '--wait', ...more]);
    assert.equal(drained.exit, 0, drained.err);
  };
  const undrain = async (): Promise<void> => {
    assert.equal((await scene.run(['cluster', 'undrain', 'west'])).exit, 0);
  };
  const isIn =
    (cluster: string) =>
    (workload: Workload): boolean =>
      workload.service === 'ratings' && workload.cluster === cluster;

  async function tunnels(times: number): Promise<Stream[]> {
    const streams: Stream[] = [];
    for (let i = 0; i < times; i++) streams.push(await scene.openTunnel('cache.shop:6379'));
    return streams;
  }

  it('sends new connections elsewhere, and leaves those that are open', async () => {
    const before = await tunnels(12);
    assert.deepEqual([...new Set(before.map(({ cluster }) => cluster))].sort(), ['east', 'west']);
    await drain('cache', '--over', '1s');
    const during = await tunnels(12);
    assert.deepEqual([...new Set(during.map(({ cluster }) => cluster))], ['east']);
    await undrain();
    await waitFor('a connection to west', async () => {
      const [stream] = await tunnels(1);
      stream?.close();
      return stream?.cluster === 'west';
    });
    const open = [...before, ...during];
    const received = open.map((stream) => stream.received());
    await waitFor(
      'every connection to go on',
      () => open.every((stream, index) => stream.received() > (received[index] ?? 0)),
      {},
      () => JSON.stringify(open.map((stream) => stream.ended())),
    );
    for (const stream of open) stream.close();
  });

  it('sends copies elsewhere, and copies that have nowhere else stay', async () => {
    scene.write('ratings.yaml', mirrored);
    const load = scene.startLoad(['ratings.shop']);
    await waitFor('copies in west', () => scene.count(isIn('west')) > 50);
    const refused = await scene.run(['cluster', 'drain', 'west', '--service', 'shop/ratings']);
    assert.equal(refused.exit, 1, 'the first mirror names west alone');
    assert.match(refused.err, /FW-CLI-114/);

    scene.write('ratings.yaml', mirrored.replace('{cluster: west, percent: 100}, ', ''));
    await waitFor('the rule with one mirror', async () => {
      const plan = await scene.run(['cluster', 'drain', 'west', '--service', 'shop/ratings', '--dry-run']);
      return plan.exit === 0;
    });
    await drain('ratings');
    let before = { west: scene.count(isIn('west')), east: scene.count(isIn('east')) };
    await waitFor('two hundred requests and copies, none of them in west', () => {
      const now = { west: scene.count(isIn('west')), east: scene.count(isIn('east')) };
      if (now.west > before.west) before = now;
      return now.east - before.east > 200;
    });
    await undrain();
    const drained = scene.count(isIn('west'));
    await waitFor('copies in west again', () => scene.count(isIn('west')) > drained + 50);
    const { asked, failures } = await load.stop();
    assert.deepEqual(failures, [], `${failures.length} of ${asked} requests failed`);
  });
});
