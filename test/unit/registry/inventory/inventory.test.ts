/** What the inventory takes of clusters and their sources, and what it says of it. */

import assert from 'node:assert/strict';
import { type ServiceShard, serviceKey } from '../../../../src/model/service.ts';
import { defaultStatementLimits } from '../../../../src/registry/statement.ts';
import { testEndpoint, testShard } from '../../../support/shards.ts';
import { inventoryScene } from './inventory-scene.ts';

const reviews = serviceKey('shop', 'reviews');

describe('inventory', () => {
  const scene = inventoryScene();
  const { inventoryWith, memory, scripted, snapshot, state } = scene;

  describe('names', () => {
    it('refuses a malformed name, visibly', () => {
      const inventory = inventoryWith();
      inventory.add('east.1', 'a', memory('east').start);
      assert.equal(inventory.clusters().size, 0);
      assert.equal(inventory.refused()[0]?.problem.code, 'FW-CLUSTER-001');
      inventory.remove('east.1', 'a');
      assert.equal(inventory.refused().length, 0);
    });

    it('keeps the first of two origins, and gives the second its chance', () => {
      const inventory = inventoryWith();
      inventory.add('east', 'a', memory('east').start);
      const second = memory('east');
      second.putService(testShard('east', 'ratings', ['10.0.0.2']));
      inventory.add('east', 'b', second.start);
      assert.equal(second.running, 0);
      assert.equal(inventory.refused()[0]?.problem.code, 'FW-CLUSTER-002');
      assert.equal(inventory.refused()[0]?.origin, 'b');
      inventory.remove('east', 'b');
      assert.equal(inventory.refused().length, 0);
      inventory.add('east', 'b', second.start);
      inventory.remove('east', 'a');
      assert.equal(inventory.refused().length, 0);
      assert.deepEqual([...(inventory.clusters().get('east')?.services.keys() ?? [])].sort(), [
        'shop/ratings',
        'shop/reviews',
      ]);
    });

    it('leaves what is in force alone when a discovery refuses its new form', () => {
      const inventory = inventoryWith();
      inventory.add('east', 'a', memory('east').start);
      inventory.refuse('east', 'a', { code: 'FW-KUBE-001', message: 'no kubeconfig in it', hint: 'Put one in.' });
      assert.equal(inventory.clusters().get('east')?.state.phase, 'fresh');
      assert.equal(inventory.refused().length, 1);
      inventory.add('east', 'a', memory('east').start);
      assert.equal(inventory.refused().length, 0);
    });

    it('takes no more clusters than it may, until one goes', () => {
      const inventory = inventoryWith({ maxClusters: 1 });
      inventory.add('east', 'a', memory('east').start);
      inventory.add('west', 'b', memory('west').start);
      assert.equal(inventory.refused()[0]?.problem.code, 'FW-CLUSTER-010');
      inventory.remove('east', 'a');
      assert.equal(inventory.clusters().get('west')?.state.phase, 'fresh');
    });
  });

  describe('what sources say', () => {
    it('emits nothing for an equal shard, and keeps the object', () => {
      const inventory = inventoryWith();
      const cluster = memory('east');
      inventory.add('east', 'a', cluster.start);
      const held = inventory.clusters().get('east')?.services.get(reviews);
      scene.forgetChanges();
      cluster.putService(testShard('east', 'reviews', ['10.0.0.1']));
      cluster.regain();
      assert.equal(scene.changes.filter(({ services }) => services.size > 0).length, 0);
      assert.equal(inventory.clusters().get('east')?.services.get(reviews), held);
    });

    it('tells apart shards that differ in any one field', () => {
      const base = testShard('east', 'reviews', ['10.0.0.1']);
      const endpoint = testEndpoint('east', '10.0.0.1');
      const variants: ServiceShard[] = [
        { ...base, createdAtMs: 1 },
        { ...base, headless: true },
        { ...base, vips: ['10.0.0.2'] },
        { ...base, ports: [{ name: 'http', port: 80, transport: 'TCP', protocol: 'grpc' }] },
        { ...base, ports: [] },
        { ...base, endpoints: [] },
        ...(
          [
            { ports: new Map([['http', 8081]]) },
            { network: 'n' },
            { locality: { region: 'r', zone: '', subzone: '' } },
            { version: 'v2' },
            { labels: { app: 'b', version: 'v1' } },
            { labels: { app: 'a' } },
            { ready: false },
            { serving: false },
            { terminating: true },
            { serviceAccount: 's' },
            { workload: 'w' },
            { node: 'n' },
            { hostname: 'h' },
          ] as const
        ).map((fields) => ({ ...base, endpoints: [{ ...endpoint, ...fields }] })),
      ];
      for (const variant of variants) {
        const inventory = inventoryWith();
        const cluster = memory('east');
        inventory.add('east', 'a', cluster.start);
        scene.forgetChanges();
        cluster.putService(variant);
        assert.equal(scene.changes.length, 1, JSON.stringify(variant));
        assert.deepEqual(inventory.clusters().get('east')?.services.get(reviews), variant);
      }
    });

    it('keeps the very endpoints that are as before when others of the service change', () => {
      const inventory = inventoryWith();
      const cluster = memory('east');
      inventory.add('east', 'a', cluster.start);
      const held = (): ServiceShard['endpoints'] =>
        inventory.clusters().get('east')?.services.get(reviews)?.endpoints ?? [];
      const made = (...addresses: readonly string[]): ServiceShard => testShard('east', 'reviews', addresses);
      cluster.putService(made('10.0.0.1', '10.0.0.2', '10.0.0.3'));
      const before = held();
      const now = made('10.0.0.0', '10.0.0.1', '10.0.0.3', '10.0.0.4');
      cluster.putService(now);
      assert.deepEqual(held(), now.endpoints);
      assert.equal(held()[1], before[0]);
      assert.equal(held()[2], before[2]);
    });

    it('drops and counts what belongs to another cluster', () => {
      const inventory = inventoryWith();
      const cluster = memory('east');
      inventory.add('west', 'b', memory('west').start);
      inventory.add('east', 'a', cluster.start);
      cluster.putService({
        ...testShard('east', 'reviews', ['10.0.0.1']),
        endpoints: [testEndpoint('east', '10.0.0.1'), testEndpoint('west', '10.9.9.9')],
      });
      const source = scripted();
      inventory.add('north', 'c', source.start);
      source.sink().sync({
        ...snapshot('north', [testShard('north', 'ok', ['10.0.0.4'])]),
        services: new Map([
          [serviceKey('shop', 'ok'), testShard('north', 'ok', ['10.0.0.4'])],
          [reviews, testShard('west', 'reviews', ['10.9.9.9'])],
          [serviceKey('shop', 'other'), testShard('north', 'misplaced', ['10.9.9.9'])],
        ]),
      });
      assert.deepEqual(
        inventory.shards(reviews).map((shard) => [shard.cluster, shard.endpoints.map(({ address }) => address)]),
        [
          ['west', ['10.0.0.1']],
          ['east', ['10.0.0.1']],
        ],
      );
      assert.equal(inventory.clusters().get('east')?.droppedTotal, 1);
      assert.equal(inventory.clusters().get('north')?.droppedTotal, 2);
      assert.deepEqual([...(inventory.clusters().get('north')?.services.keys() ?? [])], ['shop/ok']);
      assert.equal(inventory.clusters().get('east')?.findings[0]?.code, 'FW-CLUSTER-004');
      cluster.putService(testShard('east', 'reviews', ['10.0.0.1']));
      assert.deepEqual(inventory.clusters().get('east')?.findings, []);
    });

    it('refuses a source that speaks for another cluster, and keeps what is held', () => {
      const inventory = inventoryWith();
      const source = scripted();
      inventory.add('east', 'a', source.start);
      source.sink().sync(snapshot('east', [testShard('east', 'reviews', ['10.0.0.1'])]));
      source.sink().state(state('fresh'));
      source.sink().sync(snapshot('west', [testShard('west', 'reviews', ['10.9.9.9'])]));
      const record = inventory.clusters().get('east');
      assert.equal(record?.state.problem?.code, 'FW-CLUSTER-009');
      assert.equal(record?.services.get(reviews)?.endpoints[0]?.address, '10.0.0.1');
    });

    it('does not call a source fresh before it has synced, and ignores its changes until then', () => {
      const inventory = inventoryWith();
      const source = scripted();
      inventory.add('east', 'a', source.start);
      source.sink().state(state('fresh'));
      source
        .sink()
        .change({ services: new Map([[reviews, testShard('east', 'reviews', ['10.0.0.1'])]]), namespaces: new Map() });
      assert.equal(inventory.clusters().get('east')?.state.phase, 'syncing');
      assert.equal(inventory.clusters().get('east')?.services.size, 0);
      assert.equal(inventory.settled(), false);
    });

    it('shows a source that throws as refused', () => {
      const inventory = inventoryWith();
      inventory.add('east', 'a', () => {
        throw new Error('boom');
      });
      const shown = inventory.clusters().get('east')?.state;
      assert.equal(shown?.phase, 'refused');
      assert.match(shown?.problem?.message ?? '', /boom/);
      assert.equal(inventory.settled(), true);
    });

    it('sets all of it aside when a cluster says too much, and takes it back when it says less', () => {
      const inventory = inventoryWith({ limits: { ...defaultStatementLimits, maxEndpoints: 2 } });
      const cluster = memory('east');
      inventory.add('east', 'a', cluster.start);
      cluster.putService(testShard('east', 'ratings', ['10.0.0.2', '10.0.0.3']));
      const over = inventory.clusters().get('east');
      assert.equal(over?.state.phase, 'stale');
      assert.equal(over?.state.problem?.code, 'FW-CLUSTER-005');
      assert.deepEqual([...(over?.services.keys() ?? [])], [reviews]);
      cluster.putService(testShard('east', 'reviews', ['10.0.0.9']));
      assert.equal(inventory.clusters().get('east')?.services.get(reviews)?.endpoints[0]?.address, '10.0.0.1');
      cluster.putService(testShard('east', 'ratings', ['10.0.0.2']));
      const back = inventory.clusters().get('east');
      assert.equal(back?.state.phase, 'fresh');
      assert.equal(back?.services.get(reviews)?.endpoints[0]?.address, '10.0.0.9');
      assert.equal(back?.endpointCount, 2);
    });

    it('keeps the first endpoints of a service with too many', () => {
      const inventory = inventoryWith({ limits: { ...defaultStatementLimits, maxEndpointsPerService: 1 } });
      const cluster = memory('east');
      inventory.add('east', 'a', cluster.start);
      cluster.putService(testShard('east', 'reviews', ['10.0.0.1', '10.0.0.2']));
      const record = inventory.clusters().get('east');
      assert.equal(record?.endpointCount, 1);
      assert.equal(record?.findings[0]?.code, 'FW-CLUSTER-015');
    });

    it('keeps what a partial statement does not name', () => {
      const inventory = inventoryWith();
      const source = scripted();
      inventory.add('east', 'a', source.start);
      source
        .sink()
        .sync(
          snapshot('east', [testShard('east', 'reviews', ['10.0.0.1']), testShard('east', 'ratings', ['10.0.0.2'])]),
        );
      source.sink().sync(snapshot('east', [testShard('east', 'ratings', ['10.0.0.3'])]), true);
      assert.equal(inventory.clusters().get('east')?.services.size, 2);
      source.sink().sync(snapshot('east', [testShard('east', 'ratings', ['10.0.0.3'])]));
      assert.equal(inventory.clusters().get('east')?.services.size, 1);
    });

    it('goes on when a listener fails', () => {
      const inventory = inventoryWith();
      inventory.onChange(() => {
        throw new Error('listener');
      });
      let heard = 0;
      inventory.onChange(() => {
        heard += 1;
      });
      inventory.add('east', 'a', memory('east').start);
      assert.ok(heard > 0);
    });
  });

  it('ends all sources when it is closed, and says nothing more', async () => {
    const inventory = inventoryWith();
    const cluster = memory('east');
    inventory.add('east', 'a', cluster.start);
    await inventory.close();
    scene.forgetChanges();
    cluster.putService(testShard('east', 'reviews', []));
    assert.equal(cluster.running, 0);
    assert.deepEqual(scene.changes, []);
  });
});
