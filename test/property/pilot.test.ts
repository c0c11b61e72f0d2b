/**
 * Whatever clusters and people say, in whatever order, batched anyhow: every scope ends with the bytes that a pilot would give which starts
 * now, every proxy ends with what its scope holds, and one that refuses some forms ends without them and with all else.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/logger.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { type Locality, unknownLocality } from '../../src/model/cluster.ts';
import type { ServiceShard } from '../../src/model/service.ts';
import { serviceKey } from '../../src/model/service.ts';
import { MemberRules, memberSourceName } from '../../src/pilot/member-rules.ts';
import { Inventory } from '../../src/registry/inventory.ts';
import { MemoryCluster } from '../../src/registry/memory/memory-cluster.ts';
import { parseClusterPolicy } from '../../src/rules/cluster-policy/parse.ts';
import { RuleSet } from '../../src/rules/rule-set.ts';
import { endpoint, port, shard } from '../support/fixtures.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { PilotSim, proxyTypes, type Refuses, type SimProxy, viewBytes } from '../support/pilot-sim.ts';
import { rawObject } from '../support/rules.ts';

const seed = 20_260;
const clusters = ['east', 'west', 'north'];
const services = ['a', 'b', 'c'];
const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const portPool = [port(80), port(81, 'grpc'), port(6379, 'tcp', 'redis'), port(80, 'tcp', 'raw')];

const anyShard = fc.record({
  createdAtMs: fc.nat(2),
  headless: fc.boolean(),
  vips: fc.subarray(['10.96.0.1', '10.96.0.2', 'fd00::1']),
  ports: fc.subarray(portPool, { minLength: 1, maxLength: 2 }),
  endpoints: fc.array(
    fc.record({
      address: fc.constantFrom(...addresses),
      version: fc.constantFrom('v1', 'v2', 'bad'),
      ready: fc.boolean(),
      zone: fc.constantFrom('', 'a', 'b'),
      node: fc.constantFrom('', 'n1', 'n2'),
    }),
    { maxLength: 3 },
  ),
  kubernetes: fc.constantFrom(
    {},
    {},
    {},
    { trafficDistribution: 'PreferSameZone' as const },
    { trafficDistribution: 'PreferSameNode' as const },
    { internalTrafficPolicy: 'Local' as const },
  ),
});
/** What a rule asks of proxies, besides its backends. */
const anyAsk = fc.constantFrom<Readonly<Record<string, unknown>>>(
  {},
  {},
  {},
  { locality: { prefer: ['zone', 'region'] } },
  { locality: { prefer: ['node', 'cluster'] } },
  { locality: { order: [{ region: 'eu', zone: 'b' }, { cluster: 'west' }] }, spillover: 120 },
  {
    locality: {
      shares: [
        {
          from: { zone: 'a' },
          to: [
            { zone: 'a', weight: 3 },
            { zone: 'b', weight: 1 },
          ],
        },
      ],
    },
  },
  { within: { region: 'eu' } },
  { within: { cluster: 'west' }, locality: { prefer: ['zone'] } },
);
const anySource = fc.option(
  fc.constantFrom(
    { cluster: 'east' },
    { namespace: 'other' },
    { labels: { app: 'web' } },
    { labels: { app: 'web', tier: 'front' } },
    { labels: { app: 'job' }, cluster: 'west' },
  ),
  { nil: undefined, freq: 2 },
);
const anyBackends = fc.constantFrom(
  [{ version: 'v1' }],
  [{ version: 'v2', cluster: 'west', fallback: [{ version: 'v1' }, {}] }],
  [
    { version: 'v1', weight: 9 },
    { cluster: 'east', weight: 1 },
  ],
  [{ version: 'bad' }],
  [{ version: 'bad', cluster: 'west', fallback: [{}] }],
);
const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('shard' as const),
      cluster: fc.constantFrom(...clusters),
      name: fc.constantFrom(...services),
      shard: fc.option(anyShard, { nil: undefined, freq: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('rule' as const),
      source: fc.constantFrom('folder', 'primary'),
      id: fc.constantFrom('r1', 'r2', 'r3'),
      service: fc.constantFrom(...services),
      backends: fc.option(anyBackends, { nil: undefined, freq: 4 }),
      ask: anyAsk,
      from: anySource,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('member' as const),
      cluster: fc.constantFrom('east', 'west', 'north'),
      id: fc.constantFrom('r1', 'r2', 'r3'),
      service: fc.constantFrom(...services),
      backends: fc.option(anyBackends, { nil: undefined, freq: 4 }),
      ask: anyAsk,
      from: anySource,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      name: fc.constantFrom('p', 'q'),
      policy: fc.option(
        fc.record({
          clusters: fc.constantFrom(['*'], ['west'], ['e*', 'north']),
          namespaces: fc.constantFrom(['*'], ['shop'], ['sh*'], ['other']),
          precedence: fc.constantFrom('member', 'primary'),
        }),
        { nil: undefined, freq: 4 },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), cluster: fc.constantFrom(...clusters) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('regain' as const), cluster: fc.constantFrom(...clusters) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('unregister' as const), cluster: fc.constantFrom(...clusters) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('register' as const), cluster: fc.constantFrom(...clusters) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), proxy: fc.nat(3) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('work' as const), turns: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pump' as const),
      proxy: fc.nat(3),
      messages: fc.integer({ min: 1, max: 4 }),
    }),
  },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** Two proxies per transport: in east, captured, behind an address that services come to and go from; and in west, explicit. */
