/**
 * No field of Istio's three kinds is passed over in silence: put into an object, each one changes what is made of it, or gives a finding at its
 * place. The names are the tables' own (src/istio/fields-*.ts).
 */

import assert from 'node:assert/strict';
import { fieldsOfKind } from '../../../src/istio/check-object.ts';
import { type Field, fieldPaths } from '../../../src/istio/fields.ts';
import { istioKinds } from '../../../src/istio/kinds.ts';
import { type IstioKindName, istioKindNames } from '../../../src/istio/parts.ts';
import { convert, istioObject, routes } from './istio-objects.ts';

type Tree = Record<string, unknown>;

/** What stands there already, by kind; so that the field makes sense. */
const bases: Readonly<Record<IstioKindName, () => Tree>> = {
  VirtualService: () => ({ hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }] }] }),
  DestinationRule: () => ({ host: 'reviews', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }),
  ServiceEntry: () => ({
    hosts: ['api.example.com'],
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    location: 'MESH_EXTERNAL',
    resolution: 'STATIC',
    endpoints: [{ address: '192.0.2.1' }],
  }),
};

/** What must stand beside a field, by the beginning of its path. The longest that fits counts. */
const beside: Readonly<Record<string, Tree>> = {
  'http[].redirect': { http: [{ redirect: { authority: 'www.example.com' } }] },
  'http[].redirect.derivePort': { http: [{ redirect: { authority: 'www.example.com' } }] },
  'http[].directResponse': { http: [{ directResponse: { status: 200 } }] },
  'http[].delegate': { http: [{}] },
  'http[].delegate.namespace': { http: [{ delegate: { name: 'other' } }] },
  'http[].retries': { http: [{ route: [{ destination: { host: 'reviews' } }], retries: { attempts: 1 } }] },
  'http[].fault.delay': {
    http: [{ route: [{ destination: { host: 'reviews' } }], fault: { delay: { fixedDelay: '1s' } } }],
  },
  'http[].fault.abort': {
    http: [{ route: [{ destination: { host: 'reviews' } }], fault: { abort: { httpStatus: 500 } } }],
  },
  'http[].fault.abort.grpcStatus': { http: [{ route: [{ destination: { host: 'reviews' } }], fault: { abort: {} } }] },
  'http[].mirrors': {
    http: [{ route: [{ destination: { host: 'reviews' } }], mirrors: [{ destination: { host: 'audit' } }] }],
  },
  'http[].mirror': { http: [{ route: [{ destination: { host: 'reviews' } }], mirror: { host: 'audit' } }] },
  'http[].mirrorPercentage': { http: [{ route: [{ destination: { host: 'reviews' } }], mirror: { host: 'audit' } }] },
  'http[].mirrorPercent': { http: [{ route: [{ destination: { host: 'reviews' } }], mirror: { host: 'audit' } }] },
  'http[].corsPolicy': {
    http: [
      {
        route: [{ destination: { host: 'reviews' } }],
        corsPolicy: { allowOrigins: [{ exact: 'https://a.example.com' }] },
      },
    ],
  },
  'http[].corsPolicy.allowOrigin': { http: [{ route: [{ destination: { host: 'reviews' } }], corsPolicy: {} }] },
  'http[].corsPolicy.allowOrigins': { http: [{ route: [{ destination: { host: 'reviews' } }], corsPolicy: {} }] },
  'http[].match[].ignoreUriCase': {
    http: [{ match: [{ uri: { prefix: '/a' } }], route: [{ destination: { host: 'reviews' } }] }],
  },
  'http[].route[].weight': {
    http: [
      {
        route: [
          { destination: { host: 'reviews', subset: 'v1' }, weight: 1 },
          { destination: { host: 'reviews' }, weight: 1 },
        ],
      },
    ],
  },
  'http[].rewrite.uriRegexRewrite.rewrite': {
    http: [{ route: [{ destination: { host: 'reviews' } }], rewrite: { uriRegexRewrite: { match: 'a' } } }],
  },
  tls: { tls: [{ match: [{ sniHosts: ['reviews'] }], route: [{ destination: { host: 'reviews' } }] }] },
  'tls[].route[].weight': {
    tls: [
      {
        match: [{ sniHosts: ['reviews'] }],
        route: [
          { destination: { host: 'reviews', subset: 'v1' }, weight: 1 },
          { destination: { host: 'reviews' }, weight: 1 },
        ],
      },
    ],
  },
  tcp: { tcp: [{ route: [{ destination: { host: 'reviews' } }] }] },
  'tcp[].route[].weight': {
    tcp: [
      {
        route: [
          { destination: { host: 'reviews', subset: 'v1' }, weight: 1 },
          { destination: { host: 'reviews' }, weight: 1 },
        ],
      },
    ],
  },
  'trafficPolicy.loadBalancer.simple': { trafficPolicy: {} },
  'trafficPolicy.loadBalancer.consistentHash': {
    trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true } } },
  },
  'trafficPolicy.loadBalancer.consistentHash.useSourceIp': { trafficPolicy: {} },
  'trafficPolicy.loadBalancer.consistentHash.httpCookie': {
    trafficPolicy: { loadBalancer: { consistentHash: { httpCookie: { name: 'a', ttl: '0s' } } } },
  },
  'trafficPolicy.loadBalancer.localityLbSetting': { trafficPolicy: { outlierDetection: {} } },
  'trafficPolicy.loadBalancer.localityLbSetting.distribute': {
    trafficPolicy: { loadBalancer: { localityLbSetting: { distribute: [{ from: 'a/*', to: { 'a/*': 100 } }] } } },
  },
  'trafficPolicy.loadBalancer.warmup': {
    trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN', warmup: { duration: '5s' } } },
  },
  'trafficPolicy.loadBalancer.warmupDurationSecs': { trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' } } },
  'trafficPolicy.connectionPool.tcp.idleTimeout': {
    trafficPolicy: { connectionPool: { http: { idleTimeout: '5s' } } },
  },
  'trafficPolicy.outlierDetection': { trafficPolicy: { outlierDetection: {} } },
  'trafficPolicy.tls': { host: 'pay.example.com', trafficPolicy: { tls: { mode: 'SIMPLE' } } },
  'trafficPolicy.portLevelSettings': {
    host: 'pay.example.com',
    trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'SIMPLE' } }] },
  },
  'trafficPolicy.retryBudget': { trafficPolicy: { retryBudget: { percent: 10 } } },
  subsets: { subsets: [{ name: 'a', labels: { version: 'v1' } }] },
  'endpoints[].ports': { ports: [{ number: 80, name: 'http', protocol: 'HTTP' }] },
};

