/**
 * Any sequence of mesh updates ends in the same bytes as one update from nothing; and what an update says has changed is what has.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeService } from '../../src/catalog/merge.ts';
import { pushOrder, typeUrl } from '../../src/core/type-urls.ts';
import { ScopeOverlay } from '../../src/envoy/scope-overlay.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { compileService } from '../../src/mesh/compile.ts';
import { externalServices } from '../../src/mesh/external.ts';
import { unknownLocality } from '../../src/model/cluster.ts';
import { defaultMeshSettings, type MeshService, type MeshSettings, type Scope } from '../../src/model/mesh.ts';
import { anywhere, type RuleRoute, type TrafficRule, toDestination } from '../../src/model/rule.ts';
import type { CatalogService, ServiceKey, ServicePort, ServiceShard } from '../../src/model/service.ts';
import { serviceKey } from '../../src/model/service.ts';
import type { Place, ServicePolicy } from '../../src/model/service-policy.ts';
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
  { ...base, mode: 'explicit', egress: 'registered-only' },
  { ...base, answers: { region: 'eu', zone: 'a', node: 'n1', selectors: ['app=web'] } },
  { ...base, cluster: 'west', network: 'net-b', answers: { region: 'us', zone: '', node: '', selectors: [] } },
];

/** Scopes that may share a base: they differ in who and where their proxies are. */
const variants: readonly Partial<Scope>[] = [
  {},
  { inbound: [] },
  { cluster: 'west' },
  { cluster: 'north', namespace: 'other' },
  { namespace: 'other' },
  { cluster: 'west', network: 'net-b', answers: { region: 'us', zone: '', node: '', selectors: [] } },
  { answers: { region: 'eu', zone: 'a', node: 'n1', selectors: ['app=web'] } },
];
const kinds = (['captured', 'explicit'] as const).flatMap((mode) =>
  (['tables', 'vhds', 'on-demand'] as const).map((routes) => ({
    name: `${mode}, ${routes}`,
    of: variants.map((variant): Scope => ({ ...base, ...variant, mode, routes })),
  })),
);

const settingsPool: readonly MeshSettings[] = [
  { ...defaultMeshSettings, accessLog: false },
  { ...defaultMeshSettings, accessLog: false, outbound: 'registered-only' },
  { ...defaultMeshSettings, accessLog: false, detectProtocols: true },
];

const routesPool: readonly (readonly RuleRoute[])[] = [
  [route('all', [{ weight: 1, chain: [toDestination({ version: 'v1' }), anywhere] }])],
  [
    route('all', [
      { weight: 9, chain: [toDestination({ version: 'v1', cluster: 'west' })] },
      { weight: 1, chain: [anywhere] },
    ]),
  ],
  [
    route('beta', [{ weight: 1, chain: [toDestination({ version: 'v2' })] }], {
      matches: [{ headers: [{ name: 'x-group', match: { kind: 'exact', value: 'beta' } }], queryParams: [] }],
    }),
    route('rest', [{ weight: 1, chain: [anywhere] }], { requestTimeoutMs: 1500 }),
  ],
  [
    route('moved', [], {
      matches: [{ path: { kind: 'exact', value: '/old' }, headers: [], queryParams: [] }],
      redirect: { path: { kind: 'full', value: '/new' }, statusCode: 302 },
    }),
    route('copied', [{ weight: 1, chain: [toDestination({ version: 'v1' })] }], {
      mirrors: [{ destination: toDestination({ version: 'v2' }), percent: 0.5 }],
      fault: { abort: { percent: 1, grpcStatus: 14 } },
      rateLimit: { requests: 1, intervalMs: 1000, burst: 1 },
    }),
  ],
  [
    route('web', [{ weight: 1, chain: [toDestination({ region: 'eu' }), toDestination({ version: 'v2' })] }], {
      matches: [{ source: { cluster: '', namespace: '', labels: { app: 'web' } }, headers: [], queryParams: [] }],
    }),
    route('west', [{ weight: 1, chain: [toDestination({ zone: 'b' })] }], {
      matches: [
        { source: { cluster: 'west', namespace: 'other', labels: {} }, headers: [], queryParams: [] },
        { source: { cluster: 'west', namespace: '', labels: {} }, method: 'GET', headers: [], queryParams: [] },
      ],
    }),
    route('rest', [{ weight: 1, chain: [anywhere] }]),
  ],
  [
    route('audited', [{ weight: 1, chain: [anywhere] }], {
      mirrors: [{ destination: anywhere, service: { namespace: 'shop', name: 'a' }, percent: 100 }],
    }),
  ],
];