const nodes = [
  [
    'sidecar~10.0.0.1~a.shop~shop.svc.cluster.local',
    { CLUSTER_ID: 'east', LABELS: { app: 'web', tier: 'front' } },
    'delta',
  ],
  ['sidecar~10.0.0.2~b.shop~shop.svc.cluster.local', { CLUSTER_ID: 'west', FAIRWAY_MODE: 'explicit' }, 'delta'],
  [
    'sidecar~10.0.0.1~c.shop~shop.svc.cluster.local',
    { CLUSTER_ID: 'west', LABELS: { app: 'job', 'topology.kubernetes.io/zone': 'b' } },
    'sotw',
  ],
  ['sidecar~10.0.0.3~d.other~other.svc.cluster.local', { CLUSTER_ID: '' }, 'sotw'],
] as const;

/** East is somewhere, for those of its proxies and endpoints that do not say. */
function infoOf(name: string): { name: string; locality?: Locality } {
  return name === 'east' ? { name, locality: { region: 'eu', zone: 'a', subzone: '' } } : { name };
}

class World {
  readonly clock = new ManualClock();
  readonly inventory = new Inventory({ clock: this.clock, logger: silentLogger });
  readonly rules = new RuleSet(silentLogger);
  readonly members = new MemberRules({ logger: silentLogger, primary: this.rules.winners });
  readonly policies = new Map<string, Extract<Step, { do: 'policy' }>['policy']>();
  readonly sim: PilotSim;
  readonly memory = new Map<string, MemoryCluster>();
  readonly registered = new Set<string>();
  readonly proxies: SimProxy[];
  readonly puts = new Map<string, () => void>();

  /** `sliced`: the engine's work is done bit by bit, with everything else in between. */
  constructor(sliced: boolean) {
    this.sim = new PilotSim(this.clock, this.inventory, this.rules, sliced, this.members);
    for (const name of clusters) this.memory.set(name, new MemoryCluster({ clock: this.clock, info: infoOf(name) }));
    this.proxies = nodes.map(([id, metadata, transport]) => this.sim.connect(id, metadata, transport));
  }

  register(name: string): void {
    const cluster = this.memory.get(name);
    if (cluster === undefined || this.registered.has(name)) return;
    this.registered.add(name);
    this.inventory.add(name, cluster.info.origin, cluster.start);
  }

  /** Every service is in two clusters, and all clusters may hold rules for it. */
  haveMembers(): void {
    for (const cluster of ['east', 'west']) {
      for (const name of services) this.memory.get(cluster)?.putService(memberShard(cluster, name));
    }
    this.putPolicy({ name: 'q', policy: { clusters: ['*'], namespaces: ['shop'], precedence: 'member' } });
  }

  reconnect(index: number): void {
    this.sim.disconnect(this.proxies[index] as SimProxy);
    const [id, metadata, transport] = nodes[index] as (typeof nodes)[number];
    this.proxies[index] = this.sim.connect(id, metadata, transport);
  }

