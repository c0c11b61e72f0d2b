/** Clusters that get another source, and APIs that have two names or take another’s place. */

import assert from 'node:assert/strict';
import { serviceKey } from '../../../../src/model/service.ts';
import { defaultStatementLimits } from '../../../../src/registry/statement.ts';
import { testShard } from '../../../support/shards.ts';
import { inventoryScene } from './inventory-scene.ts';

const reviews = serviceKey('shop', 'reviews');

describe('inventory', () => {
  const scene = inventoryScene();
  const { inventoryWith, memory, scripted, snapshot, state } = scene;

  describe('rotation', () => {
    it('keeps the old source until the new one has synced, and never lets a bad one wipe it', () => {
      const inventory = inventoryWith();
      const old = memory('east');
      inventory.add('east', 'a', old.start);
      const bad = scripted();
      inventory.add('east', 'a', bad.start);
      bad
        .sink()
        .state({ ...state('refused'), problem: { code: 'FW-KUBE-001', message: 'bad credential', hint: 'Renew it.' } });
      const record = inventory.clusters().get('east');
      assert.equal(record?.state.phase, 'fresh');
      assert.equal(record?.rotation?.phase, 'refused');
      old.putService(testShard('east', 'reviews', ['10.0.0.2']));
      assert.equal(inventory.clusters().get('east')?.services.get(reviews)?.endpoints[0]?.address, '10.0.0.2');
      const good = memory('east');
      inventory.add('east', 'a', good.start);
      assert.equal(bad.stopped(), true);
      assert.equal(old.running, 0);
      assert.equal(inventory.clusters().get('east')?.rotation, undefined);
      bad.sink().sync(snapshot('east', []));
      assert.equal(inventory.clusters().get('east')?.services.size, 1);
    });

    it('lets a source that says too much wait, and shows what it claims once it is in force', () => {
      const inventory = inventoryWith({ limits: { ...defaultStatementLimits, maxEndpoints: 2 } });
      const old = scripted();
      inventory.add('east', 'a', old.start);
      const tooMuch = testShard('east', 'reviews', ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
      old.sink().sync(snapshot('east', [testShard('east', 'reviews', ['10.0.0.1'])]));
      old.sink().sync(snapshot('east', [tooMuch]));
      const next = scripted();
      inventory.add('east', 'a', next.start);
      next.sink().sync(snapshot('east', [tooMuch]));
      next.sink().state(state('fresh'));
      const claimed = new Map([[serviceKey('shop', 'ratings'), testShard('west', 'ratings', [])]]);
      next.sink().change({ services: claimed, namespaces: new Map() });
      const waiting = inventory.clusters().get('east');
      assert.equal(waiting?.rotation?.problem?.code, 'FW-CLUSTER-005');
      assert.deepEqual(waiting?.findings, []);
      assert.equal(waiting?.droppedTotal, 1);
      assert.equal(old.stopped(), false);
      // The old source, which still runs, says so itself.
      old.sink().change({ services: claimed, namespaces: new Map() });
      assert.equal(inventory.clusters().get('east')?.findings[0]?.code, 'FW-CLUSTER-004');
      const less = new Map([[reviews, testShard('east', 'reviews', ['10.0.0.4'])]]);
      next.sink().change({ services: less, namespaces: new Map() });
      const taken = inventory.clusters().get('east');
      assert.equal(old.stopped(), true);
      assert.equal(taken?.state.phase, 'fresh');
      assert.equal(taken?.rotation, undefined);
      assert.equal(taken?.findings[0]?.code, 'FW-CLUSTER-004');
    });

    it('takes over all that the new source has said, whatever word brings it in', () => {
      const inventory = inventoryWith({ limits: { ...defaultStatementLimits, maxEndpoints: 2 } });
      const old = scripted();
      inventory.add('east', 'a', old.start);
      old.sink().sync(snapshot('east', [testShard('east', 'reviews', ['10.0.0.1'])]));
      const next = scripted();
      inventory.add('east', 'a', next.start);
      const details = testShard('east', 'details', ['10.0.0.8']);
      next.sink().sync(snapshot('east', [details, testShard('east', 'ratings', ['10.0.0.2', '10.0.0.3'])]));
      assert.equal(inventory.clusters().get('east')?.rotation?.problem?.code, 'FW-CLUSTER-005');
      const ratings = testShard('east', 'ratings', ['10.0.0.2']);
      scene.forgetChanges();
      next.sink().change({ services: new Map([[serviceKey('shop', 'ratings'), ratings]]), namespaces: new Map() });
      const record = inventory.clusters().get('east');
      assert.equal(record?.rotation, undefined);
      assert.deepEqual([...(record?.services.keys() ?? [])].sort(), ['shop/details', 'shop/ratings']);
      assert.deepEqual(scene.changes.flatMap(({ services }) => [...services]).sort(), [
        'shop/details',
        'shop/ratings',
        'shop/reviews',
      ]);
    });

    it('compares what the new source says with what is held', () => {
      const inventory = inventoryWith();
      inventory.add('east', 'a', memory('east').start);
      const next = memory('east');
      next.putService(testShard('east', 'ratings', ['10.0.0.3']));
      scene.forgetChanges();
      inventory.add('east', 'a', next.start);
      assert.deepEqual(
        scene.changes.flatMap(({ services }) => [...services]),
        ['shop/ratings'],
      );
    });
  });

  describe('one API under two names', () => {
    it('refuses the second, and lets it in when the first goes', () => {
      const inventory = inventoryWith();
      inventory.add('east', 'a', memory('east', 'u').start);
      const again = memory('again', 'u');
      inventory.add('again', 'b', again.start);
      assert.equal(inventory.clusters().get('again')?.state.problem?.code, 'FW-CLUSTER-003');
      again.putService(testShard('again', 'reviews', ['10.0.0.7']));
      assert.equal(inventory.shards(reviews).length, 1);
      inventory.remove('east', 'a');
      assert.equal(inventory.clusters().get('again')?.state.phase, 'fresh');
      assert.equal(inventory.shards(reviews)[0]?.endpoints[0]?.address, '10.0.0.7');
    });

    it('goes by the order of registration, not by who is quicker, before streams are answered', () => {
      const inventory = inventoryWith();
      const first = memory('first', 'u', false);
      inventory.add('first', 'a', first.start);
      inventory.add('second', 'b', memory('second', 'u').start);
      assert.equal(inventory.clusters().get('second')?.services.size, 1);
      first.regain();
      assert.equal(inventory.clusters().get('first')?.services.size, 1);
      assert.equal(inventory.clusters().get('second')?.services.size, 0);
      assert.equal(inventory.clusters().get('second')?.state.phase, 'refused');
    });

    it('keeps the first where it was quicker too', () => {
      const inventory = inventoryWith();
      inventory.beginDiscovery('both');
      inventory.add('first', 'a', memory('first', 'u').start);
      inventory.add('second', 'b', memory('second', 'u').start);
      assert.equal(inventory.clusters().get('first')?.services.size, 1);
      assert.equal(inventory.clusters().get('second')?.state.phase, 'refused');
    });

    it('does not turn over what is served once streams are answered', () => {
      const inventory = inventoryWith();
      const first = memory('first', 'u', false);
      inventory.add('first', 'a', first.start);
      inventory.add('second', 'b', memory('second', 'u').start);
      scene.clock.advance(60_000);
      assert.equal(inventory.settled(), true);
      first.regain();
      assert.equal(inventory.clusters().get('first')?.state.phase, 'refused');
      assert.equal(inventory.clusters().get('second')?.services.size, 1);
    });

    it('refuses a rotation to an API that another cluster serves, and keeps the old source', () => {
      const inventory = inventoryWith();
      inventory.add('east', 'a', memory('east', 'u1').start);
      inventory.add('west', 'b', memory('west', 'u2').start);
      inventory.add('west', 'b', memory('west', 'u1').start);
      const west = inventory.clusters().get('west');
      assert.equal(west?.state.phase, 'fresh');
      assert.equal(west?.rotation?.problem?.code, 'FW-CLUSTER-003');
      assert.equal(west?.info.uid, 'u2');
      inventory.remove('east', 'a');
      assert.equal(inventory.clusters().get('west')?.info.uid, 'u1');
      assert.equal(inventory.clusters().get('west')?.rotation, undefined);
    });
  });

  describe('another API than before', () => {
    it('gives who was waiting all that it has said, even when a change of its own comes first', () => {
      const inventory = inventoryWith();
      const holder = scripted();
      const waiting = scripted();
      inventory.add('east', 'a', holder.start);
      holder.sink().sync(snapshot('east', [testShard('east', 'reviews', ['10.0.0.1'])], 'one'));
      inventory.add('west', 'a', waiting.start);
      waiting.sink().sync(snapshot('west', [testShard('west', 'reviews', ['10.0.0.2'])], 'one'));
      assert.equal(inventory.clusters().get('west')?.state.problem?.code, 'FW-CLUSTER-003');
      holder.sink().sync(snapshot('east', [testShard('east', 'reviews', ['10.0.0.1'])], 'two'));
      const ratings = testShard('west', 'ratings', ['10.0.0.3']);
      waiting.sink().change({ services: new Map([[serviceKey('shop', 'ratings'), ratings]]), namespaces: new Map() });
      assert.deepEqual([...(inventory.clusters().get('west')?.services.keys() ?? [])].sort(), [
        'shop/ratings',
        'shop/reviews',
      ]);
    });

    it('frees the one it was for whoever waits for it', async () => {
      const inventory = inventoryWith();
      const east = memory('east', 'u1');
      inventory.add('east', 'a', east.start);
      inventory.add('again', 'b', memory('again', 'u1').start);
      assert.equal(inventory.clusters().get('again')?.state.phase, 'refused');
      east.setInfo({ uid: 'u2' });
      await Promise.resolve();
      assert.equal(inventory.clusters().get('again')?.state.phase, 'fresh');
      assert.equal(inventory.clusters().get('east')?.state.phase, 'fresh');
      assert.equal(inventory.shards(reviews).length, 2);
    });
  });
});
