/**
 * What every kind of registry must do, whatever it reads from: one suite, run over a harness per kind.
 *
 * To plug a kind in: write a harness that starts one cluster of that kind, and call `registryConformance('kind', makeHarness)` in a test file.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { ClusterState } from '../../src/model/cluster.ts';
import { type ServiceKey, serviceKey } from '../../src/model/service.ts';
import { Inventory } from '../../src/registry/inventory.ts';
import type { InventoryChange, InventorySettings } from '../../src/registry/inventory-record.ts';
import { FolderLastGoodStore } from '../../src/registry/last-good.ts';
import type { StartSource } from '../../src/registry/source.ts';
import { pause, waitFor } from '../rig/wait.ts';

/** One cluster, which a test can write to and take out of reach. */
export interface ClusterHarness {
  /** Starts a source of this cluster; may be called more than once (a rotation, a restart). */
  readonly start: StartSource;
  /** The service is there, in namespace `shop`, with port `http` 80 and these ready endpoints on port 8080. Also replaces. */
  putService(name: string, addresses: readonly string[]): Promise<void>;
  removeService(name: string): Promise<void>;
  putNamespace(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** Takes the cluster out of reach. It may still be written to. */
  lose(): Promise<void>;
  regain(): Promise<void>;
  dispose(): Promise<void>;
  /** Another way to the same API under another name; absent for kinds whose clusters have no uid. */
  readonly alias?: (name: string) => StartSource;
}

export type MakeHarness = (cluster: string) => Promise<ClusterHarness>;

export interface ConformanceOptions {
  /** The kind's clusters have a uid, and its harnesses an `alias`. */
  readonly uids: boolean;
}

const cluster = 'east';
const origin = 'test east';
const reviews = serviceKey('shop', 'reviews');
const ratings = serviceKey('shop', 'ratings');

export function registryConformance(kind: string, makeHarness: MakeHarness, options: ConformanceOptions): void {
  describe(`registry conformance: ${kind}`, () => {
    let folder: string;
    let harness: ClusterHarness;
    let scene: Scene;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'fairway-conformance-'));
      harness = await makeHarness(cluster);
      scene = new Scene(folder);
    });

    afterEach(async () => {
      await scene.close();
      await harness.dispose();
      await rm(folder, { recursive: true, force: true });
    });

    it('says everything in its first sync, before it is fresh', async () => {
      await harness.putNamespace('shop', { team: 'a' });
      await harness.putService('reviews', ['10.1.0.1', '10.1.0.2']);
      await harness.putService('ratings', ['10.1.0.3']);
      scene.inventory.onChange(({ cluster: name }) => {
        const record = scene.inventory.clusters().get(name);
        if (record?.state.phase === 'fresh') assert.deepEqual([...record.services.keys()].sort(), [ratings, reviews]);
      });
      scene.add(harness.start);
      await scene.fresh();
      assert.deepEqual(scene.addresses(reviews), ['10.1.0.1', '10.1.0.2']);
      assert.deepEqual(scene.addresses(ratings), ['10.1.0.3']);
      const record = scene.record();
      assert.equal(record.endpointCount, 3);
      assert.equal(record.namespaces.get('shop')?.labels['team'], 'a');
      assert.equal(record.info.name, cluster);
      const shard = record.services.get(reviews);
      assert.equal(shard?.cluster, cluster);
      assert.deepEqual(shard?.ports[0], { name: 'http', port: 80, transport: 'TCP', protocol: 'http' });
      assert.equal(shard?.endpoints[0]?.ports.get('http'), 8080);
      assert.equal(shard?.endpoints[0]?.cluster, cluster);
      assert.equal(shard?.endpoints[0]?.ready, true);
    });

    it('reports a change of one service as that, and leaves the others alone', async () => {
      await harness.putService('reviews', ['10.1.0.1']);
      await harness.putService('ratings', ['10.1.0.3']);
      scene.add(harness.start);
      await scene.fresh();
      const untouched = scene.record().services.get(ratings);
      scene.forget();
      await harness.putService('reviews', ['10.1.0.1', '10.1.0.2']);
      await scene.until('the new endpoint', () => scene.addresses(reviews).length === 2);
      assert.deepEqual([...scene.changedServices()], [reviews]);
      assert.equal(scene.record().services.get(ratings), untouched);
    });

    it('takes a removed service away, and brings a new one', async () => {
      await harness.putService('reviews', ['10.1.0.1']);
      scene.add(harness.start);
      await scene.fresh();
      await harness.putService('ratings', ['10.1.0.3']);
      await scene.until('the new service', () => scene.addresses(ratings).length === 1);
      await harness.removeService('reviews');
      await scene.until('the removal', () => !scene.record().services.has(reviews));
      assert.deepEqual(scene.inventory.shards(reviews), []);
      assert.equal(scene.record().endpointCount, 1);
    });

    it('keeps everything when it is lost, and says since when it is stale and why', async () => {
      await harness.putService('reviews', ['10.1.0.1']);
      scene.add(harness.start);
      await scene.fresh();
      const held = scene.record().services.get(reviews);
      scene.forget();
      const beforeMs = Date.now();
      await harness.lose();
      const state = await scene.phase('stale');
      assert.ok(state.sinceMs <= Date.now() && state.sinceMs > beforeMs - 60_000, `since ${state.sinceMs}`);
      assert.ok(state.problem !== undefined && state.problem.message !== '' && state.problem.hint !== '');
      assert.equal(scene.record().services.get(reviews), held);
      assert.deepEqual([...scene.changedServices()], []);
    });

    it('finds what was deleted, changed and added while it was lost, and nothing else', async () => {
      await harness.putService('reviews', ['10.1.0.1']);
      await harness.putService('ratings', ['10.1.0.3']);
      await harness.putService('details', ['10.1.0.4']);
      scene.add(harness.start);
      await scene.fresh();
      const untouched = scene.record().services.get(serviceKey('shop', 'details'));
      await harness.lose();
      await scene.phase('stale');
      scene.forget();
      await harness.removeService('reviews');
      await harness.putService('ratings', ['10.1.0.5']);
      await harness.putService('web', ['10.1.0.6']);
      assert.deepEqual([...scene.changedServices()], []);
      await harness.regain();
      await scene.until(
        'the new state',
        () => scene.record().state.phase === 'fresh' && scene.serviceKeys() === 'shop/details shop/ratings shop/web',
      );
      assert.deepEqual(scene.addresses(ratings), ['10.1.0.5']);
      assert.deepEqual([...scene.changedServices()].sort(), ['shop/ratings', 'shop/reviews', 'shop/web']);
      assert.equal(scene.record().services.get(serviceKey('shop', 'details')), untouched);
    });

    it('takes its endpoints away when it is unregistered, and is silent from then on', async () => {
      await harness.putService('reviews', ['10.1.0.1']);
      scene.add(harness.start);
      await scene.fresh();
      scene.forget();
      scene.inventory.remove(cluster, origin);
      assert.deepEqual([...scene.changedServices()], [reviews]);
      assert.equal(scene.inventory.clusters().size, 0);
      assert.deepEqual(scene.inventory.shards(reviews), []);
      scene.forget();
      await harness.putService('reviews', ['10.1.0.2']);
      await pause(50);
      assert.deepEqual(scene.changes, []);
    });

    it('gives way to a rotated source once that has synced, without a flap', async () => {
      await harness.putService('reviews', ['10.1.0.1']);
      scene.add(harness.start);
      await scene.fresh();
      const held = scene.record().services.get(reviews);
      scene.forget();
      scene.add(harness.start);
      await scene.until(
        'the takeover',
        () => scene.record().rotation === undefined && scene.record().state.phase === 'fresh',
      );
      assert.deepEqual([...scene.changedServices()], []);
      assert.equal(scene.record().services.get(reviews), held);
      await harness.putService('reviews', ['10.1.0.2']);
      await scene.until('a change through the new source', () => scene.addresses(reviews)[0] === '10.1.0.2');
    });

    it('is served from its last good state after a restart while it is out of reach, and heals', async () => {
      await harness.putService('reviews', ['10.1.0.1', '10.1.0.2']);
      await harness.putService('ratings', ['10.1.0.3']);
      scene.add(harness.start);
      await scene.fresh();
      const before = scene.record();
      await scene.close();
      await harness.lose();
      await harness.removeService('ratings');

      scene = new Scene(folder, { lastGoodWaitMs: 100 });
      scene.add(harness.start);
      assert.deepEqual(scene.record().services, before.services);
      assert.deepEqual(scene.record().namespaces, before.namespaces);
      await scene.inventory.whenSettled();
      const { state } = scene.record();
      assert.equal(state.phase, 'stale');
      assert.ok(state.sinceMs <= Date.now());
      assert.ok(state.problem !== undefined);
      scene.forget();
      await harness.regain();
      await scene.fresh();
      await scene.until('the deletion', () => scene.serviceKeys() === reviews);
      assert.deepEqual([...scene.changedServices()], [ratings]);
    });

    if (!options.uids) return;

    it('is refused under a second name, until the first one goes', async () => {
      await harness.putService('reviews', ['10.1.0.1']);
      scene.add(harness.start);
      await scene.fresh();
      assert.ok(harness.alias !== undefined, 'a kind with uids has an alias');
      scene.inventory.add('again', 'test again', harness.alias('again'));
      await scene.until('the refusal', () => scene.inventory.clusters().get('again')?.state.phase === 'refused');
      const refused = scene.inventory.clusters().get('again');
      assert.equal(refused?.state.problem?.code, 'FW-CLUSTER-003');
      assert.equal(refused?.services.size, 0);
      assert.equal(scene.inventory.shards(reviews).length, 1);
      scene.inventory.remove(cluster, origin);
      await scene.until('its chance', () => scene.inventory.clusters().get('again')?.state.phase === 'fresh');
      assert.deepEqual(
        scene.inventory.shards(reviews).map((shard) => shard.cluster),
        ['again'],
      );
    });
  });
}

