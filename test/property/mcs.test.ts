/**
 * Exports, imports' virtual IPs, services, rules and members' own rules in any order, batched anyhow: what is exported, what each cluster is to hold of it, the
 * conditions, and what every proxy gets are those of a pilot that starts now.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/logger.ts';
import { clustersetService } from '../../src/mcs/clusterset.ts';
import { exportConditions } from '../../src/mcs/conditions.ts';
import { derivedServiceName } from '../../src/mcs/derived-name.ts';
import { desiredImport } from '../../src/mcs/imports.ts';
import type { Merging } from '../../src/model/clusterset.ts';
import type { ServiceExport, ServicePort, ServiceShard } from '../../src/model/service.ts';
import { serviceKey } from '../../src/model/service.ts';
import { MemberRules, memberSourceName } from '../../src/pilot/members/member-rules.ts';
import { Inventory } from '../../src/registry/inventory.ts';
import { MemoryCluster } from '../../src/registry/memory/memory-cluster.ts';
import { parseClusterPolicy } from '../../src/rules/cluster-policy/parse.ts';
import { RuleSet } from '../../src/rules/traffic-rule/rule-set.ts';
import { exportMs, testExport } from '../support/exports.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { PilotSim, viewBytes } from '../support/pilot-sim.ts';
import { rawObject } from '../support/rules.ts';
import { testEndpoint, testShard } from '../support/shards.ts';

const clusters = ['east', 'west', 'north'];
const names = ['a', 'b'];
const portPool: readonly ServicePort[] = [
  { name: 'http', port: 80, transport: 'TCP', protocol: 'http' },
  { name: 'web', port: 80, transport: 'TCP', protocol: 'http' },
  { name: 'http', port: 81, transport: 'TCP', protocol: 'http' },
  { name: '', port: 6379, transport: 'TCP', protocol: 'tcp' },
  { name: 'dns', port: 53, transport: 'UDP', protocol: 'tcp' },
];

const anyExport: fc.Arbitrary<ServiceExport> = fc
  .record({
    second: fc.nat(2),
    odd: fc.constantFrom(undefined, undefined, 0, 5, Date.UTC(2099, 0, 1)),
    labels: fc.constantFrom({}, { a: '1' }, { a: '2', 'not a key': 'x' }),
    annotations: fc.constantFrom({}, { note: 'n' }),
    affinity: fc.constantFrom(
      { sessionAffinity: 'None' as const },
      { sessionAffinity: 'ClientIP' as const, affinitySeconds: 10 },
    ),
    ipFamilies: fc.constantFrom<ServiceExport['ipFamilies']>(['IPv4'], ['IPv4', 'IPv6'], ['IPv6']),
    traffic: fc.constantFrom({}, { internalTrafficPolicy: 'Local' as const }, { trafficDistribution: 'PreferClose' }),
  })
  .map(({ second, odd, affinity, traffic, ...rest }) =>
    testExport(second, { createdAtMs: odd ?? exportMs(second), ...rest, ...affinity, ...traffic }),
  );

const anyShard = fc.record({
  createdAtMs: fc.nat(2),
  headless: fc.boolean(),
  alias: fc.constantFrom(undefined, undefined, undefined, 'example.com'),
  vips: fc.subarray(['10.96.0.1', '10.96.0.2']),
  ports: fc
    .subarray([...portPool], { minLength: 1, maxLength: 3 })
    .map((all) =>
      all.filter(
        (port, index) =>
          all.findIndex(({ name }) => name === port.name) === index &&
          all.findIndex((one) => one.port === port.port) === index,
      ),
    ),
  addresses: fc.subarray(['10.1.0.1', '10.1.0.2', 'fd00::9']),
  hostname: fc.constantFrom('', 'pod-0'),
  exported: fc.option(anyExport, { nil: undefined, freq: 3 }),
});

const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('shard' as const),
      cluster: fc.constantFrom(...clusters),
      name: fc.constantFrom(...names),
      shard: fc.option(anyShard, { nil: undefined, freq: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('import' as const),
      cluster: fc.constantFrom(...clusters),
      name: fc.constantFrom(...names),
      vips: fc.constantFrom<readonly string[] | undefined>(['10.97.0.1'], ['10.97.0.2'], [], undefined),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('rule' as const),
      holder: fc.constantFrom('', 'east', 'west'),
      name: fc.constantFrom(...names),
      version: fc.constantFrom(undefined, 'v1', 'v2'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('id' as const),
      cluster: fc.constantFrom(...clusters),
      id: fc.constantFrom(undefined, 'one', 'two'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('grant' as const), to: fc.subarray(['east', 'west']) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('batch' as const) }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never;

const fairwayHead = { apiVersion: 'fairway.dev/v1alpha1', metadata: { name: 'members' } };

class World {
  readonly clock = new ManualClock();
  readonly inventory = new Inventory({ clock: this.clock, logger: silentLogger });
  readonly rules = new RuleSet(silentLogger);
  readonly memberRules = new MemberRules({ logger: silentLogger, primary: this.rules.winners });
  readonly members: ReadonlyMap<string, MemoryCluster>;

  constructor() {
    this.members = new Map(
      clusters.map((name) => [name, new MemoryCluster({ clock: this.clock, info: { name, network: 'flat' } })]),
    );
    for (const [name, member] of this.members) this.inventory.add(name, 'memory', member.start);
  }

  take(step: Step): void {
    const member = this.members.get('cluster' in step ? step.cluster : 'east') as MemoryCluster;
    switch (step.do) {
      case 'shard':
        if (step.shard === undefined) member.removeService('shop', step.name);
        else member.putService(shardOf(step.cluster, step.name, step.shard));
        break;
      case 'import':
        if (step.vips === undefined) member.removeService('shop', derivedServiceName(step.name));
        else
          member.putService(
            testShard(step.cluster, derivedServiceName(step.name), [], { vips: step.vips, importOf: step.name }),
          );
        break;
      case 'rule': {
        const { holder, name } = step;
        const source = holder === '' ? this.rules.source('folder') : this.memberRules.source(memberSourceName(holder));
        if (step.version === undefined) source.remove(`TrafficRule/shop/${name}`);
        else
          source.put(
            rawObject({
              apiVersion: 'fairway.dev/v1alpha1',
              kind: 'TrafficRule',
              metadata: { namespace: 'shop', name: step.name },
              spec: { service: step.name, routes: [{ backends: [{ version: step.version }] }] },
            }),
            `TrafficRule/shop/${name}`,
          );
        break;
      }
      case 'grant': {
        const grants = [{ namespaces: ['*'], kinds: ['TrafficRule'] }];
        const object = { ...fairwayHead, kind: 'ClusterPolicy', spec: { clusters: step.to, grants } };
        const { value } = parseClusterPolicy(rawObject(object), { defaultNamespace: 'default' });
        this.memberRules.setPolicies(value === undefined ? [] : [value]);
        break;
      }
      case 'id':
        member.setInfo(step.id === undefined ? withoutId(member.info) : { clusterId: step.id });
        break;
      case 'batch':
        break;
    }
  }
}

/** `setInfo` cannot take a field away; an id that is none counts as none. */
function withoutId({ name }: { readonly name: string }): { readonly clusterId: string } {
  return { clusterId: name };
}

