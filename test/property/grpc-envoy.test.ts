/**
 * Proxyless clients and sidecars: for the same inputs of a scope the routes of both name the same chains with the same weights; and whatever mesh
 * and rules there are, gRPC's own validation takes all that its clients are sent, and the shares of load are those that Envoy gives.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeService } from '../../src/catalog/merge.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { announcing } from '../../src/envoy/grpc/announcement.ts';
import { decodeResource } from '../../src/envoy/proto/decode.ts';
import { ScopeOverlay } from '../../src/envoy/scope-overlay.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { compileService } from '../../src/mesh/compile.ts';
import { defaultMeshSettings, type Mesh, type MeshService, type Scope } from '../../src/model/mesh.ts';
import { type Endpoint, type ServiceKey, serviceKey } from '../../src/model/service.ts';
import { parseTrafficRule } from '../../src/rules/traffic-rule/parse.ts';
import { endpoint, port, shard } from '../support/fixtures.ts';
import { grpcRefuses } from '../support/grpc-judge.ts';

const clusters = ['east', 'west', 'north'] as const;
const scope: Scope = {
  cluster: 'east',
  network: '',
  namespace: 'shop',
  mode: 'grpc',
  outbound: { address: '', port: 0 },
  inboundAddress: '',
  inbound: [],
  routes: 'tables',
  rejected: [],
};

const version = fc.constantFrom('v1', 'v2', 'v3');
const destination = fc.record(
  { version, cluster: fc.constantFrom(...clusters), zone: fc.constantFrom('a', 'b') },
  { requiredKeys: [] },
);
const backend = fc
  .tuple(destination, fc.integer({ min: 1, max: 100 }), fc.array(destination, { maxLength: 2 }))
  .map(([first, weight, fallback]) => ({ ...first, weight, ...(fallback.length === 0 ? {} : { fallback }) }));
const header = fc.oneof(
  fc.record({ name: fc.constantFrom('x-a', 'Host', 'x-bin'), value: fc.constantFrom('a', 'b c') }),
  fc.record({ name: fc.constant('x-b'), regex: fc.constantFrom('a|b', '[0-9]+', '.*') }),
  fc.record({ name: fc.constantFrom('x-c', 'y-bin'), present: fc.boolean() }),
  fc.record({ name: fc.constant('x-d'), prefix: fc.constantFrom('p', 'q') }),
);
const match = fc.record(
  {
    path: fc.constantFrom(
      { prefix: '/' },
      { prefix: '/a.B' },
      { prefix: '/a.B/C/' },
      { exact: '/a.B/C' },
      { regex: '/a|/b' },
    ),
    method: fc.constantFrom('GET', 'POST'),
    headers: fc.array(header, { maxLength: 2 }),
    queryParams: fc.constant([{ name: 'q', value: '1' }]),
    source: fc.constantFrom({ cluster: 'east' }, { cluster: 'west' }, { namespace: 'shop' }),
  },
  { requiredKeys: [] },
);
const timeouts = fc.constantFrom(
  {},
  { request: '3s' },
  { request: '5s', backendRequest: '1s', stream: '1m' },
  { idle: '1s' },
);
const retry = fc.constantFrom(
  undefined,
  { attempts: 0 },
  { attempts: 3, on: ['unavailable', '503'], backoff: { base: '10ms', max: '1s' } },
  { attempts: 1, on: ['connect-failure'] },
);
const fault = fc.constantFrom(
  undefined,
  { abort: { percent: 10, grpcStatus: 14 } },
  { delay: { percent: 0.5, duration: '1s' }, abort: { percent: 1, status: 429 } },
);
const route = fc
  .tuple(
    fc.uniqueArray(match, { maxLength: 2, selector: (each) => JSON.stringify(each) }),
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ backends: fc.array(backend, { minLength: 1, maxLength: 3 }), timeouts, retry, fault }),
      },
      { weight: 1, arbitrary: fc.constant({ respond: { status: 503 } }) },
      { weight: 1, arbitrary: fc.constant({ redirect: { statusCode: 302, hostname: 'x.test' } }) },
    ),
  )
  .map(([matches, action]) => ({ ...(matches.length === 0 ? {} : { matches }), ...action }));
const policy = fc.constantFrom(
  {},
  { loadBalancing: { policy: 'ringHash' }, affinity: { header: 'x-user' } },
  { loadBalancing: { policy: 'maglev' }, affinity: { sourceIP: true } },
  { outlierDetection: { consecutiveErrors: 5 }, connections: { maxRequests: 7 } },
  { locality: { prefer: ['zone', 'region'] } },
);
const rule = fc.tuple(fc.array(route, { minLength: 1, maxLength: 3 }), policy).map(([routes, rest]) => ({
  apiVersion: 'fairway.dev/v1alpha1',
  kind: 'TrafficRule',
  metadata: { name: 'reviews', namespace: 'shop' },
  spec: JSON.parse(JSON.stringify({ service: 'reviews', routes, ...rest })) as object,
}));

const states: readonly Partial<Endpoint>[] = [
  {},
  {},
  { ready: false, serving: false },
  { ready: false, serving: true, terminating: true },
];
interface Made {
  readonly cluster: string;
  readonly version: string;
  readonly region: string;
  readonly zone: string;
  readonly state: Partial<Endpoint>;
}
const endpoints: fc.Arbitrary<Made[]> = fc.array(
  fc.record({
    cluster: fc.constantFrom(...clusters),
    version,
    region: fc.constantFrom('', 'eu'),
    zone: fc.constantFrom('', 'a', 'b'),
    state: fc.constantFrom(...states),
  }),
  { maxLength: 12 },
);

function meshOf(object: object | undefined, made: readonly Made[]): Mesh | undefined {
  const parsed =
    object === undefined
      ? undefined
      : parseTrafficRule({ object, where: () => ({}), origin: 'test' }, { defaultNamespace: 'shop' });
  if (parsed !== undefined && parsed.rule === undefined) return undefined;
  const ports = [port(80), port(9080, 'grpc'), port(6379, 'tcp', 'redis')];
  const shards = clusters.map((cluster) =>
    shard(cluster, 'reviews', {
      ports,
      endpoints: made.flatMap(({ cluster: of, version: v, region, zone, state }, index) =>
        of === cluster
          ? [
              endpoint(cluster, `10.0.0.${index + 1}`, {
                version: v,
                locality: { region, zone, subzone: '' },
                ports: new Map(ports.map(({ name, port: number }) => [name, number])),
                ...state,
              }),
            ]
          : [],
      ),
    }),
  );
  const service = compileService(mergeService(shards), parsed?.rule);
  return { revision: 1, settings: defaultMeshSettings, services: new Map([[service.catalog.key, service]]) };
}

function resourcesFor(mesh: Mesh, mode: Scope['mode']): ScopeResources {
  const resources = new ScopeResources({
    ...scope,
    mode,
    outbound: { address: '127.0.0.1', port: 1 },
    inboundAddress: '127.0.0.1',
  });
  resources.update(mesh, 'all');
  return resources;
}

interface Table {
  readonly virtual_hosts?: readonly { readonly name: string; readonly routes?: readonly Route[] }[];
}
interface Route {
  readonly name?: string;
  readonly route?: {
    readonly cluster?: string;
    readonly weighted_clusters?: { readonly clusters: readonly { readonly name: string; readonly weight?: number }[] };
  };
  readonly typed_per_filter_config?: Readonly<
    Record<string, { readonly abort?: { readonly percentage?: { readonly numerator?: number } } }>
  >;
}

/** Where the routes of a port lead, by route: `a:90 b:10`. */
function leads(routes: readonly Route[]): Map<string, string> {
  return new Map(
    routes.flatMap(({ name = '', route: action }) => {
      if (action === undefined || name === 'connect') return [];
      const shares = action.weighted_clusters?.clusters ?? [{ name: action.cluster ?? '', weight: 1 }];
      return [[name, shares.map((share) => `${share.name}:${share.weight}`).join(' ')] as const];
    }),
  );
}