/** An inventory, with what it said. */
class Scene {
  readonly inventory: Inventory;
  changes: InventoryChange[] = [];

  constructor(folder: string, settings: Partial<InventorySettings> = {}) {
    const common = { clock: systemClock, logger: silentLogger };
    const lastGood = new FolderLastGoodStore({ folder, limits: { saveDelayMs: 10 }, ...common });
    this.inventory = new Inventory({ lastGood, settings, ...common });
    this.inventory.onChange((change) => this.changes.push(change));
  }

  add(start: StartSource): void {
    this.inventory.add(cluster, origin, start);
  }

  record() {
    const record = this.inventory.clusters().get(cluster);
    assert.ok(record !== undefined, 'the cluster is registered');
    return record;
  }

  addresses(key: ServiceKey): readonly string[] {
    return (
      this.record()
        .services.get(key)
        ?.endpoints.map((endpoint) => endpoint.address) ?? []
    );
  }

  /** Sorted, with spaces between. */
  serviceKeys(): string {
    return [...this.record().services.keys()].sort().join(' ');
  }

  changedServices(): ReadonlySet<ServiceKey> {
    return new Set(this.changes.flatMap(({ services }) => [...services]));
  }

  forget(): void {
    this.changes = [];
  }

  async fresh(): Promise<void> {
    await this.phase('fresh');
  }

  async phase(phase: ClusterState['phase']): Promise<ClusterState> {
    await this.until(phase, () => this.record().state.phase === phase);
    return this.record().state;
  }

  async until(what: string, probe: () => boolean): Promise<void> {
    await waitFor(what, probe, { timeoutMs: 15_000, intervalMs: 5 }, () =>
      JSON.stringify(this.inventory.clusters().get(cluster)?.state),
    );
  }

  async close(): Promise<void> {
    await this.inventory.close();
  }
}