/** By the path, or else by the name of the field. */
const samples: Readonly<Record<string, unknown>> = {
  hosts: ['ratings'],
  'VirtualService.hosts': ['ratings'],
  'ServiceEntry.hosts': ['other.example.com'],
  gateways: ['outer'],
  exportTo: ['.'],
  host: 'ratings',
  subset: 'v7',
  number: 8443,
  exact: 'http',
  prefix: 'x',
  regex: 'y+',
  'http[].match[].scheme.exact': 'https',
  'http[].match[].scheme.prefix': 'https',
  'http[].match[].uri.exact': '/a',
  'http[].match[].uri.prefix': '/a',
  'http[].match[].method.exact': 'PUT',
  'http[].match[].method.regex': 'GET|PUT',
  'http[].match[].port': 8080,
  'http[].corsPolicy.allowOrigins[].exact': 'https://b.example.com',
  port: 8080,
  sourceLabels: { app: 'web' },
  sourceNamespace: 'web',
  ignoreUriCase: true,
  statPrefix: 'a',
  weight: 7,
  set: { 'x-set': 'a' },
  add: { 'x-add': 'a' },
  remove: ['x-gone'],
  uri: '/new',
  authority: 'b.example.com',
  derivePort: 'FROM_REQUEST_PORT',
  scheme: 'https',
  redirectCode: 308,
  prefixRewrite: '/p',
  status: 418,
  string: 'text',
  bytes: Buffer.from('text').toString('base64'),
  namespace: 'web',
  rewrite: '/r',
  match: '/m',
  timeout: '3s',
  attempts: 5,
  perTryTimeout: '1s',
  retryOn: '5xx',
  backoff: '10ms',
  retryIgnorePreviousHosts: false,
  retryRemoteLocalities: true,
  fixedDelay: '7s',
  value: 12.5,
  percent: 12,
  exponentialDelay: '1s',
  httpStatus: 418,
  grpcStatus: 'UNAVAILABLE',
  http2Error: 'NO_ERROR',
  mirrorPercent: 12,
  allowOrigin: ['https://c.example.com'],
  allowMethods: ['PUT'],
  allowHeaders: ['x-a'],
  exposeHeaders: ['x-b'],
  maxAge: '10s',
  allowCredentials: true,
  unmatchedPreflights: 'IGNORE',
  destinationSubnets: ['10.0.0.0/8'],
  sourceSubnet: '10.0.0.0/8',
  sniHosts: ['db.example.com'],
  caCertificates: '/etc/ca.pem',
  subjectAltNames: ['db.example.com'],
  sni: 'db.example.com',
  simple: 'ROUND_ROBIN',
  httpHeaderName: 'x-user',
  path: '/c',
  ttl: '5s',
  useSourceIp: true,
  httpQueryParameterName: 'q',
  minimumRingSize: 2048,
  tableSize: 101,
  enabled: false,
  from: 'b/c',
  to: { 'b/*': 50 },
  failoverPriority: ['topology.kubernetes.io/region'],
  duration: '9s',
  minimumPercent: 50,
  aggression: 2,
  warmupDurationSecs: '9s',
  maxConnections: 9,
  connectTimeout: '9s',
  probes: 9,
  time: '9s',
  interval: '9s',
  maxConnectionDuration: '9s',
  idleTimeout: '9s',
  http1MaxPendingRequests: 9,
  http2MaxRequests: 9,
  maxRequestsPerConnection: 9,
  maxRetries: 9,
  consecutiveErrors: 9,
  consecutive5xxErrors: 9,
  consecutiveGatewayErrors: 9,
  baseEjectionTime: '9s',
  maxEjectionPercent: 90,
  minHealthPercent: 9,
  mode: 'MUTUAL',
  minRetryConcurrency: 9,
  labels: { version: 'v9', tier: 'x' },
  matchLabels: { app: 'a' },
  'workloadSelector.labels': { app: 'a' },
  'ports[].number': 81,
  protocol: 'GRPC',
  targetPort: 8080,
  location: 'MESH_INTERNAL',
  resolution: 'NONE',
  address: '192.0.2.9',
  'endpoints[].ports': { http: 8080 },
  'endpoints[].locality': 'eu/eu-1',
  'endpoints[].weight': 9,
  name: 'other',
};

