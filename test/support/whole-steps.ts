/** What may happen to a whole pilot, for properties: objects of every kind, clusters, namespaces and proxies, one step at a time. */

import fc from 'fast-check';
import { anyShard } from './pilot-steps.ts';

export const clusterNames = ['east', 'west', 'north'] as const;
export const namespaces = ['shop', 'web'] as const;
export const serviceNames = ['a', 'b'] as const;
/** Of proxies. */
export const proxyCount = 7;

const ids = ['o1', 'o2'] as const;
const service = fc.constantFrom(...serviceNames);
const namespace = fc.constantFrom(...namespaces);
const cluster = fc.constantFrom(...clusterNames);
const version = fc.constantFrom('v1', 'v2');
const outside = fc.constantFrom('x.example.com', 'y.example.com', '*.example.com', 'a.shop');

type Plain = Readonly<Record<string, unknown>>;

/** `namespace/name.spec`; without a spec the object goes. */
export interface ObjectStep {
  readonly do: 'object';
  readonly source: 'folder' | 'primary' | `member ${(typeof clusterNames)[number]}`;
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly age: number;
  readonly spec: Plain | undefined;
}

const fairway = 'fairway.dev/v1alpha1';
const gateway = 'gateway.networking.k8s.io';
const istio = 'networking.istio.io/v1';

