/**
 * A poisoned member: whatever one cluster puts, and however it names it, proxies of other clusters see what they would see without it, no
 * grant is another, and no other member's rule is; and what is in force depends on what there is, not on the order in which it came.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/logger.ts';
import { MemberRules, memberSourceName } from '../../src/pilot/members/member-rules.ts';
import { Inventory } from '../../src/registry/inventory.ts';
import { MemoryCluster } from '../../src/registry/memory/memory-cluster.ts';
import { parseClusterPolicy } from '../../src/rules/cluster-policy/parse.ts';
import { RuleSet } from '../../src/rules/traffic-rule/rule-set.ts';
import { endpoint, shard } from '../support/fixtures.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { PilotSim, type SimProxy, viewBytes } from '../support/pilot-sim.ts';
import { rawObject } from '../support/rules.ts';

const seed = 20_261;
const clusters = ['east', 'west', 'north'];
const services = ['a', 'b'];
const apiVersion = 'fairway.dev/v1alpha1';

interface Said {
  readonly by: 'primary' | 'east' | 'north';
  readonly name: string;
  readonly spec: object | undefined;
}

const anySpec = fc.record({
  service: fc.constantFrom(...services),
  routes: fc.constantFrom(
    [{ backends: [{ version: 'v1' }] }],
    [{ backends: [{ version: 'v2', fallback: [{}] }] }],
    [{ matches: [{ source: { labels: { app: 'web' } } }], backends: [{ version: 'v2' }] }, { backends: [{}] }],
  ),
  locality: fc.option(fc.constantFrom({ prefer: ['zone'] }, { prefer: ['region', 'cluster'] }), { nil: undefined }),
});
const said: fc.Arbitrary<Said> = fc.record({
  by: fc.constantFrom('primary', 'east', 'north'),
  name: fc.constantFrom('r1', 'r2'),
  spec: fc.option(anySpec, { nil: undefined, freq: 4 }),
});
const policies = fc.array(
  fc.record({
    clusters: fc.constantFrom(['*'], ['east'], ['west', 'n*']),
    namespaces: fc.constantFrom(['*'], ['shop']),
    precedence: fc.constantFrom('member', 'primary'),
  }),
  { maxLength: 2 },
);
/** Anything: rules of its own and rules that look like another's, policies, what is no object at all. */
const poison = fc.record({
  id: fc.constantFrom(
    'TrafficRule/shop/r1',
    'TrafficRule/other/r1',
    'ClusterPolicy//p0',
    'ClusterPolicy//own',
    'Service/shop/a',
    '',
    'member east#TrafficRule/shop/r1',
  ),
  object: fc.oneof(
    fc.anything(),
    anySpec.map((spec) => ({
      apiVersion,
      kind: 'TrafficRule',
      metadata: { name: 'r1', namespace: 'shop', creationTimestamp: '2020-01-01T00:00:00Z', uid: 'x' },
      spec,
      status: { conditions: [] },
    })),
    fc.constant({
      apiVersion,
      kind: 'ClusterPolicy',
      metadata: { name: 'p0' },
      spec: { clusters: ['*'], grants: [{ namespaces: ['*'], kinds: ['TrafficRule'] }] },
    }),
  ),
  isGone: fc.boolean(),
});

const nodes = ['east', 'north', ''].map((cluster, i) => ({
  id: `sidecar~10.0.0.${i + 1}~a.shop~shop.svc.cluster.local`,
  metadata: { CLUSTER_ID: cluster, LABELS: { app: 'web', 'topology.kubernetes.io/zone': 'a' } },
}));

class World {
  readonly clock = new ManualClock();
  readonly inventory = new Inventory({ clock: this.clock, logger: silentLogger });
  readonly rules = new RuleSet(silentLogger);
  readonly members = new MemberRules({ logger: silentLogger, primary: this.rules.winners, maxObjects: 20 });
  readonly sim = new PilotSim(this.clock, this.inventory, this.rules, false, this.members);
  readonly proxies: readonly SimProxy[];

