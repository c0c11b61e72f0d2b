/** Whatever a source says, in whatever order, the inventory ends where a cold load of the final state would. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/logger.ts';
import { type NamespaceShard, type ServiceKey, type ServiceShard, serviceKey } from '../../src/model/service.ts';
import { Inventory } from '../../src/registry/inventory.ts';
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

describe('inventory, any sequence of events', () => {
  it('ends where a cold load of the final state ends, and its events add up to it', () => {
    fc.assert(
      fc.property(fc.array(say, { maxLength: 40 }), (events) => {
        const clock = new ManualClock();
        const settings = {
          staleKeepMs: 1000,
          limits: { ...defaultStatementLimits, maxEndpoints: 6, maxEndpointsPerService: 4 },
        };
        const inventory = new Inventory({ clock, logger: silentLogger, settings });
        const replica = new Map<ServiceKey, ServiceShard>();
        inventory.onChange(({ services, cluster }) => {
          const record = inventory.clusters().get(cluster);
          for (const key of services) {
            const now = record?.services.get(key);
            assert.notEqual(now, replica.get(key), 'an event without a change');
            if (now === undefined) replica.delete(key);
            else replica.set(key, now);
          }
        });
        let sink: ClusterSink | undefined;
        const truth = new Map<ServiceKey, ServiceShard>();
        const namespaces = new Map<string, NamespaceShard>();
        const syncTo = (target: ClusterSink): void => {
          target.sync({ info, services: new Map(truth), namespaces: new Map(namespaces) });
          target.state({ phase: 'fresh', sinceMs: clock.now() });
        };
        const start = startWith((started) => {
          sink = started;
        });
        inventory.add('east', 'a', start);
        syncTo(sink as unknown as ClusterSink);
        for (const event of events) {
          const current = sink as unknown as ClusterSink;
          if (event.do === 'put') {
            const put = shardOf(event.shard);
            truth.set(serviceKey('shop', event.shard.name), put);
            current.change({ services: new Map([[serviceKey('shop', event.shard.name), put]]), namespaces: new Map() });
          } else if (event.do === 'remove') {
            truth.delete(serviceKey('shop', event.name));
            current.change({ services: new Map([[serviceKey('shop', event.name), undefined]]), namespaces: new Map() });
          } else if (event.do === 'sync') {
            truth.clear();
            for (const spec of event.shards) truth.set(serviceKey('shop', spec.name), shardOf(spec));
            syncTo(current);
          } else if (event.do === 'namespace') {
            const put = { cluster: event.foreign ? 'west' : 'east', name: event.name, labels: {} };
            namespaces.set(event.name, put);
            current.change({ services: new Map(), namespaces: new Map([[event.name, put]]) });
          } else if (event.do === 'rotate') {
            inventory.add('east', 'a', start);
            syncTo(sink as unknown as ClusterSink);
          } else if (event.do === 'wait') clock.advance(event.ms);
          else current.state({ phase: event.do, sinceMs: clock.now() });
        }
        syncTo(sink as unknown as ClusterSink);

        const cold = new Inventory({ clock, logger: silentLogger, settings });
        cold.add('east', 'a', startWith(syncTo));
        const warm = inventory.clusters().get('east');
        const fresh = cold.clusters().get('east');
        assert.equal(warm?.state.phase, fresh?.state.phase);
        assert.deepEqual(warm?.findings, fresh?.findings);
        // Over its limits a cluster keeps its last good state, which a cold load does not have.
        if (fresh?.state.phase === 'fresh') {
          assert.deepEqual(warm?.services, fresh.services);
          assert.deepEqual(warm?.namespaces, fresh.namespaces);
          assert.equal(warm?.endpointCount, fresh.endpointCount);
        }
        assert.deepEqual(replica, warm?.services);
      }),
      { numRuns: 500 },
    );
  });
});