  putRule(
    set: Pick<RuleSet, 'source'>,
    {
      source,
      id,
      service,
      backends,
      ask,
      from,
    }: Omit<Extract<Step, { do: 'rule' }>, 'do' | 'source'> & { source: string },
  ): void {
    const objectId = `TrafficRule/shop/${id}`;
    if (backends === undefined) set.source(source).remove(objectId);
    else {
      const metadata = { name: id, namespace: 'shop', creationTimestamp: `2026-01-0${id.slice(1)}T00:00:00Z` };
      const object = {
        apiVersion: 'fairway.dev/v1alpha1',
        kind: 'TrafficRule',
        metadata,
        spec: {
          service,
          ...ask,
          routes: from === undefined ? [{ backends }] : [{ matches: [{ source: from }], backends }, { backends: [{}] }],
        },
      };
      set.source(source).put(rawObject(object, source), objectId);
    }
  }

  putPolicy({ name, policy }: { name: string; policy: Extract<Step, { do: 'policy' }>['policy'] }): void {
    this.policies.delete(name);
    this.policies.set(name, policy);
    const values = [...this.policies].flatMap(([called, given]) => {
      if (given === undefined) return [];
      const { clusters: who, namespaces, precedence } = given;
      const spec = { clusters: who, grants: [{ namespaces, kinds: ['TrafficRule'] }], precedence };
      const object = { apiVersion: 'fairway.dev/v1alpha1', kind: 'ClusterPolicy', metadata: { name: called }, spec };
      return parseClusterPolicy(rawObject(object), { defaultNamespace: 'default' }).value ?? [];
    });
    this.members.setPolicies(values);
  }

  apply(step: Step, refuses: Refuses): void {
    switch (step.do) {
      case 'shard': {
        const cluster = this.memory.get(step.cluster) as MemoryCluster;
        if (step.shard === undefined) cluster.removeService('shop', step.name);
        else cluster.putService(shardOf(step.cluster, step.name, step.shard));
        return;
      }
      case 'rule':
        return this.putRule(this.rules, step);
      case 'member':
        return this.putRule(this.members, { ...step, source: memberSourceName(step.cluster) });
      case 'policy':
        return this.putPolicy(step);
      case 'lose':
        return this.memory.get(step.cluster)?.lose();
      case 'regain':
        return this.memory.get(step.cluster)?.regain();
      case 'unregister':
        if (this.registered.delete(step.cluster)) this.inventory.remove(step.cluster, `memory ${step.cluster}`);
        return;
      case 'register':
        return this.register(step.cluster);
      case 'reconnect':
        return this.reconnect(step.proxy);
      case 'flush':
        return this.clock.advance(1);
      case 'work':
        this.sim.work(step.turns);
        return;
      case 'pump':
        this.sim.pump(this.proxies[step.proxy] as SimProxy, refuses, step.messages);
    }
  }

  /** Nothing waits any more: sources, batches, streams. */
  settle(refuses: Refuses): void {
    for (const cluster of this.memory.values()) cluster.regain();
    this.sim.engine.flush();
    let rounds = 0;
    do {
      assert.ok(++rounds < 100, 'the engine works on and on');
      for (const proxy of this.proxies) {
        const sent = this.sim.pump(proxy, refuses, 500);
        assert.ok(sent < 500, 'a proxy is asked over and over');
      }
    } while (this.sim.work(1_000) > 0);
  }

  /** A pilot that starts now, with the same registrations, rules and proxies. */
  cold(): World {
    const cold = new World(false);
    for (const name of this.registered) {
      const shards: ServiceShard[] = services.flatMap(
        (service) => this.inventory.clusters().get(name)?.services.get(serviceKey('shop', service)) ?? [],
      );
      for (const one of shards) cold.memory.get(name)?.putService(structuredClone(one));
      cold.register(name);
    }
    for (const { source, key, raw } of this.rules.records()) {
      cold.rules.source(source).put({ ...raw, object: structuredClone(raw.object) }, key.slice(source.length + 1));
    }
    for (const [name, policy] of [...this.policies].reverse()) cold.putPolicy({ name, policy });
    for (const { source, key, raw } of this.members.records()) {
      cold.members.source(source).put({ ...raw, object: structuredClone(raw.object) }, key.slice(source.length + 1));
    }
    cold.sim.engine.flush();
    // Proxies that connect only now: nothing of what they see was ever changed.
    for (const i of nodes.keys()) cold.reconnect(i);
    return cold;
  }
}

