import assert from 'node:assert/strict';
import { silentLogger } from '../../../../src/core/logger.ts';
import type { ClusterState } from '../../../../src/model/cluster.ts';
import { type ServiceKey, type ServiceShard, serviceKey } from '../../../../src/model/service.ts';
import { Inventory } from '../../../../src/registry/inventory.ts';
import type { InventoryChange, InventorySettings } from '../../../../src/registry/inventory-record.ts';
import { MemoryCluster } from '../../../../src/registry/memory/memory-cluster.ts';
import type { ClusterSink, StartSource } from '../../../../src/registry/source.ts';
import { defaultStatementLimits } from '../../../../src/registry/statement.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { testEndpoint, testShard } from '../../../support/shards.ts';

const reviews = serviceKey('shop', 'reviews');

describe('inventory', () => {
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
      changes = [];
      cluster.putService(testShard('east', 'reviews', ['10.0.0.1']));
      cluster.regain();
      assert.equal(changes.filter(({ services }) => services.size > 0).length, 0);
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
        changes = [];
        cluster.putService(variant);
        assert.equal(changes.length, 1, JSON.stringify(variant));
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
      changes = [];
      next.sink().change({ services: new Map([[serviceKey('shop', 'ratings'), ratings]]), namespaces: new Map() });
      const record = inventory.clusters().get('east');
      assert.equal(record?.rotation, undefined);
      assert.deepEqual([...(record?.services.keys() ?? [])].sort(), ['shop/details', 'shop/ratings']);
      assert.deepEqual(changes.flatMap(({ services }) => [...services]).sort(), [
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
      changes = [];
      inventory.add('east', 'a', next.start);
      assert.deepEqual(
        changes.flatMap(({ services }) => [...services]),
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
      clock.advance(60_000);
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
      clock.advance(29_999);
      assert.equal(inventory.settled(), false);
      clock.advance(1);
      assert.equal(inventory.settled(), true);
      assert.equal(inventory.clusters().get('east')?.state.problem?.code, 'FW-CLUSTER-007');
    });

    it('waits less for a cluster that has said it cannot be reached', () => {
      const inventory = inventoryWith({ initialWaitMs: 30_000, unreachableWaitMs: 5_000 });
      inventory.add('east', 'a', memory('east', '', false).start);
      inventory.add('west', 'b', memory('west').start);
      clock.advance(4_999);
      assert.equal(inventory.settled(), false);
      clock.advance(1);
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
      const since = clock.now();
      clock.advance(400 * 86_400_000);
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
      changes = [];
      clock.advance(60 * 86_400_000 - 1);
      assert.equal(inventory.clusters().get('east')?.services.size, 1);
      assert.equal(changes.length, 0);
      clock.advance(1);
      assert.equal(inventory.clusters().get('east')?.services.size, 0);
      assert.equal(inventory.clusters().get('east')?.state.problem?.code, 'FW-CLUSTER-006');
      assert.deepEqual([...(changes[0]?.services ?? [])], [reviews]);
      cluster.regain();
      assert.equal(inventory.clusters().get('east')?.services.size, 1);
      assert.equal(inventory.clusters().get('east')?.state.phase, 'fresh');
    });

    it('starts the time anew when the cluster was back in between', () => {
      const inventory = inventoryWith({ staleKeepMs: 1000 });
      const cluster = memory('east');
      inventory.add('east', 'a', cluster.start);
      cluster.lose();
      clock.advance(900);
      cluster.regain();
      cluster.lose();
      clock.advance(900);
      assert.equal(inventory.clusters().get('east')?.services.size, 1);
      clock.advance(100);
      assert.equal(inventory.clusters().get('east')?.services.size, 0);
    });
  });

  it('ends all sources when it is closed, and says nothing more', async () => {
    const inventory = inventoryWith();
    const cluster = memory('east');
    inventory.add('east', 'a', cluster.start);
    await inventory.close();
    changes = [];
    cluster.putService(testShard('east', 'reviews', []));
    assert.equal(cluster.running, 0);
    assert.deepEqual(changes, []);
  });
});
