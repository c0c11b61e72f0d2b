import assert from 'node:assert/strict';
import { silentLogger } from '../../../../src/core/logger.ts';
import { type ClustersetService, clustersetService } from '../../../../src/mcs/clusterset.ts';
import { desiredImport } from '../../../../src/mcs/imports.ts';
import type { ServiceKey, ServiceShard } from '../../../../src/model/service.ts';
import { Clustersets, clusterWords } from '../../../../src/pilot/mcs/clustersets.ts';
import { McsWriters } from '../../../../src/pilot/mcs/writers.ts';
import { Inventory } from '../../../../src/registry/inventory.ts';
import type { McsHost } from '../../../../src/registry/mcs-host.ts';
import { MemoryCluster } from '../../../../src/registry/memory/memory-cluster.ts';
import { exportedShard } from '../../../support/exports.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { testEndpoint } from '../../../support/shards.ts';

function merged(...shards: readonly ServiceShard[]): ClustersetService {
  const service = clustersetService(shards);
  assert.ok(service);
  return service;
}

class Scene {
  readonly clock = new ManualClock();
  readonly inventory = new Inventory({ clock: this.clock, logger: silentLogger });
  readonly clustersets = new Clustersets(() => clusterWords(this.inventory.clusters()));
  readonly east = new MemoryCluster({ clock: this.clock, info: { name: 'east' } });
  readonly west = new MemoryCluster({ clock: this.clock, info: { name: 'west' }, reachable: false });
  isReady = true;
  isLeader = true;
  /** Into east. */
  host: McsHost | undefined;
  readonly touched: (readonly ServiceKey[] | 'all')[] = [];
  readonly writers = new McsWriters({
    inventory: this.inventory,
    isReady: () => this.isReady,
    clustersets: this.clustersets,
    clock: this.clock,
    wrote() {},
  });

  constructor() {
    this.inventory.add('east', 'memory', this.east.start);
    this.inventory.add('west', 'memory', this.west.start);
    this.east.putNamespace({ cluster: 'east', name: 'shop', labels: {} });
    this.writers.leadBy(() => this.isLeader);
  }

  open(): () => void {
    return this.writers.open('east', {
      isFree: false,
      start: () => assert.fail('not asked for'),
      writeImports: (host) => {
        this.host = host;
        return {
          touch: (keys) => void this.touched.push(keys === 'all' ? 'all' : [...keys]),
          findings: () => [],
          stop: () => {
            this.host = undefined;
            return Promise.resolve();
          },
        };
      },
    });
  }

  /** As the engine does in a batch. */
  batch(): void {
    for (const name of ['reviews']) this.clustersets.see(`shop/${name}`, this.inventory.shards(`shop/${name}`));
    this.clustersets.take();
  }