const ruleBackend = fc.oneof(
  version.map((given) => ({ version: given })),
  cluster.map((given) => ({ cluster: given, fallback: [{}] })),
  fc.record({ service, namespace, port: fc.constant(80) }),
);
const ruleSpec = fc.oneof(
  fc.record({
    service,
    routes: fc.array(fc.record({ backends: fc.array(ruleBackend, { minLength: 1, maxLength: 2 }) }), {
      minLength: 1,
      maxLength: 2,
    }),
  }),
  fc.record({
    service,
    locality: fc.constantFrom({ prefer: ['zone', 'region'] }, { prefer: ['node'] }),
    routes: fc.constant([{ backends: [{}] }]),
  }),
  fc.record({
    service,
    routes: fc.constant([
      { matches: [{ source: { labels: { app: 'web' } } }], backends: [{ version: 'v1' }] },
      { backends: [{}] },
    ]),
  }),
  fc.record({ service, nonsense: fc.constant(true) }),
  // Of hosts outside: the rule is named after their object.
  fc.constant({ service: 'o1', routes: [{ backends: [{}], timeouts: { request: '3s' } }] }),
);
const externalSpec = fc.record({
  hosts: fc.uniqueArray(outside, { minLength: 1, maxLength: 2 }),
  ports: fc.constantFrom([{ number: 80, protocol: 'http' }], [{ number: 8443, protocol: 'tcp' }]),
  resolution: fc.constant('static'),
  endpoints: fc.constantFrom([{ address: '192.0.2.1' }], [{ address: '192.0.2.2' }]),
});
const policySpec = fc.record({
  clusters: fc.constantFrom(['*'], ['west'], ['e*', 'north']),
  grants: fc.constantFrom(
    [{ namespaces: ['*'], kinds: ['TrafficRule'] }],
    [{ namespaces: ['shop'], kinds: ['TrafficRule'] }],
  ),
  precedence: fc.constantFrom('member', 'primary'),
});
const drainSpec = fc.record(
  {
    cluster: fc.constantFrom('east', 'west', 'nowhere'),
    over: fc.constantFrom('0s', '1h'),
    startAt: fc.constantFrom('2025-12-31T23:30:00Z', '2026-02-01T00:00:00Z'),
    services: fc.constantFrom(['shop/a'], ['web/b', 'shop/b']),
    force: fc.boolean(),
  },
  { requiredKeys: ['cluster', 'over', 'startAt'] },
);
const parent = fc.record({ name: service, port: fc.constantFrom(80, 81, 6379) }).map((given) => ({
  group: '',
  kind: 'Service',
  ...given,
}));
const routeBackend = fc.record({ name: service, namespace, port: fc.constantFrom(80, 81, 6379), weight: fc.nat(2) });
const routeSpec = fc.record({
  parentRefs: fc.uniqueArray(parent, { minLength: 1, maxLength: 2, selector: (given) => JSON.stringify(given) }),
  rules: fc.array(fc.record({ backendRefs: fc.array(routeBackend, { minLength: 1, maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 1,
  }),
});
const grantSpec = fc.record({
  from: fc
    .record({ kind: fc.constantFrom('HTTPRoute', 'TrafficRule', 'GRPCRoute', 'TCPRoute'), namespace })
    .map(({ kind, namespace: from }) => [
      { group: kind === 'TrafficRule' ? 'fairway.dev' : gateway, kind, namespace: from },
    ]),
  to: fc.constant([{ group: '', kind: 'Service' }]),
});
const istioHost = fc.oneof(service, outside);
const subset = fc.constantFrom('s', 't');
const virtualServiceSpec = fc.record(
  {
    hosts: fc.array(istioHost, { maxLength: 2 }),
    http: fc.array(
      fc.oneof(
        fc.record({ host: service, subset }).map((destination) => ({ route: [{ destination }] })),
        fc.record({ name: fc.constantFrom(...ids), namespace }).map((delegate) => ({ delegate })),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  },
  { requiredKeys: ['http'] },
);
const destinationRuleSpec = fc.record(
  {
    host: istioHost,
    subsets: fc.constantFrom([{ name: 's', labels: { version: 'v1' } }], [{ name: 't', labels: { version: 'v2' } }]),
    trafficPolicy: fc.constantFrom({ loadBalancer: { simple: 'RANDOM' } }, { tls: { mode: 'SIMPLE' } }),
  },
  { requiredKeys: ['host'] },
);
const serviceEntrySpec = fc.record({
  hosts: fc.uniqueArray(outside, { minLength: 1, maxLength: 2 }),
  ports: fc.constantFrom(
    [{ number: 80, name: 'http', protocol: 'HTTP' }],
    [{ number: 8080, name: 'http', protocol: 'HTTP' }],
  ),
  resolution: fc.constant('STATIC'),
  endpoints: fc.constant([{ address: '192.0.2.9' }]),
});

function objectStep(
  kind: string,
  apiVersion: string,
  spec: fc.Arbitrary<Plain>,
  { namespaced = true, sources = ['folder', 'primary'] as readonly ObjectStep['source'][], prefix = '' } = {},
): fc.Arbitrary<ObjectStep> {
  return fc.record({
    do: fc.constant('object' as const),
    source: fc.constantFrom(...sources),
    kind: fc.constant(kind),
    apiVersion: fc.constant(apiVersion),
    namespace: namespaced ? namespace : fc.constant(''),
    name: fc.constantFrom(...ids).map((id) => `${prefix}${id}`),
    age: fc.nat(2),
    spec: fc.option(spec, { nil: undefined, freq: 4 }),
  });
}

const members = clusterNames.map((name) => `member ${name}` as const);

export const anyWholeStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('shard' as const),
      cluster,
      namespace,
      name: service,
      exported: fc.option(fc.nat(2), { nil: undefined, freq: 1 }),
      shard: fc.option(anyShard, { nil: undefined, freq: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('namespace' as const),
      cluster,
      namespace,
      labels: fc.constantFrom<Readonly<Record<string, string>>>(
        {},
        { 'fairway.dev/mode': 'on-demand' },
        { 'fairway.dev/outbound': 'registered-only' },
      ),
    }),
  },
  { weight: 5, arbitrary: objectStep('TrafficRule', fairway, ruleSpec) },
  { weight: 3, arbitrary: objectStep('TrafficRule', fairway, ruleSpec, { sources: members }) },
  { weight: 4, arbitrary: objectStep('ExternalService', fairway, externalSpec) },
  { weight: 2, arbitrary: objectStep('ClusterPolicy', fairway, policySpec, { namespaced: false }) },
  { weight: 2, arbitrary: objectStep('Drain', fairway, drainSpec, { namespaced: false }) },
  { weight: 4, arbitrary: objectStep('HTTPRoute', `${gateway}/v1`, routeSpec) },
  { weight: 1, arbitrary: objectStep('GRPCRoute', `${gateway}/v1`, routeSpec) },
  { weight: 2, arbitrary: objectStep('TCPRoute', `${gateway}/v1alpha2`, routeSpec) },
  { weight: 2, arbitrary: objectStep('ReferenceGrant', `${gateway}/v1beta1`, grantSpec) },
  { weight: 4, arbitrary: objectStep('VirtualService', istio, virtualServiceSpec) },
  { weight: 3, arbitrary: objectStep('DestinationRule', istio, destinationRuleSpec) },
  { weight: 3, arbitrary: objectStep('ServiceEntry', istio, serviceEntrySpec, { prefix: 'entry-' }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), cluster }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('regain' as const), cluster }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unregister' as const), cluster }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('register' as const), cluster }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('place' as const), cluster, zone: fc.constantFrom('', 'a', 'b') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), proxy: fc.nat(proxyCount - 1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 200, 3000) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('work' as const), turns: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pump' as const),
      proxy: fc.nat(proxyCount - 1),
      messages: fc.integer({ min: 1, max: 4 }),
    }),
  },
);
export type WholeStep = typeof anyWholeStep extends fc.Arbitrary<infer T> ? T : never;