const eu: Place = { region: 'eu', zone: '', cluster: '' };
const west: Place = { region: '', zone: '', cluster: 'west' };
const policyPool: readonly (ServicePolicy | undefined)[] = [
  undefined,
  { locality: { kind: 'nearest', order: ['node', 'zone', 'region', 'network'] } },
  { locality: { kind: 'nearest', order: ['cluster'] } },
  { locality: { kind: 'nearest', order: ['network'] }, overprovisioningPercent: 100, within: eu },
  { locality: { kind: 'order', places: [west, { ...eu, zone: 'b' }] } },
  {
    locality: {
      kind: 'shares',
      entries: [
        {
          from: { ...eu, zone: 'a' },
          to: [
            { place: eu, weight: 7 },
            { place: west, weight: 3 },
          ],
        },
        { from: west, to: [{ place: west, weight: 1 }] },
      ],
    },
  },
  { within: { region: 'eu', zone: 'a', cluster: 'east' } },
  {
    loadBalancer: { kind: 'ring-hash', minRingSize: 10, maxRingSize: 20 },
    affinity: { kind: 'source-ip' },
    connections: { idleTimeoutMs: 5000, maxConnectionAgeMs: 60_000, maxRequests: 7 },
  },
  {
    loadBalancer: { kind: 'maglev', tableSize: 5003 },
    affinity: { kind: 'cookie', name: 'session', path: '/' },
    within: eu,
  },
  {
    slowStartMs: 5000,
    panicThresholdPercent: 50,
    outlierDetection: {
      consecutiveErrors: 0,
      consecutiveGatewayErrors: 3,
      intervalMs: 1000,
      baseEjectionMs: 1000,
      maxEjectionMs: 2000,
      maxEjectedPercent: 50,
    },
    healthCheck: {
      probe: { kind: 'grpc', service: '' },
      port: 9000,
      intervalMs: 1000,
      timeoutMs: 100,
      healthyThreshold: 1,
      unhealthyThreshold: 1,
    },
  },
];

const portPool: ServicePort[] = [
  port(80),
  port(81, 'grpc'),
  port(6379, 'tcp', 'redis'),
  port(80, 'tcp', 'raw'),
  { ...port(81, 'tcp', 'tls'), tls: true },
  { ...port(6379, 'tcp', 'any'), undeclared: true },
];

/** Hosts outside, which come and go beside the services. */
const externalPool: readonly CatalogService[] = [
  { resolution: 'dns', endpoints: [], clusters: [] } as const,
  {
    resolution: 'static',
    endpoints: [{ address: '10.0.0.1', targetPorts: new Map([[80, 81]]), locality: unknownLocality, weight: 2 }],
    clusters: ['west'],
  } as const,
].flatMap((form) =>
  externalServices({
    ref: { namespace: 'shop', name: 'outside', generation: 1 },
    createdAtMs: 1,
    hosts: ['*.example.com', 'a.example.com'],
    ports: [
      { number: 80, protocol: 'http', tls: false, name: 'http' },
      { number: 81, protocol: 'tcp', tls: true, name: 'tls' },
      { number: 6379, protocol: 'tcp', tls: false, name: 'redis' },
    ],
    hash: '',
    origin: '',
    ...form,
  }).filter(({ host }) => host !== '*.example.com' || form.resolution === 'static'),
);

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

type Bytes = ReadonlyMap<string, string>;

