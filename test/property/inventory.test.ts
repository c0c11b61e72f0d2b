/** Whatever a source says, in whatever order, the inventory ends where a cold load of the final state would. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/logger.ts';
import { type NamespaceShard, type ServiceKey, type ServiceShard, serviceKey } from '../../src/model/service.ts';
import { Inventory } from '../../src/registry/inventory.ts';
import type { ClusterRecord } from '../../src/registry/inventory-record.ts';
import type { ClusterSink, StartSource } from '../../src/registry/source.ts';
import { defaultStatementLimits } from '../../src/registry/statement.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { testEndpoint, testShard } from '../support/shards.ts';

const info = { name: 'east', network: '', locality: { region: '', zone: '', subzone: '' }, uid: 'u', origin: '' };

const service = fc.constantFrom('a', 'b', 'c');
const shard = fc.record({
  name: service,
  endpoints: fc.array(
    fc.record({ address: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'), foreign: fc.boolean() }),
    { maxLength: 5 },
  ),
  foreign: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  headless: fc.boolean(),
});
const say = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), shard }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), name: service }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sync' as const), shards: fc.array(shard, { maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('namespace' as const), name: service, foreign: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stale' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fresh' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rotate' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(500, 2000) }) },
);

type Say = typeof say extends fc.Arbitrary<infer T> ? T : never;

/** Who speaks while a rotated source has not taken over: both read the same cluster, unless the old one's access is gone. */
const speakers = ['old first', 'new first', 'new alone'] as const;

/** Found by chance once, shrunk; they run every time. */
const examples: [Say[]][] = [
  // The cluster says too much before and after the rotation, so the new source waits, and the findings stay those of the old one.
  [
    [
      { do: 'sync', shards: [own('b', 4)] },
      { do: 'put', shard: own('a', 3) },
      { do: 'rotate' },
      { do: 'put', shard: { name: 'c', endpoints: [], foreign: true, headless: false } },
    ],
  ],
  // The new source waits, and takes over with a change of one service: all that it said before must be in force too.
  [
    [
      { do: 'sync', shards: [own('b', 4)] },
      { do: 'put', shard: own('a', 3) },
      { do: 'rotate' },
      { do: 'put', shard: { name: 'b', endpoints: [], foreign: true, headless: false } },
    ],
  ],
];

function own(name: 'a' | 'b' | 'c', count: number) {
  const endpoints = Array.from({ length: count }, () => ({ address: '10.0.0.1' as const, foreign: false }));
  return { name, endpoints, foreign: false, headless: false };
}

function shardOf(spec: {
  name: string;
  endpoints: readonly { address: string; foreign: boolean }[];
  foreign: boolean;
  headless: boolean;
}): ServiceShard {
  const endpoints = spec.endpoints.map(({ address, foreign }) => testEndpoint(foreign ? 'west' : 'east', address));
  return testShard(spec.foreign ? 'west' : 'east', spec.name, [], { endpoints, headless: spec.headless });
}

function startWith(hold: (sink: ClusterSink) => void): StartSource {
  return (sink) => {
    hold(sink);
    return { stop: () => Promise.resolve() };
  };
}

