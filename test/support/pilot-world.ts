/**
 * A pilot with its clusters, rules and proxies, for properties. In: steps, in any order. Out: what each proxy holds in the end; and a pilot that
 * starts now with what there is, to compare it with.
 */

import assert from 'node:assert/strict';
import { silentLogger } from '../../src/core/logger.ts';
import { type Locality, unknownLocality } from '../../src/model/cluster.ts';
import type { ServiceShard } from '../../src/model/service.ts';
import { serviceKey } from '../../src/model/service.ts';
import { MemberRules, memberSourceName } from '../../src/pilot/members/member-rules.ts';
import { Inventory } from '../../src/registry/inventory.ts';
import { MemoryCluster } from '../../src/registry/memory/memory-cluster.ts';
import { parseClusterPolicy } from '../../src/rules/cluster-policy/parse.ts';
import { RuleSet } from '../../src/rules/traffic-rule/rule-set.ts';
import { endpoint, shard } from './fixtures.ts';
import { ManualClock } from './manual-clock.ts';
import { PilotSim, type Refuses, type SimProxy } from './pilot-sim.ts';
import { clusters, type Step, services } from './pilot-steps.ts';
import { rawObject } from './rules.ts';

/** Two proxies per transport: in east, captured, behind an address that services come to and go from; and in west, explicit. */
export const nodes = [
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

export class World {
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

export function shardOf(
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