  async look(): Promise<void> {
    this.clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('pilot: who writes imports', () => {
  it('nobody before everything is known, nor without the lease; and no longer than that', async () => {
    const scene = new Scene();
    scene.isReady = false;
    const close = scene.open();
    assert.equal(scene.host, undefined);
    scene.isReady = true;
    scene.isLeader = false;
    await scene.look();
    assert.equal(scene.host, undefined);
    scene.isLeader = true;
    await scene.look();
    assert.ok(scene.host);
    scene.isLeader = false;
    await scene.look();
    assert.equal(scene.host, undefined);
    scene.isLeader = true;
    await scene.look();
    assert.ok(scene.host);
    close();
    assert.equal(scene.host, undefined);
    await scene.writers.stop();
  });

  it('what was made of a cluster’s exports is unknown until they are read, and taken up', async () => {
    const scene = new Scene();
    scene.batch();
    scene.open();
    const isUnknown = (id: string, name?: string): boolean => scene.host?.unknownAmong([{ id, name }]).has(id) === true;
    assert.deepEqual([isUnknown('east'), isUnknown('west'), isUnknown('its-own-id')], [false, true, true]);
    scene.west.putService(exportedShard('west', 1));
    scene.west.regain();
    // It has told, and what it told is not a part of what is desired yet.
    assert.equal(scene.host?.desired('shop/reviews'), undefined);
    assert.ok(isUnknown('west'));
    scene.batch();
    assert.deepEqual(scene.host?.desired('shop/reviews')?.clusters, ['west']);
    assert.deepEqual([isUnknown('west'), isUnknown('its-own-id')], [false, false]);
    await scene.look();
    assert.ok(scene.touched.includes('all'), 'what was held back is looked at again');
    scene.west.lose();
    scene.batch();
    assert.equal(isUnknown('west'), false, 'its last good exports are known');
    await scene.writers.stop();
  });

  it('a cluster that is not registered any more exports nothing, once it is known who is', async () => {
    const scene = new Scene();
    scene.batch();
    scene.open();
    const isUnknown = (id: string, name?: string): boolean => scene.host?.unknownAmong([{ id, name }]).has(id) === true;
    assert.deepEqual([isUnknown('id-1', 'west'), isUnknown('id-2', 'north'), isUnknown('id-3')], [true, false, true]);
    const found = scene.inventory.beginDiscovery('more');
    assert.equal(isUnknown('id-2', 'north'), true);
    found(false);
    assert.equal(isUnknown('id-2', 'north'), true);
    found();
    assert.equal(isUnknown('id-2', 'north'), false);
    scene.inventory.remove('west', 'memory');
    scene.batch();
    assert.deepEqual([isUnknown('id-1', 'west'), isUnknown('id-3')], [false, false]);
    await scene.writers.stop();
  });

  it('what is held fits into what is known, and is as it was', async () => {
    const scene = new Scene();
    const [http, dns] = [
      { name: 'http', port: 80, transport: 'TCP', protocol: 'http' },
      { name: 'dns', port: 53, transport: 'UDP', protocol: 'tcp' },
    ] as const;
    const endpoints = [testEndpoint('east', '10.1.0.1', { ports: new Map([['', 8080]]) })];
    const ports = [{ ...http, name: '', protocol: 'tcp' }, dns] as const;
    const east = exportedShard('east', 1, { ports, endpoints }, { labels: { a: '2' } });
    const west = exportedShard(
      'west',
      0,
      { ports: [{ ...http, protocol: 'tcp', name: 'web' }] },
      { labels: { a: '1' } },
    );
    scene.east.putService(east);
    scene.batch();
    scene.open();
    const before = desiredImport(merged(west), 'east', new Map([['west', 'w']]));
    const held = {
      sources: new Map([['w', 'west']]),
      labels: { a: '1' },
      annotations: {},
      spec: { ...before.spec, ipFamilies: ['IPv4'] },
    };
    const desired = scene.host?.desired('shop/reviews', held);
    assert.deepEqual(desired?.clusters, ['east', 'w']);
    assert.equal(desired.labels['a'], '1');
    assert.deepEqual(desired.spec['ports'], [
      { name: 'dns', protocol: 'UDP', port: 53 },
      { name: 'web', protocol: 'TCP', port: 80 },
    ]);
    assert.deepEqual(
      desired.slices.map(({ labels, ports }) => [
        labels['multicluster.kubernetes.io/source-cluster'],
        ports.map((port) => (port as { name: string }).name),
      ]),
      [['east', ['web']]],
    );
    scene.east.removeService('shop', 'reviews');
    scene.batch();
    const alone = scene.host?.desired('shop/reviews', held);
    const { slices: _, ...rest } = before;
    assert.deepEqual({ ...alone, slices: undefined }, { ...rest, slices: undefined });
    assert.deepEqual(alone?.slices, []);
    await scene.writers.stop();
  });

  it('a cluster without the namespace is to hold nothing', async () => {
    const scene = new Scene();
    scene.open();
    scene.east.putService(exportedShard('east', 1));
    scene.batch();
    assert.ok(scene.host?.desired('shop/reviews'));
    scene.touched.length = 0;
    scene.east.removeNamespace('shop');
    assert.equal(scene.host?.desired('shop/reviews'), undefined);
    assert.deepEqual(scene.touched, [['shop/reviews']]);
    await scene.writers.stop();
  });

  it('says of an export what is known of its Service', async () => {
    const scene = new Scene();
    scene.open();
    const said = (): string | undefined =>
      scene.host
        ?.exportConditions('shop/reviews')
        ?.map(({ reason }) => reason)
        .join();
    assert.equal(said(), undefined);
    scene.east.putService(exportedShard('east', 1));
    assert.equal(said(), undefined, 'not taken up yet');
    scene.batch();
    assert.equal(said(), 'Valid,Exported,NoConflicts');
    scene.east.putService(exportedShard('east', 1, { externalName: 'example.com' }));
    scene.batch();
    assert.equal(said(), 'InvalidServiceType,Failed');
    const without = (kind: 'none' | 'alias' | 'pending'): string | undefined =>
      scene.host
        ?.conditionsWithout(kind)
        .map(({ reason }) => reason)
        .join();
    assert.deepEqual(
      [without('none'), without('alias'), without('pending')],
      ['NoService,Pending', 'InvalidServiceType,Failed', 'Valid,Pending'],
    );
    await scene.writers.stop();
  });
});