function endsWhereAColdLoadEnds(events: readonly Say[], speaking: (typeof speakers)[number]): void {
  const clock = new ManualClock();
  const settings = {
    staleKeepMs: 1000,
    limits: { ...defaultStatementLimits, maxEndpoints: 6, maxEndpointsPerService: 4 },
  };
  const inventory = new Inventory({ clock, logger: silentLogger, settings });
  const replica = new Map<ServiceKey, ServiceShard>();
  // The inventory survives a listener that throws, so what is wrong is collected here.
  const eventsWithoutChange: ServiceKey[] = [];
  inventory.onChange(({ services, cluster }) => {
    const record = inventory.clusters().get(cluster);
    for (const key of services) {
      const now = record?.services.get(key);
      if (now === replica.get(key)) eventsWithoutChange.push(key);
      if (now === undefined) replica.delete(key);
      else replica.set(key, now);
    }
  });
  const truth = new Map<ServiceKey, ServiceShard>();
  const namespaces = new Map<string, NamespaceShard>();
  const syncTo = (target: ClusterSink): void => {
    target.sync({ info, services: new Map(truth), namespaces: new Map(namespaces) });
    target.state({ phase: 'fresh', sinceMs: clock.now() });
  };
  /** Of the sources that run, oldest first. */
  const running = new Set<ClusterSink>();
  const start: StartSource = (sink) => {
    running.add(sink);
    return {
      stop: () => {
        running.delete(sink);
        return Promise.resolve();
      },
    };
  };
  const tell = (say: (sink: ClusterSink) => void): void => {
    const sinks = [...running];
    if (speaking === 'new alone') sinks.splice(0, sinks.length - 1);
    else if (speaking === 'new first') sinks.reverse();
    // Whoever is stopped meanwhile has said its last word.
    for (const sink of sinks) if (running.has(sink)) say(sink);
  };
  const tellService = (key: ServiceKey, shard: ServiceShard | undefined): void =>
    tell((sink) => sink.change({ services: new Map([[key, shard]]), namespaces: new Map() }));
  const coldLoad = (): ClusterRecord => {
    const cold = new Inventory({ clock, logger: silentLogger, settings });
    cold.add('east', 'a', startWith(syncTo));
    return cold.clusters().get('east') as ClusterRecord;
  };
  const current = (): ClusterRecord => inventory.clusters().get('east') as ClusterRecord;
  const sameServices = (warm: ClusterRecord, cold: ClusterRecord): void => {
    assert.deepEqual(warm.services, cold.services);
    assert.deepEqual(warm.namespaces, cold.namespaces);
    assert.equal(warm.endpointCount, cold.endpointCount);
  };
  inventory.add('east', 'a', start);
  tell(syncTo);
  for (const event of events) {
    if (event.do === 'put') {
      const put = shardOf(event.shard);
      truth.set(serviceKey('shop', event.shard.name), put);
      tellService(serviceKey('shop', event.shard.name), put);
    } else if (event.do === 'remove') {
      truth.delete(serviceKey('shop', event.name));
      tellService(serviceKey('shop', event.name), undefined);
    } else if (event.do === 'sync') {
      truth.clear();
      for (const spec of event.shards) truth.set(serviceKey('shop', spec.name), shardOf(spec));
      tell(syncTo);
    } else if (event.do === 'namespace') {
      const put = { cluster: event.foreign ? 'west' : 'east', name: event.name, labels: {} };
      namespaces.set(event.name, put);
      tell((sink) => sink.change({ services: new Map(), namespaces: new Map([[event.name, put]]) }));
    } else if (event.do === 'rotate') {
      inventory.add('east', 'a', start);
      syncTo([...running].at(-1) as ClusterSink);
    } else if (event.do === 'wait') clock.advance(event.ms);
    else tell((sink) => sink.state({ phase: event.do, sinceMs: clock.now() }));
    // Fresh means right, at every moment and not only after the next full statement.
    const { state, rotation } = current();
    if (state.phase === 'fresh' && rotation === undefined) sameServices(current(), coldLoad());
  }
  tell(syncTo);

  const warm = current();
  const cold = coldLoad();
  assert.deepEqual(eventsWithoutChange, []);
  assert.equal(warm.state.phase, cold.state.phase);
  if (warm.rotation === undefined) assert.equal(running.size, 1);
  // Only what is too much keeps a synced source from taking over.
  else assert.equal(warm.rotation.problem?.code, 'FW-CLUSTER-005');
  // The findings are those of the source in force; one that waits is shown apart. An old source without access cannot know better.
  if (warm.rotation === undefined || speaking !== 'new alone') assert.deepEqual(warm.findings, cold.findings);
  // Over its limits a cluster keeps its last good state, which a cold load does not have.
  if (cold.state.phase === 'fresh') {
    assert.equal(warm.rotation, undefined);
    sameServices(warm, cold);
  }
  assert.deepEqual(replica, warm.services);
}

describe('inventory, any sequence of events', () => {
  for (const speaking of speakers) {
    it(`ends where a cold load of the final state ends, and its events add up to it (${speaking})`, () => {
      fc.assert(
        fc.property(fc.array(say, { maxLength: 40, size: 'max' }), (events) =>
          endsWhereAColdLoadEnds(events, speaking),
        ),
        { numRuns: 2000, examples },
      );
    });
  }
});