function shardOf(
  cluster: string,
  name: string,
  given: typeof anyShard extends fc.Arbitrary<infer S> ? S : never,
): ServiceShard {
  const { alias, addresses, hostname, exported, ...fields } = given;
  const ports = new Map(given.ports.map((port) => [port.name, 8000 + port.port]));
  return testShard(cluster, name, [], {
    ...fields,
    ...(alias === undefined ? {} : { externalName: alias }),
    ...(exported === undefined ? {} : { export: exported }),
    endpoints: addresses.map((address) => testEndpoint(cluster, address, { ports, hostname, workload: `p${address}` })),
  });
}

/** All that can be told of exports, from nothing but the shards as they are. */
function told(world: World, sim: PilotSim): unknown {
  const ids = sim.clustersets.ids();
  return names.map((name) => {
    const service = clustersetService(world.inventory.shards(serviceKey('shop', name)));
    if (service === undefined) return undefined;
    return [
      service,
      clusters.map((cluster) => desiredImport(service, cluster, ids)),
      exportConditions({ kind: 'exported', service }),
    ];
  });
}

/** The same, as it was kept up. */
function kept(sim: PilotSim): unknown {
  const ids = sim.clustersets.ids();
  return names.map((name) => {
    const service = sim.clustersets.services.get(serviceKey('shop', name));
    if (service === undefined) return undefined;
    return [
      service,
      clusters.map((cluster) => desiredImport(service, cluster, ids)),
      exportConditions({ kind: 'exported', service }),
    ];
  });
}

const proxies = clusters.flatMap((cluster) =>
  (['captured', 'explicit'] as const).map((mode) => ({
    id: `sidecar~10.9.0.1~web-${mode}.shop~shop.svc.cluster.local`,
    metadata: {
      CLUSTER_ID: cluster,
      ...(mode === 'explicit' ? { FAIRWAY_MODE: 'explicit' } : {}),
    },
  })),
);

/** What each proxy gets from a pilot that starts now, with no other proxy to share anything with. */
function coldViews(world: World, merging: Merging): unknown {
  return proxies.map(({ id, metadata }) => {
    const cold = new PilotSim(world.clock, world.inventory, world.rules, false, world.memberRules, merging);
    const keys = [...world.inventory.clusters().values()].flatMap(({ services }) => [...services.keys()]);
    cold.engine.shardsChanged(keys);
    cold.engine.memberRulesChanged(
      new Map([...world.memberRules.table].map(([cluster, rules]) => [cluster, new Set(rules.keys())])),
    );
    cold.engine.flush();
    const bytes = [...viewBytes(cold.connect(id, metadata, 'sotw').view)];
    cold.stop();
    return bytes;
  });
}

describe('property: exports and imports', () => {
  for (const merging of ['all', 'exported'] as const satisfies readonly Merging[]) {
    it(`end where a cold start ends, whatever came in whatever order (${merging})`, () => {
      fc.assert(
        fc.property(fc.array(anyStep, { maxLength: 25 }), (steps) => {
          const world = new World();
          const sim = new PilotSim(world.clock, world.inventory, world.rules, false, world.memberRules, merging);
          const held = proxies.map(({ id, metadata }) => sim.connect(id, metadata, 'sotw'));
          for (const step of steps) {
            world.take(step);
            if (step.do === 'batch') sim.engine.flush();
          }
          sim.engine.flush();
          assert.deepEqual(kept(sim), told(world, sim));
          assert.deepEqual(
            held.map((proxy) => [...viewBytes(proxy.view)]),
            coldViews(world, merging),
          );
          sim.stop();
        }),
        { numRuns: 150 },
      );
    });
  }

  it('do not depend on the order of the clusters', () => {
    fc.assert(
      fc.property(
        fc
          .uniqueArray(fc.tuple(fc.constantFrom(...clusters), anyShard), {
            minLength: 1,
            selector: ([cluster]) => cluster,
          })
          .map((all) => all.map(([cluster, given]) => shardOf(cluster, 'a', given)))
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => assert.deepEqual(clustersetService(shuffled), clustersetService(all)),
      ),
      { numRuns: 1000 },
    );
  });
});