/** They say something to people alone, or nothing where they stand alone. */
const silent: ReadonlySet<string> = new Set(['http[].match[].name']);

function sampleOf(kind: IstioKindName, path: string, field: Field): unknown {
  const last =
    path
      .split('.')
      .at(-1)
      ?.replace(/\[\]$|\{\}$/, '') ?? '';
  if (field.kind === 'none') return samples[path] ?? samples[last] ?? {};
  const sample = samples[`${kind}.${path}`] ?? samples[path] ?? samples[last];
  assert.notEqual(sample, undefined, `no sample for ${kind} ${path}`);
  return sample;
}

function baseFor(kind: IstioKindName, path: string): Tree {
  const fitting = Object.keys(beside).filter(
    (prefix) => path === prefix || (/^[.[{]/.test(path.slice(prefix.length)) && path.startsWith(prefix)),
  );
  const longest = fitting.sort((a, b) => b.length - a.length)[0];
  return structuredClone({ ...bases[kind](), ...(longest === undefined ? {} : beside[longest]) });
}

/** Puts a value where the path leads, making what is missing on the way. */
function put(tree: Tree, path: string, value: unknown): void {
  const steps = path.split('.').flatMap((step): (string | number)[] => {
    if (step.endsWith('[]')) return [step.slice(0, -2), 0];
    if (step.endsWith('{}')) return [step.slice(0, -2), 'x-a'];
    return [step];
  });
  let at = tree as Record<string | number, unknown>;
  for (const [i, step] of steps.entries()) {
    if (i === steps.length - 1) at[step] = value;
    else {
      at[step] ??= typeof steps[i + 1] === 'number' ? [] : {};
      at = at[step] as Record<string | number, unknown>;
    }
  }
}

function outcome(kind: IstioKindName, spec: Tree): unknown {
  const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'one', namespace: 'shop' }, spec };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'reviews', namespace: 'shop' },
    spec: { ports: [{ port: 80 }] },
  };
  const others =
    kind === 'DestinationRule'
      ? [
          routes('{route: [{destination: {host: reviews, subset: other}}]}'),
          istioObject(
            'ServiceEntry',
            'pay',
            '{hosts: [pay.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}',
          ),
        ]
      : [];
  const { objects, findings } = convert(object, service, ...others);
  return JSON.stringify([objects, findings]);
}

