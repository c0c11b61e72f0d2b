/**
 * What the properties of Envoy's resources draw from: scopes, settings, routes, policies, ports and hosts outside. A form that ends in resources of
 * another kind belongs into its pool, or no property sees it.
 */

import { externalServices } from '../../src/mesh/external.ts';
import { unknownLocality } from '../../src/model/cluster.ts';
import { defaultMeshSettings, type MeshSettings, type Scope } from '../../src/model/mesh.ts';
import { anywhere, type RuleRoute, toDestination } from '../../src/model/rule.ts';
import type { CatalogService, ServicePort } from '../../src/model/service.ts';
import type { Place, ServicePolicy } from '../../src/model/service-policy.ts';
import { port, route } from '../support/fixtures.ts';

export const base: Scope = {
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
export const scopes: readonly Scope[] = [
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

export const settingsPool: readonly MeshSettings[] = [
  { ...defaultMeshSettings, accessLog: false },
  { ...defaultMeshSettings, accessLog: false, outbound: 'registered-only' },
  { ...defaultMeshSettings, accessLog: false, detectProtocols: true },
];

export const routesPool: readonly (readonly RuleRoute[])[] = [
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
export const policyPool: readonly (ServicePolicy | undefined)[] = [
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

export const portPool: ServicePort[] = [
  port(80),
  port(81, 'grpc'),
  port(6379, 'tcp', 'redis'),
  port(80, 'tcp', 'raw'),
  { ...port(81, 'tcp', 'tls'), tls: true },
  { ...port(6379, 'tcp', 'any'), undeclared: true },
];

/** Hosts outside, which come and go beside the services. */
export const externalPool: readonly CatalogService[] = [
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
