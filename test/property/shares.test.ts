/**
 * Expected shares against what Envoy is really given: meshes at random; the shares that are said, and those that come out when the encoded
 * routes and assignments are read as Envoy reads them, one request of each hash after the other.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { typeUrl } from '../../src/core/type-urls.ts';
import { readWho } from '../../src/envoy/endpoint-identity.ts';
import { decodeResource } from '../../src/envoy/proto/decode.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { expectedShares, routesFor } from '../../src/preview/shares.ts';
import { type MeshFixture, parseMeshFixture } from '../support/mesh-fixture.ts';

const version = fc.constantFrom('v1', 'v2');
const cluster = fc.constantFrom('east', 'west');
const zone = fc.constantFrom('a', 'b', 'c');
const endpoint = fc.record({
  cluster,
  version,
  zone,
  state: fc.constantFrom('ready', 'ready', 'unready', 'terminating'),
});
const destination = fc.record({ version, cluster, zone }, { requiredKeys: [] });
const backend = fc.record({
  destination,
  weight: fc.integer({ min: 1, max: 9 }),
  fallback: fc.array(destination, { maxLength: 2 }),
});
const locality = fc.constantFrom(
  undefined,
  { prefer: ['zone', 'region'] },
  { prefer: ['cluster'] },
  { order: [{ zone: 'b' }, { cluster: 'west' }] },
  {
    shares: [
      {
        from: { cluster: 'east' },
        to: [
          { zone: 'a', weight: 70 },
          { zone: 'b', weight: 30 },
        ],
      },
    ],
  },
);

const mesh = fc.record({
  endpoints: fc.array(endpoint, { minLength: 1, maxLength: 14 }),
  backends: fc.array(backend, { minLength: 1, maxLength: 3 }),
  locality,
  within: fc.constantFrom(undefined, undefined, { cluster: 'west' }, { zone: 'c' }),
  overprovisioningPercent: fc.constantFrom(undefined, 100, 200),
  ownZone: zone,
});

type Drawn = typeof mesh extends fc.Arbitrary<infer T> ? T : never;

function fixtureOf({
  endpoints,
  backends,
  locality: preference,
  within,
  overprovisioningPercent: factor,
  ownZone,
}: Drawn): MeshFixture {
  const clusters = Object.fromEntries(
    ['east', 'west'].map((name) => [
      name,
      {
        ports: ['80:http'],
        endpoints: endpoints.flatMap((each, index) =>
          each.cluster === name ? [{ ...each, region: 'eu', address: `10.0.0.${index + 1}` }] : [],
        ),
      },
    ]),
  );
  const spec = {
    service: 'reviews',
    routes: [{ backends: backends.map(({ destination: wanted, ...rest }) => ({ ...wanted, ...rest })) }],
    ...(preference === undefined ? {} : { locality: preference }),
    ...(factor === undefined ? {} : { spillover: factor }),
    ...(within === undefined ? {} : { within }),
  };
  const rule = {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'TrafficRule',
    metadata: { name: 'reviews', namespace: 'shop' },
    spec,
  };
  const scope = {
    cluster: 'east',
    mode: 'explicit',
    answers: { region: 'eu', zone: ownZone, node: '', selectors: [] },
  };
  const settings = { accessLog: true };
  return parseMeshFixture(
    JSON.stringify({ scope, settings, services: [{ name: 'reviews', clusters }], rules: [rule] }),
  );
}

interface Assignment {
  readonly policy?: { readonly overprovisioning_factor?: number };
  readonly endpoints?: readonly {
    readonly priority?: number;
    readonly load_balancing_weight?: number;
    readonly lb_endpoints?: readonly {
      readonly health_status?: string;
      readonly metadata: {
        readonly filter_metadata: { readonly f: { readonly w: string } };
      };
    }[];
    readonly locality?: { readonly zone?: string };
  }[];
}

/** By `version.cluster@zone`. */
type Shares = Map<string, number>;

function add(shares: Shares, key: string, share: number): void {
  shares.set(key, (shares.get(key) ?? 0) + share);
}