function routesOf(resources: ScopeResources, table: string, host: string): readonly Route[] {
  const resource = resources.resources(typeUrl.route).get(table);
  assert.ok(resource !== undefined, table);
  const { virtual_hosts = [] } = decodeResource(resource) as Table;
  return virtual_hosts.find(({ name }) => name === host)?.routes ?? [];
}

const answersAll = ({ typed_per_filter_config: filters }: Route): boolean =>
  filters?.['envoy.filters.http.fault']?.abort?.percentage?.numerator === 1_000_000;

describe('proxyless clients and sidecars, whatever the mesh', () => {
  it('have routes to the same chains, with the same weights', () => {
    fc.assert(
      fc.property(rule, endpoints, (object, made) => {
        const mesh = meshOf(object, made);
        fc.pre(mesh !== undefined);
        const [grpc, sidecar] = [resourcesFor(mesh, 'grpc'), resourcesFor(mesh, 'captured')];
        for (const number of [80, 9080]) {
          const host = 'reviews.shop.svc.cluster.local';
          const name = `${host}:${number}`;
          const own = leads(routesOf(grpc, name, name).filter((each) => !answersAll(each)));
          const others = leads(routesOf(sidecar, String(number), host));
          for (const [id, shares] of own) assert.equal(shares, others.get(id), id);
          for (const { name: id, route: action } of routesOf(grpc, name, name))
            if (!own.has(id ?? '')) assert.equal(others.has(id ?? ''), false, JSON.stringify(action));
        }
        const of = (resources: ScopeResources): string[] =>
          [...resources.resources(typeUrl.cluster).keys()].filter((id) => id.startsWith('outbound|')).sort();
        assert.deepEqual(of(grpc), of(sidecar));
      }),
      { numRuns: 300 },
    );
  });

  it('nothing that a client may be sent is refused, and every name leads somewhere', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(fc.option(rule, { nil: undefined }), endpoints, (object, made) => {
        const mesh = meshOf(object, made);
        fc.pre(mesh !== undefined);
        const resources = resourcesFor(mesh, 'grpc');
        const clusterNames = new Set(resources.resources(typeUrl.cluster).keys());
        for (const url of [typeUrl.listener, typeUrl.route, typeUrl.cluster, typeUrl.endpoint])
          for (const resource of resources.resources(url).values()) assert.equal(grpcRefuses(resource), undefined);
        for (const table of resources.resources(typeUrl.route).values()) {
          const announced = announcing(announcing(table, ['outbound|1||a']), ['outbound|1||b']);
          assert.equal(grpcRefuses(announced), undefined);
          const routes = (decodeResource(announced) as Table).virtual_hosts?.[0]?.routes ?? [];
          const before = (decodeResource(table) as Table).virtual_hosts?.[0]?.routes ?? [];
          assert.deepEqual(routes.slice(0, -1), before);
          assert.deepEqual(leads(routes.slice(-1)), new Map([['announced', 'outbound|1||b:1']]));
          const names = table.announce?.names ?? [];
          // One of those that it leads to, and one that may stand in.
          for (const held of [names[0], clusterNames.keys().find((name) => !names.includes(name))]) {
            if (held === undefined) continue;
            const missing = names.filter((name) => name !== held);
            const resumed = missing.length === 0 ? undefined : table.announce?.resumed?.(new Set([held]), missing);
            if (resumed === undefined) continue;
            assert.equal(grpcRefuses(resumed), undefined);
            const now = (decodeResource(resumed) as Table).virtual_hosts?.[0]?.routes ?? [];
            for (const shares of leads(now.slice(0, -1)).values())
              for (const name of missing) assert.ok(!shares.includes(`${name}:`), shares);
          }
        }
        for (const name of clusterNames) assert.ok(resources.resources(typeUrl.endpoint).has(name), name);
        for (const table of resources.resources(typeUrl.route).keys())
          for (const { route: action } of routesOf(resources, table, table))
            for (const { name } of action?.weighted_clusters?.clusters ?? [{ name: action?.cluster ?? '' }])
              assert.ok(clusterNames.has(name), name);
      }),
      { numRuns: 300 },
    );
  });

  it('what is made follows who asks, in any order, and ends in the same bytes', () => {
    const keys = ['a', 'b', 'c'].map((name) => serviceKey('shop', name));
    const step = fc.record({
      key: fc.constantFrom(...keys),
      wanted: fc.boolean(),
      there: fc.boolean(),
      count: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const wanted = new Set<ServiceKey>();
        const services = new Map<ServiceKey, MeshService>();
        const mesh: Mesh = { revision: 1, settings: defaultMeshSettings, services };
        const base = new ScopeResources(scope, 'services', wanted);
        const other: Scope = { ...scope, namespace: 'other' };
        const overlay = new ScopeOverlay(other, base);
        base.update(mesh, 'all');
        for (const { key, wanted: asks, there, count } of steps) {
          if (asks) wanted.add(key);
          else wanted.delete(key);
          if (there) services.set(key, serviceOf(key, count));
          else services.delete(key);
          base.update(mesh, new Set([key]));
          overlay.absorb(mesh, key);
          overlay.settle();
        }
        const seen = new Map([...services].filter(([key]) => wanted.has(key)));
        for (const [read, of] of [
          [base, scope],
          [overlay, other],
        ] as const) {
          const cold = new ScopeResources(of);
          cold.update({ ...mesh, services: seen }, 'all');
          for (const url of [typeUrl.listener, typeUrl.route, typeUrl.cluster, typeUrl.endpoint])
            assert.deepEqual(versions(read.resources(url)), versions(cold.resources(url)));
        }
      }),
      { numRuns: 200 },
    );
  });
});

function serviceOf(key: ServiceKey, count: number): MeshService {
  const [, name = ''] = key.split('/');
  const made = Array.from({ length: count }, (_, index) =>
    endpoint('east', `10.0.1.${index}`, { ports: new Map([['grpc', 9080]]) }),
  );
  return compileService(
    mergeService([shard('east', name, { ports: [port(9080, 'grpc')], endpoints: made })]),
    undefined,
  );
}

function versions(resources: ReadonlyMap<string, { readonly version: string }>): object {
  return Object.fromEntries(
    [...resources].map(([name, { version: is }]) => [name, is] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