for (const kind of istioKindNames) {
  describe(`the fields of ${kind}`, () => {
    for (const { path, field } of fieldPaths(fieldsOfKind[kind])) {
      if (field.kind !== 'read' && field.kind !== 'none') continue;
      it(`${path} is ${field.kind === 'read' ? 'translated, or told' : 'told'}`, () => {
        const without = baseFor(kind, path);
        const with_ = structuredClone(without);
        put(with_, path, sampleOf(kind, path, field));
        if (silent.has(path)) return;
        assert.notEqual(outcome(kind, with_), outcome(kind, without));
      });
    }

    for (const { path, field } of fieldPaths(fieldsOfKind[kind])) {
      if (field.kind !== 'read') continue;
      it(`${path} of a wrong type is refused, at its place`, () => {
        const spec = baseFor(kind, path);
        put(spec, path, field.type === 'text' || field.type === 'duration' ? { a: 1 } : 'x');
        const { value, findings } = parse(kind, spec);
        assert.equal(value, undefined);
        assert.deepEqual(
          findings.filter(({ severity }) => severity === 'error').map(({ code, where }) => `${code} ${where.field}`),
          [`FW-ISTIO-003 ${placeOf(path, field)}`],
        );
      });
    }
  });
}

/** What is `x` there is no list, number, mapping, or word of its own. */
function placeOf(path: string, { kind }: Field): string {
  assert.equal(kind, 'read');
  return `spec.${path.replaceAll('[]', '[0]').replaceAll('{}', '.x-a')}`;
}

function parse(kind: IstioKindName, spec: Tree): ReturnType<(typeof istioKinds)[number]['parse']> {
  const row = istioKinds.find((each) => each.kind === kind);
  assert.ok(row !== undefined);
  const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'one', namespace: 'shop' }, spec };
  return row.parse({ object, origin: 'test', where: () => ({}) }, { defaultNamespace: 'default' });
}

describe('an object of Istio’s that its API would not take', () => {
  const refused: readonly (readonly [IstioKindName, Tree, string])[] = [
    ['DestinationRule', {}, 'spec must have host'],
    ['DestinationRule', { host: 'a', subsets: [{ labels: {} }] }, 'must have name'],
    ['ServiceEntry', {}, 'spec must have hosts'],
    ['ServiceEntry', { hosts: ['a.example.com'], ports: [{ number: 80 }] }, 'must have name'],
    ['ServiceEntry', { hosts: ['a.example.com'], ports: [{ name: 'a' }] }, 'must have number'],
    ['ServiceEntry', { hosts: ['a.example.com'], ports: [{ name: '', number: 80 }] }, 'must not be empty'],
    [
      'ServiceEntry',
      { hosts: ['a.example.com'], ports: [1, 2].map((number) => ({ name: 'a', number })) },
      'name is "a" twice',
    ],
    ['VirtualService', { http: [{ route: [{}] }] }, 'must have destination'],
    ['VirtualService', { http: [{ route: [{ destination: {} }] }] }, 'must have host'],
    ['VirtualService', { http: [{ route: [{ destination: { host: 'a' }, weight: 1.5 }] }] }, 'must be a whole number'],
    ['VirtualService', { http: [{ match: [{ port: -1 }] }] }, 'must be a whole number from 0 on'],
    ['VirtualService', { tls: [{ route: [{ destination: { host: 'a' } }] }] }, 'must have match'],
  ];
  for (const [kind, spec, says] of refused) {
    it(`${kind}: ${says}`, () => {
      const { value, findings } = parse(kind, spec);
      assert.equal(value, undefined);
      assert.ok(
        findings.some(({ code, message }) => code === 'FW-ISTIO-003' && message.includes(says)),
        JSON.stringify(findings),
      );
    });
  }

  it('keeps a long name of a port short, and says so', () => {
    const name = `${'a'.repeat(63)}b`;
    const { value, findings } = parse('ServiceEntry', { hosts: ['a.example.com'], ports: [{ name, number: 80 }] });
    assert.ok(value !== undefined);
    assert.deepEqual(
      findings.map(({ severity, code, where }) => `${severity} ${code} ${where.field}`),
      ['warning FW-ISTIO-004 spec.ports[0].name'],
    );
  });
});
