import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../src/core/clock.ts';
import { FairwayError } from '../../../../src/core/errors.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { serviceKey } from '../../../../src/model/service.ts';
import { Inventory } from '../../../../src/registry/inventory.ts';
import type { InventorySettings } from '../../../../src/registry/inventory-record.ts';
import { FolderLastGoodStore, type LastGood } from '../../../../src/registry/last-good.ts';
import { MemoryCluster } from '../../../../src/registry/memory/memory-cluster.ts';
import { waitFor } from '../../../rig/wait.ts';
import { testEndpoint, testShard } from '../../../support/shards.ts';

const reviews = serviceKey('shop', 'reviews');

describe('last good state on disk', () => {
  let folder: string;
  const opened: { close(): Promise<void> }[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-last-good-'));
  });

  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function openStore(saveDelayMs = 5): FolderLastGoodStore {
    const store = new FolderLastGoodStore({
      folder,
      clock: systemClock,
      logger: silentLogger,
      limits: { saveDelayMs, retryMs: 20, restFactor: 0 },
    });
    opened.push(store);
    return store;
  }

  function openInventory(settings: Partial<InventorySettings> = {}, store = openStore()): Inventory {
    const inventory = new Inventory({ clock: systemClock, logger: silentLogger, lastGood: store, settings });
    opened.unshift(inventory);
    return inventory;
  }

  function stateOf(name: string, addresses: readonly string[]): LastGood {
    const labels = { app: 'a', __proto__x: 'y' };
    const ports = new Map([['http', 8080]]);
    const endpoints = addresses.map((address) => testEndpoint(name, address, { labels, ports }));
    const locality = { region: 'eu', zone: 'eu-a', subzone: '' };
    return {
      info: { name, network: 'n', locality, uid: `uid-${name}`, origin: 'test' },
      lastNewsMs: 1000,
      services: new Map([[reviews, { ...testShard(name, 'reviews', []), endpoints }]]),
      namespaces: new Map([['shop', { cluster: name, name: 'shop', labels: { team: 'a' } }]]),
    };
  }

  async function saved(name: string, state: LastGood): Promise<void> {
    const store = openStore();
    store.save(name, () => state);
    await store.close();
  }

  it('reads what it wrote, with what endpoints share shared again', async () => {
    const state = stateOf('east', ['10.0.0.1', '10.0.0.2']);
    await saved('east', state);
    const { state: loaded, findings } = openStore().load('east');
    assert.deepEqual(findings, []);
    assert.deepEqual(loaded?.services, state.services);
    assert.deepEqual(loaded?.namespaces, state.namespaces);
    assert.deepEqual(loaded?.info, state.info);
    const [a, b] = loaded?.services.get(reviews)?.endpoints ?? [];
    assert.equal(a?.ports, b?.ports);
    assert.equal(a?.labels, b?.labels);
    assert.equal(statSync(join(folder, 'east.last-good.jsonl')).mode & 0o077, 0);
  });

  it('gives clusters that differ only in case files that differ in more', async () => {
    await saved('East', stateOf('East', ['10.0.0.1']));
    await saved('east', stateOf('east', ['10.0.0.2']));
    assert.equal(new Set(readdirSync(folder).map((file) => file.toLowerCase())).size, 2);
    assert.deepEqual(openStore().names(), ['East', 'east']);
  });

  it('sets a file aside that is torn, altered, foreign, of another version or cluster, and keeps the others', async () => {
    await saved('west', stateOf('west', ['10.0.0.9']));
    await saved('east', stateOf('east', ['10.0.0.1']));
    const path = join(folder, 'east.last-good.jsonl');
    const good = readFileSync(path, 'utf8');
    const bads = {
      empty: '',
      torn: good.slice(0, good.length / 2),
      'torn at a line': good.slice(0, good.indexOf('\n') + 1),
      'without its end': good.slice(0, good.trimEnd().lastIndexOf('\n') + 1),
      altered: good.replace('10.0.0.1', '10.0.0.2'),
      foreign: '{"hello":"world"}\n',
      binary: '\u0000\u0001\u0002\n\u0003\n',
      'of another cluster': readFileSync(join(folder, 'west.last-good.jsonl'), 'utf8'),
    };
    for (const [what, bytes] of Object.entries(bads)) {
      writeFileSync(path, bytes);
      const { state, findings } = openStore().load('east');
      assert.equal(state, undefined, what);
      assert.equal(findings[0]?.code, 'FW-CLUSTER-011', what);
      assert.equal(existsSync(path), false, what);
      assert.equal(readFileSync(`${path}.bad`, 'utf8'), bytes, what);
    }
    assert.equal(openStore().load('west').state?.services.size, 1);
  });

  it('starts with a damaged file as without one, and says so until the cluster has synced', () => {
    writeFileSync(join(folder, 'east.last-good.jsonl'), 'rubbish\n');
    const inventory = openInventory();
    const cluster = new MemoryCluster({ clock: systemClock, info: { name: 'east' }, reachable: false });
    inventory.add('east', 'a', cluster.start);
    assert.equal(inventory.clusters().get('east')?.findings[0]?.code, 'FW-CLUSTER-011');
    cluster.regain();
    assert.deepEqual(inventory.clusters().get('east')?.findings, []);
  });

  it('leaves the old file whole when a save fails, counts it, and tries again', async () => {
    await saved('east', stateOf('east', ['10.0.0.1']));
    const path = join(folder, 'east.last-good.jsonl');
    const before = readFileSync(path, 'utf8');
    const store = openStore();
    let broken = true;
    store.save('east', () => {
      const state = stateOf('east', ['10.0.0.2']);
      if (!broken) return state;
      // Fails after the first line has been written.
      const services = {
        values: () => [{ ...testShard('east', 'x', []), toJSON: () => assert.fail('no space left') }],
      };
      return { ...state, services: services as unknown as LastGood['services'] };
    });
    await waitFor('the failure', () => store.failures > 0, { intervalMs: 5 });
    assert.equal(readFileSync(path, 'utf8'), before);
    broken = false;
    await waitFor('the second try', () => readFileSync(path, 'utf8').includes('10.0.0.2'), { intervalMs: 5 });
    await store.close();
    assert.deepEqual(readdirSync(folder), ['east.last-good.jsonl']);
  });

  it('puts many changes into few saves, the last of them always', async () => {
    const store = openStore(20);
    let asked = 0;
    for (let index = 1; index <= 100; index++) {
      store.save('east', () => {
        asked += 1;
        return stateOf('east', [`10.0.0.${index}`]);
      });
    }
    await store.close();
    assert.equal(asked, 1);
    assert.equal(openStore().load('east').state?.services.get(reviews)?.endpoints[0]?.address, '10.0.0.100');
  });

  it('refuses a folder that it cannot use', () => {
    writeFileSync(join(folder, 'file'), '');
    assert.throws(
      () => new FolderLastGoodStore({ folder: join(folder, 'file'), clock: systemClock, logger: silentLogger }),
      (error: unknown) => error instanceof FairwayError && error.code === 'FW-CLUSTER-016',
    );
  });

  it('removes temporary files that nobody writes any more', () => {
    writeFileSync(join(folder, 'old.tmp'), '');
    writeFileSync(join(folder, 'new.tmp'), '');
    utimesSync(join(folder, 'old.tmp'), 0, 0);
    openStore();
    assert.deepEqual(readdirSync(folder), ['new.tmp']);
  });

  it('knows how old the state is from when it was last known to be true', async () => {
    await saved('east', stateOf('east', ['10.0.0.1']));
    const path = join(folder, 'east.last-good.jsonl');
    utimesSync(path, new Date(5000), new Date(5000));
    assert.equal(openStore().load('east').state?.lastNewsMs, 5000);
    const store = openStore();
    store.touch('east');
    await store.close();
    assert.ok((openStore().load('east').state?.lastNewsMs ?? 0) > Date.now() - 60_000);
  });

  it('forgets a cluster that is unregistered, even while its save waits', async () => {
    const inventory = openInventory();
    const cluster = new MemoryCluster({ clock: systemClock, info: { name: 'east' } });
    cluster.putService(testShard('east', 'reviews', ['10.0.0.1']));
    inventory.add('east', 'a', cluster.start);
    inventory.remove('east', 'a');
    await inventory.close();
    assert.deepEqual(readdirSync(folder), []);
  });

  it('does not bring a cluster back that is forgotten while its save runs', async () => {
    const store = openStore(1);
    let asked = 0;
    const east = (): LastGood => {
      asked += 1;
      return stateOf('east', ['10.0.0.1']);
    };
    store.save('east', () => {
      queueMicrotask(() => {
        store.save('east', east);
        store.remove('east');
      });
      return east();
    });
    await waitFor('the first save', () => asked > 0, { intervalMs: 1 });
    for (const name of ['west', 'north']) {
      store.save(name, () => stateOf(name, ['10.0.0.2']));
      await waitFor('a later save', () => store.names().includes(name), { intervalMs: 1 });
    }
    await store.close();
    assert.equal(asked, 1);
    assert.deepEqual(store.names(), ['north', 'west']);
  });

  it('binds a name to its API across a restart', async () => {
    await saved('second', stateOf('second', ['10.0.0.1']));
    const inventory = openInventory();
    inventory.beginDiscovery('both');
    const uid = 'uid-second';
    const first = new MemoryCluster({ clock: systemClock, info: { name: 'first', uid } });
    inventory.add('first', 'a', first.start);
    inventory.add(
      'second',
      'b',
      new MemoryCluster({ clock: systemClock, info: { name: 'second', uid }, reachable: false }).start,
    );
    assert.equal(inventory.clusters().get('second')?.state.phase, 'stale');
    assert.equal(inventory.clusters().get('second')?.services.size, 1);
    await inventory.close();
    // The other way round: the file is read first.
    const again = openInventory();
    again.add(
      'second',
      'b',
      new MemoryCluster({ clock: systemClock, info: { name: 'second', uid }, reachable: false }).start,
    );
    again.add('first', 'a', new MemoryCluster({ clock: systemClock, info: { name: 'first', uid } }).start);
    assert.equal(again.clusters().get('first')?.state.problem?.code, 'FW-CLUSTER-003');
  });

  it('restores the clusters of a discovery that cannot look, until it can', async () => {
    const before = openInventory();
    const cluster = new MemoryCluster({ clock: systemClock, info: { name: 'east' } });
    cluster.putService(testShard('east', 'reviews', ['10.0.0.1']));
    before.add('east', 'secret a/east', cluster.start);
    before.add('west', 'file west', new MemoryCluster({ clock: systemClock, info: { name: 'west' } }).start);
    await before.close();

    const inventory = openInventory();
    const restored = inventory.restore((origin) => origin.startsWith('secret '));
    assert.deepEqual(restored, [{ name: 'east', origin: 'secret a/east' }]);
    assert.equal(inventory.clusters().get('east')?.state.phase, 'stale');
    assert.equal(inventory.clusters().get('east')?.services.size, 1);
    inventory.add('east', 'secret a/east', cluster.start);
    assert.equal(inventory.clusters().get('east')?.state.phase, 'fresh');
    inventory.remove('east', 'secret a/east');
    assert.equal(inventory.clusters().size, 0);
  });

  it('does not use a state that is older than it may be kept', async () => {
    await saved('east', stateOf('east', ['10.0.0.1']));
    utimesSync(join(folder, 'east.last-good.jsonl'), new Date(5000), new Date(5000));
    const inventory = openInventory({ staleKeepMs: 1000 });
    inventory.add(
      'east',
      'a',
      new MemoryCluster({ clock: systemClock, info: { name: 'east' }, reachable: false }).start,
    );
    assert.equal(inventory.clusters().get('east')?.services.size, 0);
    assert.equal(inventory.clusters().get('east')?.state.phase, 'connecting');
  });

  it('keeps what a partial first statement does not name', async () => {
    await saved('east', stateOf('east', ['10.0.0.1']));
    const inventory = openInventory();
    inventory.add('east', 'a', (sink) => {
      const locality = { region: '', zone: '', subzone: '' };
      const info = { name: 'east', network: '', locality, uid: '', origin: '' };
      const ratings = testShard('east', 'ratings', ['10.0.0.2']);
      sink.sync({ info, services: new Map([[serviceKey('shop', 'ratings'), ratings]]), namespaces: new Map() }, true);
      return { stop: () => Promise.resolve() };
    });
    assert.deepEqual([...(inventory.clusters().get('east')?.services.keys() ?? [])].sort(), [
      'shop/ratings',
      'shop/reviews',
    ]);
  });

  it('reads nothing that is not a file', () => {
    mkdirSync(join(folder, 'east.last-good.jsonl'));
    assert.equal(openStore().load('east').findings[0]?.code, 'FW-CLUSTER-011');
  });
});