/** One request for each hash from 0 to 99, as Envoy's `choosePriority` does. */
function play(shares: Shares, { endpoints = [], policy }: Assignment, weighsLocalities: boolean, part: number): void {
  const factor = policy?.overprovisioning_factor ?? 140;
  const levels = new Map<number, NonNullable<Assignment['endpoints']>[number][]>();
  for (const group of endpoints) levels.set(group.priority ?? 0, [...(levels.get(group.priority ?? 0) ?? []), group]);
  const health = [...levels.values()].map((groups) => {
    const all = groups.flatMap(({ lb_endpoints = [] }) => lb_endpoints);
    return Math.min(100, Math.trunc((factor * all.filter(isHealthy).length) / all.length));
  });
  const total = Math.min(
    100,
    health.reduce((sum, each) => sum + each, 0),
  );
  const chosen = levels.size === 0 || total === 0 ? [] : spreadHashes(health, total);
  if (chosen.length === 0) return add(shares, 'none', part);
  for (const level of chosen) {
    const groups = [...levels.values()][level] ?? [];
    const weights = groups.map(({ load_balancing_weight: weight = 0, lb_endpoints = [] }) => {
      const healthy = lb_endpoints.filter(isHealthy).length;
      return weighsLocalities ? weight * Math.min(1, (factor * healthy) / lb_endpoints.length / 100) : healthy;
    });
    const sum = weights.reduce((all, weight) => all + weight, 0);
    groups.forEach(({ lb_endpoints = [], locality: at }, index) => {
      const healthy = lb_endpoints.filter(isHealthy);
      for (const { metadata } of healthy) {
        const { cluster: of, version: is } = readWho(metadata.filter_metadata.f.w);
        const share = (part / 100) * ((weights[index] ?? 0) / sum / healthy.length);
        add(shares, `${is}.${of}@${at?.zone ?? ''}`, share);
      }
    });
  }
}

function isHealthy({ health_status: status }: { readonly health_status?: string }): boolean {
  return status !== 'UNHEALTHY';
}

/** The level of each hash. Rounding errors go to the first level that takes any. */
function spreadHashes(health: readonly number[], total: number): readonly number[] {
  const levels: number[] = [];
  health.forEach((each, level) => {
    const load = Math.trunc((each * 100) / total);
    for (let at = 0; at < load && levels.length < 100; at++) levels.push(level);
  });
  const first = health.findIndex((each) => each > 0);
  while (levels.length < 100) levels.push(first);
  return levels;
}

function played({ mesh: { settings, services }, scope }: MeshFixture): Shares {
  const resources = new ScopeResources(scope);
  resources.update({ revision: 1, settings, services }, 'all');
  const table = decodeResource([...resources.resources(typeUrl.route).values()][0] as never) as {
    virtual_hosts: {
      name: string;
      routes: { route?: { cluster?: string; weighted_clusters?: { clusters: { name: string; weight: number }[] } } }[];
    }[];
  };
  const host = table.virtual_hosts.find(({ name }) => name.startsWith('reviews.'));
  const action = host?.routes.at(-1)?.route;
  const targets = action?.weighted_clusters?.clusters ?? [{ name: action?.cluster ?? '', weight: 1 }];
  const sum = targets.reduce((all, { weight }) => all + weight, 0);
  const shares: Shares = new Map();
  for (const { name, weight } of targets) {
    const assignment = decodeResource(resources.resources(typeUrl.endpoint).get(name) as never) as Assignment;
    const config = decodeResource(resources.resources(typeUrl.cluster).get(name) as never) as {
      common_lb_config?: { locality_weighted_lb_config?: object };
    };
    play(shares, assignment, config.common_lb_config?.locality_weighted_lb_config !== undefined, weight / sum);
  }
  return shares;
}

function said({ mesh: { settings, services }, scope }: MeshFixture): Shares {
  const service = services.get('shop/reviews');
  const port = service?.catalog.ports[0];
  if (service === undefined || port === undefined) return new Map();
  const [route] = routesFor(service, port, settings, scope);
  assert(route !== undefined);
  const { shares, unserved } = expectedShares(service, route, port, scope);
  const out: Shares = new Map();
  for (const { version: is, cluster: of, zone: at, share } of shares) add(out, `${is}.${of}@${at}`, share);
  for (const { share } of unserved) add(out, 'none', share);
  return out;
}

describe('expected shares, against the encoded configuration', function () {
  this.timeout(120_000);

  it('sum to 1, and are what Envoy makes of it', () => {
    fc.assert(
      fc.property(mesh, (drawn) => {
        const fixture = fixtureOf(drawn);
        const expected = said(fixture);
        const total = [...expected.values()].reduce((sum, share) => sum + share, 0);
        assert(Math.abs(total - 1) < 1e-9, `they sum to ${total}`);
        const real = played(fixture);
        for (const key of new Set([...expected.keys(), ...real.keys()])) {
          const [one, other] = [expected.get(key) ?? 0, real.get(key) ?? 0];
          assert(Math.abs(one - other) < 1e-6, `${key}: said ${one}, played ${other}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});
