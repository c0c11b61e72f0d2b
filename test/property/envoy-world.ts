/**
 * A mesh that changes step by step, as fast-check draws the steps, compiled without the pilot's stages; and what tells two sets of Envoy's resources
 * apart: their bytes, by type and name.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeService } from '../../src/catalog/merge.ts';
import { pushOrder, typeUrl } from '../../src/core/type-urls.ts';
import { askedHost } from '../../src/envoy/asked-host.ts';
import type { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { domainsOf } from '../../src/envoy/virtual-host-bytes.ts';
import { compileService } from '../../src/mesh/compile.ts';
import { unknownLocality } from '../../src/model/cluster.ts';
import type { MeshService, MeshSettings } from '../../src/model/mesh.ts';
import type { TrafficRule } from '../../src/model/rule.ts';
import type { ServiceKey, ServiceShard } from '../../src/model/service.ts';
import { serviceKey } from '../../src/model/service.ts';
import { endpoint, shard } from '../support/fixtures.ts';
import { externalPool, policyPool, portPool, routesPool, settingsPool } from './envoy-pools.ts';

const anyShard = fc.record({
  createdAtMs: fc.nat(3),
  headless: fc.boolean(),
  vips: fc.subarray(['10.0.0.1', '10.0.0.2', 'fd00::1']),
  ports: fc.subarray(portPool, { minLength: 1, maxLength: 2 }),
  endpoints: fc.array(
    fc.record({
      address: fc.constantFrom('10.1.0.1', '10.1.0.2', '10.1.0.3'),
      version: fc.constantFrom('v1', 'v2', ''),
      state: fc.constantFrom('ready', 'terminating', 'unready'),
      zone: fc.constantFrom('', 'a', 'b'),
      node: fc.constantFrom('', 'n1'),
      hostname: fc.constantFrom('', 'pod-0', 'pod-1'),
    }),
    { maxLength: 3 },
  ),
  kubernetes: fc.constantFrom<Pick<ServiceShard, 'trafficDistribution' | 'internalTrafficPolicy' | 'externalName'>>(
    {},
    {},
    { externalName: 'a.example.net' },
    { trafficDistribution: 'PreferSameNode' },
    { internalTrafficPolicy: 'Local', trafficDistribution: 'PreferSameZone' },
  ),
});

export const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('shard' as const),
      name: fc.constantFrom('a', 'b', 'c'),
      namespace: fc.constantFrom('shop', 'other'),
      cluster: fc.constantFrom('east', 'west'),
      shard: fc.option(anyShard, { nil: undefined, freq: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('rule' as const),
      name: fc.constantFrom('a', 'b', 'c'),
      namespace: fc.constantFrom('shop', 'other'),
      routes: fc.option(fc.constantFrom(...routesPool), { nil: undefined, freq: 3 }),
      policy: fc.constantFrom(...policyPool),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('external' as const),
      service: fc.constantFrom(...externalPool),
      there: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('settings' as const), settings: fc.constantFrom(...settingsPool) }),
  },
);

type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** The mesh as the steps so far made it. */
export class World {
  readonly shards = new Map<ServiceKey, Map<string, ServiceShard>>();
  readonly rules = new Map<ServiceKey, TrafficRule>();
  readonly services = new Map<ServiceKey, MeshService>();
  settings: MeshSettings = settingsPool[0] as MeshSettings;
  revision = 0;

  get mesh() {
    return { revision: this.revision, settings: this.settings, services: this.services };
  }

  apply(step: Step): ServiceKey | undefined {
    this.revision += 1;
    if (step.kind === 'settings') {
      this.settings = step.settings;
      return undefined;
    }
    if (step.kind === 'external') {
      const { key } = step.service;
      if (step.there) this.services.set(key, compileService(step.service, undefined));
      else this.services.delete(key);
      return key;
    }
    const key = serviceKey(step.namespace, step.name);
    if (step.kind === 'rule') this.#setRule(key, step);
    else this.#setShard(key, step);
    const shards = this.shards.get(key);
    if (shards === undefined || shards.size === 0) this.services.delete(key);
    else this.services.set(key, compileService(mergeService([...shards.values()]), this.rules.get(key)));
    return key;
  }

  #setRule(key: ServiceKey, { name, namespace, routes, policy }: Extract<Step, { kind: 'rule' }>): void {
    if (routes === undefined) this.rules.delete(key);
    else {
      this.rules.set(key, {
        ref: { namespace, name, generation: 1 },
        service: key,
        createdAtMs: 0,
        routes,
        ...(policy === undefined ? {} : { policy }),
        hash: '',
        origin: '',
      });
    }
  }

  #setShard(key: ServiceKey, { name, namespace, cluster, shard: given }: Extract<Step, { kind: 'shard' }>): void {
    const shards = this.shards.get(key) ?? new Map<string, ServiceShard>();
    this.shards.set(key, shards);
    if (given === undefined) {
      shards.delete(cluster);
      return;
    }
    const endpoints = given.endpoints.map(({ address, version, state, zone, node, hostname }) =>
      endpoint(cluster, address, {
        version,
        ready: state === 'ready',
        serving: state !== 'unready',
        terminating: state === 'terminating',
        node,
        hostname,
        network: cluster === 'west' ? 'net-b' : '',
        locality: zone === '' ? unknownLocality : { region: cluster === 'west' ? 'us' : 'eu', zone, subzone: '' },
        ports: new Map(given.ports.map((each) => [each.name, each.port])),
      }),
    );
    const { kubernetes, ...rest } = given;
    shards.set(cluster, shard(cluster, name, { ...rest, ...kubernetes, namespace, endpoints }));
  }
}

export type Bytes = ReadonlyMap<string, string>;

export function bytesOf(resources: Pick<ScopeResources, 'resources'>): Bytes {
  const all = pushOrder.flatMap((url) =>
    [...resources.resources(url)].map(([name, resource]): [string, string] => {
      assert.equal(resource.name, name);
      return [
        `${url} ${name}`,
        `${resource.version} ${resource.body.toString('base64')} ${resource.aliases?.join() ?? ''}`,
      ];
    }),
  );
  return new Map(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function differing(before: Bytes, after: Bytes): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}

/** Envoy clusters that sidecars get unasked are there as soon as they are, and others only where they were so before. */
export function assertUnasked(live: Pick<ScopeResources, 'unasked' | 'resources'>, cold: ScopeResources): void {
  const [names, ofCold] = [live.unasked(typeUrl.cluster), cold.unasked(typeUrl.cluster)];
  assert.equal(names === undefined, ofCold === undefined);
  for (const name of ofCold ?? []) assert.ok(names?.has(name), name);
  for (const name of names ?? [])
    assert.ok(ofCold?.has(name) === true || live.resources(typeUrl.cluster).has(name), name);
}

/** Envoy refuses a table in which two hosts share a domain, and knows hosts by their names; a port's own table never looks at a domain's port. */
export function assertHosts({ tables }: Pick<ScopeResources, 'tables'>): void {
  for (const [table, { parts, catchAll }] of tables) {
    const hosts = [...parts.values(), catchAll];
    const names = hosts.map(({ name }) => name);
    const domains = hosts.flatMap(({ body }) => domainsOf(body));
    for (const list of [names, domains]) assert.equal(new Set(list).size, list.length, `${table}: ${list.join(' ')}`);
    if (table === 'http_proxy') continue;
    for (const domain of domains) assert.equal(askedHost(domain), domain, `${table}: ${domain}`);
    for (const { table: own } of hosts) assert.equal(own, table);
  }
}