function bytesOf(resources: Pick<ScopeResources, 'resources'>): Bytes {
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

/** On demand: what sidecars get unasked from now on is news to those that had not asked for it, though its bytes are as before. */
function unaskedOtherwise(live: ScopeResources, before: ReadonlySet<string>): string[] {
  const names = new Set(live.unasked(typeUrl.cluster)).symmetricDifference(before);
  return [...names].map((name) => `${typeUrl.cluster} ${name}`);
}

/** Envoy clusters that sidecars get unasked are there as soon as they are, and others only where they were so before. */
function assertUnasked(live: Pick<ScopeResources, 'unasked' | 'resources'>, cold: ScopeResources): void {
  const [names, ofCold] = [live.unasked(typeUrl.cluster), cold.unasked(typeUrl.cluster)];
  assert.equal(names === undefined, ofCold === undefined);
  for (const name of ofCold ?? []) assert.ok(names?.has(name), name);
  for (const name of names ?? [])
    assert.ok(ofCold?.has(name) === true || live.resources(typeUrl.cluster).has(name), name);
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
              const unasked = new Set(live.unasked(typeUrl.cluster));
              const changes = live.update(world.mesh, dirty);
              const after = bytesOf(live);
              const said = [...changes].flatMap(([url, names]) => [...names].map((name) => `${url} ${name}`)).sort();
              assert.deepEqual(
                said,
                [...new Set([...differing(before, after), ...unaskedOtherwise(live, unasked)])].sort(),
              );
              before = after;
            }
            // Copies have no memory of what was made from them before.
            const cold = new ScopeResources(scope);
            cold.update(structuredClone(world.mesh), 'all');
            assert.deepEqual(before, bytesOf(cold));
            assertUnasked(live, cold);
            assert.deepEqual(live.findings(), cold.findings());
          },
        ),
        { numRuns: 300 },
      );
    });
  }

  for (const scope of scopes) {
    it(`made in parts end as a cold rebuild does, for ${scope.mode} with ${scope.routes} in ${scope.cluster}`, () => {
      const anyMoment = fc.oneof(
        { weight: 3, arbitrary: anyStep },
        { weight: 4, arbitrary: fc.constant('part' as const) },
      );
      fc.assert(
        fc.property(fc.array(anyMoment, { maxLength: 40 }), (moments) => {
          const world = new World();
          const live = new ScopeResources(scope);
          // As a view does it: one service at a time, whichever form it has by then, and others change meanwhile.
          const marked = new Set<ServiceKey>();
          const part = (): void => {
            const [key] = marked;
            if (key !== undefined) marked.delete(key);
            live.absorb(world.mesh, new Set(key === undefined ? [] : [key]));
            if (marked.size > 0) return;
            const changes = live.settle();
            const said = new Set([...changes].flatMap(([url, names]) => [...names].map((name) => `${url} ${name}`)));
            const after = bytesOf(live);
            // What came and went in between is said, too, and costs a look.
            for (const name of differing(before, after)) assert.ok(said.has(name), name);
            before = after;
          };
          let before: Bytes = new Map();
          for (const moment of moments) {
            if (moment === 'part') part();
            else if (moment.kind !== 'settings') marked.add(world.apply(moment) as ServiceKey);
          }
          do part();
          while (marked.size > 0);
          const cold = new ScopeResources(scope);
          cold.update(structuredClone(world.mesh), 'all');
          assert.deepEqual(bytesOf(live), bytesOf(cold));
          assertUnasked(live, cold);
          assert.deepEqual(live.findings(), cold.findings());
        }),
        { numRuns: 200 },
      );
    });
  }

  for (const { name, of } of kinds) {
    it(`in front of a base are what each scope would get alone: ${name}`, () => {
      fc.assert(
        fc.property(
          fc.nat(of.length - 1),
          fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
          fc.nat(12),
          (ofBase, batches, joinsAt) => {
            const world = new World();
            const shared = new ScopeResources(of[ofBase] as Scope, 'services');
            const overlays = of.map((scope) => new ScopeOverlay(scope, shared));
            shared.update(world.mesh, 'all');
            for (const overlay of overlays) overlay.settle();
            let joined = overlays.slice(1);
            const before = new Map(overlays.map((overlay) => [overlay, bytesOf(overlay)]));
            for (const [at, steps] of batches.entries()) {
              const dirty = new Set(steps.map((step) => world.apply(step)).filter((key) => key !== undefined));
              const isOther = steps.some(({ kind }) => kind === 'settings');
              const all = new Set([...shared.held.keys(), ...world.services.keys(), ...dirty]);
              const affected = shared.absorb(world.mesh, isOther ? all : dirty);
              const ofShared = shared.settle();
              for (const overlay of joined) {
                for (const key of affected) overlay.absorb(world.mesh, key);
                const changes = [ofShared, overlay.settle()];
                const said = new Set(
                  changes.flatMap((all) =>
                    [...all].flatMap(([url, names]) => [...names].map((each) => `${url} ${each}`)),
                  ),
                );
                const after = bytesOf(overlay);
                for (const each of differing(before.get(overlay) as Bytes, after)) assert.ok(said.has(each), each);
                before.set(overlay, after);
              }
              if (at !== joinsAt) continue;
              for (const key of overlays[0]?.toLookAt(world.mesh) ?? []) overlays[0]?.absorb(world.mesh, key);
              overlays[0]?.settle();
              before.set(overlays[0] as ScopeOverlay, bytesOf(overlays[0] as ScopeOverlay));
              joined = overlays;
            }
            for (const overlay of joined) {
              const scope = of[overlays.indexOf(overlay)] as Scope;
              const alone = new ScopeResources(scope);
              alone.update(structuredClone(world.mesh), 'all');
              assert.deepEqual(bytesOf(overlay), bytesOf(alone));
              assert.deepEqual(overlay.findings(), alone.findings());
              for (const url of pushOrder) {
                for (const [name, resource] of overlay.own(url))
                  assert.notEqual(resource?.version, shared.resources(url).get(name)?.version, name);
                const [unasked, unaskedAlone] = [overlay.unasked(url), alone.unasked(url)];
                assert.equal(unasked === undefined, unaskedAlone === undefined);
                for (const each of unaskedAlone ?? []) assert.ok(unasked?.has(each), each);
              }
              for (const host of [
                '80/x.a.shop:80',
                '81/pod-0.b.other.svc.cluster.local',
                '80/nobody',
                '6379/x.example.com',
              ]) {
                const [one, two] = [overlay.unknownHost(host), alone.unknownHost(host)];
                assert.deepEqual(one && [one.name, one.version, one.body], two && [two.name, two.version, two.body]);
              }
            }
          },
        ),
        { numRuns: 150 },
      );
    });
  }

  it('are what each scope would get alone, where several share one mesh', () => {
    fc.assert(
      // Of one service, so that what it asks and what it has come together.
      fc.property(fc.array(anyStep, { minLength: 1, maxLength: 12 }), (given) => {
        const steps = given.map((step) =>
          step.kind === 'settings' ? step : { ...step, name: 'a' as const, namespace: 'shop' as const },
        );
        const world = new World();
        const live = scopes.map((scope) => new ScopeResources(scope));
        for (const step of steps) {
          const key = world.apply(step);
          for (const resources of live) resources.update(world.mesh, key === undefined ? new Set() : new Set([key]));
        }
        for (const [i, scope] of scopes.entries()) {
          const alone = new ScopeResources(scope);
          alone.update(structuredClone(world.mesh), 'all');
          assert.deepEqual(bytesOf(live[i] as ScopeResources), bytesOf(alone));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are shared by scopes that see the same', () => {
    const world = new World();
    world.apply({
      kind: 'shard',
      name: 'a',
      namespace: 'shop',
      cluster: 'east',
      shard: { createdAtMs: 0, headless: false, vips: ['10.0.0.1'], ports: [port(80)], endpoints: [], kubernetes: {} },
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