function shardOf(
  cluster: string,
  name: string,
  given: NonNullable<Extract<Step, { do: 'shard' }>['shard']>,
): ServiceShard {
  const ports = new Map(given.ports.map((each) => [each.name, each.port + 1000]));
  const endpoints = given.endpoints.map(({ address, version, ready, zone, node }) =>
    endpoint(cluster, address, {
      version,
      ready,
      serving: ready,
      ports,
      node,
      locality: zone === '' ? unknownLocality : { region: 'eu', zone, subzone: '' },
    }),
  );
  const { kubernetes, ...rest } = given;
  return shard(cluster, name, { ...rest, ...kubernetes, endpoints });
}

/** One that asks nothing by itself. */
function memberShard(cluster: string, name: string): ServiceShard {
  return shard(cluster, name, {
    endpoints: ['v1', 'v2', 'bad'].map((version, i) => endpoint(cluster, `10.0.0.${i + 1}`, { version })),
  });
}

const takesAll: Refuses = () => false;
const needle = Buffer.from('|bad');
/** Refuses what leads to a version whose name begins with `bad`. */
const refusesBad =
  (types: readonly string[]): Refuses =>
  (url, resources) =>
    types.includes(url) && resources.some(({ body }) => body.includes(needle));
const anyTypes = fc.subarray([typeUrl.cluster, typeUrl.listener, typeUrl.route], { minLength: 1 });

describe('the pilot, any sequence of events', function () {
  this.timeout(120_000);

  function endsAsACold(steps: fc.Arbitrary<Step[]>, prepare: (world: World) => void): void {
    fc.assert(
      fc.property(steps, (steps) => {
        const world = new World(true);
        for (const name of ['east', 'west']) world.register(name);
        prepare(world);
        for (const step of steps) world.apply(step, takesAll);
        world.settle(takesAll);
        const cold = world.cold();
        for (const [i, proxy] of world.proxies.entries()) {
          assert.deepEqual(viewBytes(proxy.view), viewBytes((cold.proxies[i] as SimProxy).view));
          for (const url of proxyTypes) {
            const wanted = new Map([...proxy.view.resources(url)].map(([name, { version }]) => [name, version]));
            const held = new Map(proxy.held.get(url));
            // SotW has no word for an assignment or a route that is gone.
            if (nodes[i]?.[2] === 'sotw' && url !== typeUrl.cluster && url !== typeUrl.listener) {
              for (const name of held.keys()) if (!wanted.has(name)) held.delete(name);
            }
            assert.deepEqual([...held].sort(), [...wanted].sort(), url);
          }
        }
        world.sim.stop();
        cold.sim.stop();
      }),
      { numRuns: 400, seed },
    );
  }

  it('ends where a pilot ends that starts now, and so does every proxy', () =>
    endsAsACold(fc.array(anyStep, { maxLength: 40 }), () => {}));

  it('does so with rules that members hold of their own', () => {
    const often = anyStep.filter(({ do: what }) => what !== 'unregister');
    endsAsACold(fc.array(often, { minLength: 10, maxLength: 40 }), (world) => {
      world.haveMembers();
    });
  });

  it('ends without what a proxy refuses, and with everything else', () => {
    fc.assert(
      fc.property(anyTypes, fc.array(anyStep, { maxLength: 40 }), (types, steps) => {
        const world = new World(true);
        const refuses = refusesBad(types);
        for (const name of ['east', 'west']) world.register(name);
        world.haveMembers();
        for (const step of steps) world.apply(step, refuses);
        world.settle(refuses);
        for (const proxy of world.proxies) {
          const rules = [...world.rules.winners.values()];
          const bad = rules.filter(({ routes }) =>
            routes.some(({ backends }) => backends.some(({ chain }) => chain[0]?.version === 'bad')),
          );
          const { rejected } = (proxy.view as { scope?: { rejected: readonly string[] } }).scope ?? { rejected: [] };
          for (const url of types) {
            const wanted = new Map([...proxy.view.resources(url)].map(([name, { version }]) => [name, version]));
            for (const [name, version] of wanted) assert.equal(proxy.held.get(url)?.get(name), version, name);
            assert.ok(
              ![...proxy.view.resources(url).values()].some(({ body }) => body.includes(needle)),
              'a refused form is given again',
            );
          }
          // Good rules are in force, and nothing of them counts as rejected.
          for (const rule of rules) {
            if (bad.includes(rule)) continue;
            assert.ok(
              !rejected.includes(`shop/${rule.ref.name}@${rule.hash}`),
              `the good rule ${rule.ref.name} is set aside`,
            );
          }
        }
        world.sim.stop();
      }),
      { numRuns: 400, seed },
    );
  });
});
