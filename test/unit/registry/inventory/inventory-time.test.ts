/** What the inventory waits for before streams are answered, and how long it keeps a cluster that is lost. */

import assert from 'node:assert/strict';
import { serviceKey } from '../../../../src/model/service.ts';
import { inventoryScene } from './inventory-scene.ts';

const reviews = serviceKey('shop', 'reviews');

describe('inventory', () => {
  const scene = inventoryScene();
  const { inventoryWith, memory, scripted, snapshot, state } = scene;

  describe('settling', () => {
    it('waits for discoveries and for every cluster', () => {
      const inventory = inventoryWith();
      const found = inventory.beginDiscovery('folder');
      assert.equal(inventory.settled(), false);
      const source = scripted();
      inventory.add('east', 'a', source.start);
      found();
      assert.equal(inventory.settled(), false);
      source.sink().sync(snapshot('east', []));
      assert.equal(inventory.settled(), true);
      inventory.add('west', 'b', scripted().start);
      assert.equal(inventory.settled(), true);
    });

    it('gives up waiting after the configured time, and marks who is missing', () => {
      const inventory = inventoryWith({ initialWaitMs: 30_000 });
      inventory.add('east', 'a', scripted().start);
      scene.clock.advance(29_999);
      assert.equal(inventory.settled(), false);
      scene.clock.advance(1);
      assert.equal(inventory.settled(), true);
      assert.equal(inventory.clusters().get('east')?.state.problem?.code, 'FW-CLUSTER-007');
    });

    it('waits less for a cluster that has said it cannot be reached', () => {
      const inventory = inventoryWith({ initialWaitMs: 30_000, unreachableWaitMs: 5_000 });
      inventory.add('east', 'a', memory('east', '', false).start);
      inventory.add('west', 'b', memory('west').start);
      scene.clock.advance(4_999);
      assert.equal(inventory.settled(), false);
      scene.clock.advance(1);
      assert.equal(inventory.settled(), true);
    });

    it('does not wait for a refused cluster, nor for one that is unregistered', () => {
      const inventory = inventoryWith();
      const refused = scripted();
      inventory.add('east', 'a', refused.start);
      inventory.add('west', 'b', scripted().start);
      refused.sink().state({ ...state('refused'), problem: { code: 'FW-KUBE-001', message: 'no', hint: 'Do.' } });
      assert.equal(inventory.settled(), false);
      inventory.remove('west', 'b');
      assert.equal(inventory.settled(), true);
    });
  });

  describe('staleness', () => {
    it('keeps a lost cluster for ever by default', () => {
      const inventory = inventoryWith();
      const cluster = memory('east');
      inventory.add('east', 'a', cluster.start);
      cluster.lose();
      const since = scene.clock.now();
      scene.clock.advance(400 * 86_400_000);
      const record = inventory.clusters().get('east');
      assert.equal(record?.state.phase, 'stale');
      assert.equal(record?.state.sinceMs, since);
      assert.equal(record?.services.size, 1);
    });

    it('takes it away after the configured time and not before, and brings it back', () => {
      const inventory = inventoryWith({ staleKeepMs: 60 * 86_400_000 });
      const cluster = memory('east');
      inventory.add('east', 'a', cluster.start);
      cluster.lose();
      scene.forgetChanges();
      scene.clock.advance(60 * 86_400_000 - 1);
      assert.equal(inventory.clusters().get('east')?.services.size, 1);
      assert.equal(scene.changes.length, 0);
      scene.clock.advance(1);
      assert.equal(inventory.clusters().get('east')?.services.size, 0);
      assert.equal(inventory.clusters().get('east')?.state.problem?.code, 'FW-CLUSTER-006');
      assert.deepEqual([...(scene.changes[0]?.services ?? [])], [reviews]);
      cluster.regain();
      assert.equal(inventory.clusters().get('east')?.services.size, 1);
      assert.equal(inventory.clusters().get('east')?.state.phase, 'fresh');
    });

    it('starts the time anew when the cluster was back in between', () => {
      const inventory = inventoryWith({ staleKeepMs: 1000 });
      const cluster = memory('east');
      inventory.add('east', 'a', cluster.start);
      cluster.lose();
      scene.clock.advance(900);
      cluster.regain();
      cluster.lose();
      scene.clock.advance(900);
      assert.equal(inventory.clusters().get('east')?.services.size, 1);
      scene.clock.advance(100);
      assert.equal(inventory.clusters().get('east')?.services.size, 0);
    });
  });
});
