/**
 * Any sequence of mesh updates ends in the same bytes as one update from nothing; and what an update says has changed is what has.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeService } from '../../src/catalog/merge.ts';
import { pushOrder } from '../../src/core/type-urls.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { compileService } from '../../src/mesh/compile.ts';
import { defaultMeshSettings, type MeshService, type MeshSettings, type Scope } from '../../src/model/mesh.ts';
import { anywhere, type RuleRoute, type TrafficRule } from '../../src/model/rule.ts';
import type { ServiceKey, ServiceShard } from '../../src/model/service.ts';
import { serviceKey } from '../../src/model/service.ts';
import { endpoint, port, route, shard } from '../support/fixtures.ts';

const base: Scope = {
  cluster: 'east',
  network: '',
  namespace: 'shop',
  mode: 'captured',
  outbound: { address: '127.0.0.1', port: 15001 },
  inboundAddress: '0.0.0.0',
  inbound: [{ port: 9080, targetPort: 9080, protocol: 'http' }],
  routes: 'tables',
  rejected: [],
};
const scopes: readonly Scope[] = [
  base,
  { ...base, cluster: 'west', namespace: 'other' },
  { ...base, mode: 'explicit' },
  { ...base, routes: 'vhds' },
  { ...base, routes: 'on-demand' },
  { ...base, mode: 'explicit', routes: 'on-demand' },
];

const settingsPool: readonly MeshSettings[] = [
  { ...defaultMeshSettings, accessLog: false },
  { ...defaultMeshSettings, accessLog: false, outbound: 'registered-only' },
];

const routesPool: readonly (readonly RuleRoute[])[] = [
  [route('all', [{ weight: 1, chain: [{ version: 'v1', cluster: '' }, anywhere] }])],
  [
    route('all', [
      { weight: 9, chain: [{ version: 'v1', cluster: 'west' }] },
      { weight: 1, chain: [anywhere] },
    ]),
  ],
  [
    route('beta', [{ weight: 1, chain: [{ version: 'v2', cluster: '' }] }], {
      matches: [{ headers: [{ name: 'x-group', match: { kind: 'exact', value: 'beta' } }], queryParams: [] }],
    }),
    route('rest', [{ weight: 1, chain: [anywhere] }], { requestTimeoutMs: 1500 }),
  ],
];

const portPool = [port(80), port(81, 'grpc'), port(6379, 'tcp', 'redis'), port(80, 'tcp', 'raw')];

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
    }),
    { maxLength: 3 },
  ),
});

const anyStep = fc.oneof(
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
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('settings' as const), settings: fc.constantFrom(...settingsPool) }),
  },
);

type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** The mesh as the steps so far made it. */
class World {
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
    const key = serviceKey(step.namespace, step.name);
    if (step.kind === 'rule') this.#setRule(key, step);
    else this.#setShard(key, step);
    const shards = this.shards.get(key);
    if (shards === undefined || shards.size === 0) this.services.delete(key);
    else this.services.set(key, compileService(mergeService([...shards.values()]), this.rules.get(key)));
    return key;
  }

  #setRule(key: ServiceKey, { name, namespace, routes }: Extract<Step, { kind: 'rule' }>): void {
    if (routes === undefined) this.rules.delete(key);
    else {
      this.rules.set(key, {
        ref: { namespace, name, generation: 1 },
        service: key,
        createdAtMs: 0,
        routes,
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
    const endpoints = given.endpoints.map(({ address, version, state }) =>
      endpoint(cluster, address, {
        version,
        ready: state === 'ready',
        serving: state !== 'unready',
        terminating: state === 'terminating',
        ports: new Map(given.ports.map((each) => [each.name, each.port])),
      }),
    );
    shards.set(cluster, shard(cluster, name, { ...given, namespace, endpoints }));
  }
}

type Bytes = ReadonlyMap<string, string>;

function bytesOf(resources: ScopeResources): Bytes {
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

function differing(before: Bytes, after: Bytes): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}

describe('incremental Envoy resources', function () {
  this.timeout(120_000);

  for (const scope of scopes) {
    it(`end as a cold rebuild does, for a sidecar ${scope.mode} in ${scope.cluster}/${scope.namespace} with ${scope.routes}`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
          (batches) => {
            const world = new World();
            const live = new ScopeResources(scope);
            live.update(world.mesh, 'all');
            let before = bytesOf(live);
            for (const steps of batches) {
              const dirty = new Set(steps.map((step) => world.apply(step)).filter((key) => key !== undefined));
              const changes = live.update(world.mesh, dirty);
              const after = bytesOf(live);
              const said = [...changes].flatMap(([url, names]) => [...names].map((name) => `${url} ${name}`)).sort();
              assert.deepEqual(said, differing(before, after));
              before = after;
            }
            // Copies have no memory of what was made from them before.
            const cold = new ScopeResources(scope);
            cold.update(structuredClone(world.mesh), 'all');
            assert.deepEqual(before, bytesOf(cold));
            assert.deepEqual(live.findings(), cold.findings());
          },
        ),
        { numRuns: 300 },
      );
    });
  }

  it('are shared by scopes that see the same', () => {
    const world = new World();
    world.apply({
      kind: 'shard',
      name: 'a',
      namespace: 'shop',
      cluster: 'east',
      shard: { createdAtMs: 0, headless: false, vips: ['10.0.0.1'], ports: [port(80)], endpoints: [] },
    });
    const [one, two] = [new ScopeResources(base), new ScopeResources({ ...base, inbound: [] })];
    one.update(world.mesh, 'all');
    two.update(world.mesh, 'all');
    for (const [url, name] of [
      [pushOrder[1], 'outbound|80||a.shop.svc.cluster.local'],
      [pushOrder[2], 'outbound|80||a.shop.svc.cluster.local'],
      [pushOrder[3], '0.0.0.0_80'],
    ] as const) {
      const first = one.resources(url as string).get(name);
      assert.ok(first !== undefined);
      assert.equal(two.resources(url as string).get(name), first);
    }
  });
});