  constructor() {
    for (const name of clusters) {
      const cluster = new MemoryCluster({ clock: this.clock, info: { name } });
      for (const service of services) {
        const endpoints = ['v1', 'v2'].map((version, i) => endpoint(name, `10.0.0.${i + 1}`, { version }));
        cluster.putService(shard(name, service, { endpoints }));
      }
      this.inventory.add(name, cluster.info.origin, cluster.start);
    }
    this.proxies = nodes.map(({ id, metadata }) => this.sim.connect(id, metadata, 'delta'));
  }

  setPolicies(given: typeof policies extends fc.Arbitrary<infer T> ? T : never): void {
    this.members.setPolicies(
      given.flatMap(({ clusters: who, namespaces, precedence }, i) => {
        const spec = { clusters: who, grants: [{ namespaces, kinds: ['TrafficRule'] }], precedence };
        const object = { apiVersion, kind: 'ClusterPolicy', metadata: { name: `p${i}` }, spec };
        return parseClusterPolicy(rawObject(object), { defaultNamespace: 'default' }).value ?? [];
      }),
    );
  }

  say({ by, name, spec }: Said): void {
    const source = by === 'primary' ? this.rules.source('folder') : this.members.source(memberSourceName(by));
    const id = `TrafficRule/shop/${name}`;
    if (spec === undefined) source.remove(id);
    else source.put(rawObject({ apiVersion, kind: 'TrafficRule', metadata: { name, namespace: 'shop' }, spec }), id);
  }

  /** Proxies take what they are sent; returns how many messages that were. */
  pump(): number {
    return this.proxies.reduce((sent, proxy) => sent + this.sim.pump(proxy, () => false, 500), 0);
  }

  /** Everything that others than west see and hold. */
  seen(): unknown {
    this.sim.engine.flush();
    return {
      views: this.proxies.map(({ view }) => viewBytes(view)),
      // Not the generation: it counts what was said, where an object does not say it itself.
      tables: [...this.members.table]
        .filter(([cluster]) => cluster !== 'west')
        .map(([cluster, table]) => [cluster, [...table].map(([key, { hash }]) => `${key} ${hash}`).sort()])
        .sort(),
      grants: clusters.map((cluster) => this.members.grants.signature(cluster)),
      records: this.members
        .records()
        .filter(({ holder }) => holder !== 'west')
        .map(({ key, withheld, loss }) => [key, withheld, loss]),
      primary: this.rules.records().map(({ key, loss, findings }) => [key, loss, findings]),
    };
  }
}

type Poison = typeof poison extends fc.Arbitrary<infer T> ? T : never;

describe('rules of members', function () {
  this.timeout(120_000);

  it('change nothing for others, whatever a member puts', () => {
    fc.assert(
      fc.property(
        policies,
        fc.array(fc.oneof(said, said, poison), { maxLength: 30 }),
        (granted, steps: readonly (Said | Poison)[]) => {
          const [clean, poisoned] = [new World(), new World()];
          const west = poisoned.members.source(memberSourceName('west'));
          for (const world of [clean, poisoned]) world.setPolicies(granted);
          for (const step of steps) {
            if ('by' in step) for (const world of [clean, poisoned]) world.say(step);
            else {
              poisoned.sim.engine.flush();
              poisoned.pump();
              if (step.isGone) west.remove(step.id);
              else west.put(rawObject(step.object), step.id);
              poisoned.sim.engine.flush();
              assert.equal(poisoned.pump(), 0, 'others are sent something');
            }
          }
          assert.deepEqual(poisoned.seen(), clean.seen());
          for (const world of [clean, poisoned]) world.sim.stop();
        },
      ),
      { numRuns: 150, seed },
    );
  });

  it('are in force by what there is, not by the order in which it came', () => {
    fc.assert(
      fc.property(policies, policies, fc.array(said, { maxLength: 12 }), (before, granted, steps) => {
        const [one, two] = [new World(), new World()];
        one.setPolicies(before);
        for (const step of steps) one.say(step);
        one.setPolicies(granted);
        // What was said last, in another order, under policies in another order.
        const last = new Map(steps.map((step) => [`${step.by} ${step.name}`, step]));
        for (const step of [...last.values()].reverse()) two.say(step);
        two.setPolicies(granted);
        assert.deepEqual(two.seen(), one.seen());
        for (const world of [one, two]) world.sim.stop();
      }),
      { numRuns: 150, seed },
    );
  });
});
