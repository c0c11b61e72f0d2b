/** What tests of the inventory play on: a clock by hand, inventories whose changes are kept, clusters in memory and sources that a test speaks for. */

import { silentLogger } from '../../../../src/core/logger.ts';
import type { ClusterState } from '../../../../src/model/cluster.ts';
import { type ServiceKey, type ServiceShard, serviceKey } from '../../../../src/model/service.ts';
import { Inventory } from '../../../../src/registry/inventory.ts';
import type { InventoryChange, InventorySettings } from '../../../../src/registry/inventory-record.ts';
import { MemoryCluster } from '../../../../src/registry/memory/memory-cluster.ts';
import type { ClusterSink, StartSource } from '../../../../src/registry/source.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { testShard } from '../../../support/shards.ts';

/** To be called in a `describe`: the clock and what changed are of the test that runs. */
export function inventoryScene() {
  let clock: ManualClock;
  let changes: InventoryChange[];

  function inventoryWith(settings: Partial<InventorySettings> = {}): Inventory {
    const inventory = new Inventory({ clock, logger: silentLogger, settings });
    inventory.onChange((change) => changes.push(change));
    return inventory;
  }

  function memory(name: string, uid = '', reachable = true): MemoryCluster {
    const cluster = new MemoryCluster({ clock, info: { name, uid }, reachable });
    cluster.putService(testShard(name, 'reviews', ['10.0.0.1']));
    return cluster;
  }

  /** A source that a test speaks for, and whether it was stopped. */
  function scripted(): { start: StartSource; sink: () => ClusterSink; stopped: () => boolean } {
    let held: ClusterSink | undefined;
    let stopped = false;
    return {
      start(sink) {
        held = sink;
        return {
          stop: () => {
            stopped = true;
            return Promise.resolve();
          },
        };
      },
      sink: () => held as ClusterSink,
      stopped: () => stopped,
    };
  }

  function snapshot(name: string, shards: readonly ServiceShard[], uid = '') {
    const services = new Map<ServiceKey, ServiceShard>();
    for (const shard of shards) services.set(serviceKey(shard.namespace, shard.name), shard);
    const locality = { region: '', zone: '', subzone: '' };
    return { info: { name, network: '', locality, uid, origin: '' }, services, namespaces: new Map() };
  }

  const state = (phase: ClusterState['phase']): ClusterState => ({ phase, sinceMs: clock.now() });

  beforeEach(() => {
    clock = new ManualClock();
    changes = [];
  });

  return {
    get clock() {
      return clock;
    },
    /** What inventories of this test have said, since the start or since it was last forgotten. */
    get changes(): readonly InventoryChange[] {
      return changes;
    },
    forgetChanges(): void {
      changes = [];
    },
    inventoryWith,
    memory,
    scripted,
    snapshot,
    state,
  };
}
