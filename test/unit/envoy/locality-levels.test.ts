/** Which endpoints come first for whom: the levels and weights of assignments, as Envoy gets them. */

import assert from 'node:assert/strict';
import { mergeService } from '../../../src/catalog/merge.ts';
import { serviceAssignments } from '../../../src/envoy/endpoints.ts';
import { assignmentId, assignmentKey } from '../../../src/envoy/locality-levels.ts';
import { decodeResource } from '../../../src/envoy/proto/decode.ts';
import { compileService } from '../../../src/mesh/compile.ts';
import { type Answers, defaultMeshSettings, noAnswers, type Scope } from '../../../src/model/mesh.ts';
import { anywhere, type RuleBackend, toDestination } from '../../../src/model/rule.ts';
import type { Endpoint, ServiceShard } from '../../../src/model/service.ts';
import type { LocalityPreference, Place, ServicePolicy } from '../../../src/model/service-policy.ts';
import { endpoint, shard, trafficRule } from '../../support/fixtures.ts';

const inEast: Scope = {
  cluster: 'east',
  network: '',
  namespace: 'shop',
  mode: 'captured',
  outbound: { address: '127.0.0.1', port: 15001 },
  inboundAddress: '0.0.0.0',
  inbound: [],
  routes: 'tables',
  rejected: [],
};

const from = (answers: Partial<Answers>, scope: Partial<Scope> = {}): Scope => ({
  ...inEast,
  ...scope,
  answers: { ...noAnswers, ...answers },
});

const place = (given: Partial<Place>): Place => ({ region: '', zone: '', cluster: '', ...given });

interface At extends Partial<Endpoint> {
  /** `region/zone`. */
  readonly at?: string;
}

function one(cluster: string, address: string, { at = '/', ...fields }: At = {}): Endpoint {
  const [region = '', zone = ''] = at.split('/');
  return endpoint(cluster, `10.0.0.${address}`, { locality: { region, zone, subzone: '' }, ...fields });
}

const four = [
  one('east', '1', { at: 'eu/a', version: 'v1', node: 'n1' }),
  one('east', '2', { at: 'eu/b', version: 'v2', node: 'n2' }),
  one('west', '3', { at: 'us/a', version: 'v1', network: 'net-b', node: 'n1' }),
  one('west', '4', { at: 'us/c', version: 'v2', network: 'net-b' }),
];

interface Given {
  readonly endpoints?: readonly Endpoint[];
  readonly policy?: ServicePolicy;
  readonly chain?: RuleBackend['chain'];
  readonly kubernetes?: Pick<ServiceShard, 'internalTrafficPolicy' | 'trafficDistribution'>;
  readonly rule?: false;
}

function service({ endpoints = four, policy, chain = [anywhere], kubernetes = {}, rule }: Given) {
  const shards = ['east', 'west'].map((cluster) =>
    shard(cluster, 'reviews', { ...kubernetes, endpoints: endpoints.filter((each) => each.cluster === cluster) }),
  );
  const base = trafficRule({ hash: '', backends: [{ weight: 1, chain }] });
  return compileService(
    mergeService(shards),
    rule === false ? undefined : { ...base, ...(policy === undefined ? {} : { policy }) },
  );
}

interface Group {
  readonly priority?: number;
  readonly locality?: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
  readonly load_balancing_weight?: number | { readonly value: number };
  readonly lb_endpoints: readonly {
    readonly health_status?: string;
    readonly endpoint: { readonly address: { readonly socket_address: { readonly address: string } } };
  }[];
}

function groups(given: Given, scope: Scope): readonly Group[] {
  const compiled = service(given);
  const assignments = serviceAssignments(compiled, assignmentKey(compiled, scope), defaultMeshSettings);
  // The rule's own chain is the last but for the one that leads anywhere, which is first.
  const resource = assignments.at(-1);
  assert.ok(resource !== undefined);
  const { endpoints = [] } = decodeResource(resource) as {
    readonly endpoints?: readonly Group[];
  };
  return endpoints;
}

/** Per level: the last numbers of the addresses, `!` behind those that are not healthy. */
function levels(given: Given, scope: Scope): string[] {
  const found: string[][] = [];
  for (const { priority = 0, lb_endpoints } of groups(given, scope)) {
    const level = found[priority] ?? [];
    found[priority] = level;
    for (const { endpoint: target, health_status } of lb_endpoints) {
      const number = target.address.socket_address.address.split('.').at(-1) ?? '';
      level.push(health_status === 'UNHEALTHY' ? `${number}!` : number);
    }
  }
  return found.map((level) => level.sort().join(' '));
}

const prefer = (...order: Extract<LocalityPreference, { kind: 'nearest' }>['order']): Given => ({
  policy: { locality: { kind: 'nearest', order } },
});

describe('nearness', () => {
  it('splits a level by its steps, in their order, and the rest comes last', () => {
    const scope = from({ region: 'eu', zone: 'a' });
    assert.deepEqual(levels(prefer('zone', 'region'), scope), ['1', '2', '3 4']);
    assert.deepEqual(levels(prefer('region', 'zone'), scope), ['1 2', '3 4']);
    assert.deepEqual(levels(prefer('cluster'), { ...inEast, cluster: 'west' }), ['3 4', '1 2']);
    assert.deepEqual(levels(prefer('network'), inEast), ['1 2', '3 4']);
    assert.deepEqual(levels({}, scope), ['1 2 3 4']);
  });

  it('takes a zone for the same only in the same region, and a node only in the same cluster', () => {
    assert.deepEqual(levels(prefer('zone'), from({ region: 'us', zone: 'a' })), ['3', '1 2 4']);
    assert.deepEqual(levels(prefer('node'), from({ node: 'n1' })), ['1', '2 3 4']);
  });

  it('knows no preference where it does not know the proxy’s place', () => {
    for (const steps of [['zone'], ['region'], ['node']] as const) {
      assert.deepEqual(levels(prefer(...steps), inEast), ['1 2 3 4']);
      assert.deepEqual(
        levels(
          {
            ...prefer(...steps),
            endpoints: four.map((each) => ({ ...each, locality: { region: '', zone: '', subzone: '' }, node: '' })),
          },
          inEast,
        ),
        ['1 2 3 4'],
      );
    }
  });

  it('comes after the chain: a wanted version stays wanted far away', () => {
    const chain = [toDestination({ version: 'v2' }), anywhere];
    assert.deepEqual(levels({ ...prefer('region'), chain }, from({ region: 'eu' })), ['2', '4', '1', '3']);
  });

  it('orders places the same for everyone', () => {
    const given: Given = {
      policy: { locality: { kind: 'order', places: [place({ cluster: 'west', zone: 'c' }), place({ region: 'eu' })] } },
    };
    for (const scope of [inEast, from({ region: 'us' })]) assert.deepEqual(levels(given, scope), ['4', '1 2', '3']);
  });

  it('lists what is not ready where there are several levels, and what terminates nowhere', () => {
    const endpoints = [
      ...four,
      one('east', '5', { at: 'eu/a', ready: false, serving: false }),
      one('east', '6', { at: 'eu/a', ready: false, serving: true, terminating: true }),
      one('west', '7', { at: 'us/x', ready: false, serving: false }),
    ];
    assert.deepEqual(levels({ ...prefer('zone'), endpoints }, from({ region: 'eu', zone: 'a' })), ['1 5!', '2 3 4 7!']);
    // One level: nobody could help, so nobody needs to know.
    assert.deepEqual(levels({ endpoints }, inEast), ['1 2 3 4']);
    // A level without a ready endpoint is no level.
    const gone = endpoints.filter(({ address }) => !address.endsWith('.1'));
    assert.deepEqual(levels({ ...prefer('zone', 'region'), endpoints: gone }, from({ region: 'eu', zone: 'a' })), [
      '2',
      '3 4 7!',
    ]);
  });

  it('does not leave the place that traffic must stay in, nor takes the unknown for it', () => {
    const within = (given: Partial<Place>): Given => ({ policy: { within: place(given) } });
    assert.deepEqual(levels(within({ region: 'eu' }), inEast), ['1 2']);
    assert.deepEqual(levels(within({ region: 'us', zone: 'a' }), inEast), ['3']);
    assert.deepEqual(levels(within({ cluster: 'west' }), inEast), ['3 4']);
    assert.deepEqual(levels(within({ region: 'asia' }), inEast), []);
    assert.deepEqual(levels({ ...within({ region: 'eu' }), endpoints: [one('east', '9')] }, inEast), []);
    // Not those either that end there.
    const ending = [one('west', '8', { at: 'us/a', ready: false, terminating: true })];
    assert.deepEqual(levels({ ...within({ region: 'eu' }), endpoints: ending }, inEast), []);
  });
});

describe('the key of an assignment', () => {
  const near = prefer('node', 'zone', 'region', 'cluster', 'network');
  const id = (given: Given, scope: Scope): string => {
    const compiled = service(given);
    return assignmentId(assignmentKey(compiled, scope));
  };

  it('tells apart whatever a preference reads of the proxy', () => {
    const here = { region: 'eu', zone: 'a', node: 'n1' };
    const scopes = [
      from(here),
      from({ ...here, region: 'us' }),
      from({ ...here, zone: 'b' }),
      from({ ...here, node: 'n2' }),
      from(here, { cluster: 'west' }),
      from(here, { network: 'net-b' }),
    ];
    assert.equal(new Set(scopes.map((scope) => id(near, scope))).size, scopes.length);
    // And nothing else: without a preference all are one.
    assert.equal(new Set(scopes.map((scope) => id({}, scope))).size, 1);
    assert.equal(new Set(scopes.map((scope) => id(prefer('region'), scope))).size, 2);
  });
});

describe('shares by place', () => {
  const policy: ServicePolicy = {
    locality: {
      kind: 'shares',
      entries: [
        {
          from: place({ region: 'eu' }),
          to: [
            { place: place({ region: 'eu' }), weight: 80 },
            { place: place({ cluster: 'west', zone: 'a' }), weight: 20 },
          ],
        },
        { from: place({ cluster: 'west' }), to: [{ place: place({ cluster: 'west' }), weight: 1 }] },
      ],
    },
  };
  const weightOf = ({ load_balancing_weight: weight }: Group): number =>
    typeof weight === 'object' ? weight.value : (weight ?? 0);

  it('weigh localities by their places, and leave the rest for when these are lost', () => {
    const found = groups({ policy }, from({ region: 'eu' }));
    const said = found.map((group) => [
      group.priority ?? 0,
      group.locality?.region,
      group.locality?.zone,
      group.locality?.sub_zone,
      weightOf(group),
    ]);
    assert.deepEqual(said, [
      [0, 'eu', 'a', 'share-0', 4_000_000],
      [0, 'eu', 'b', 'share-0', 4_000_000],
      [0, 'us', 'a', 'share-1', 2_000_000],
      [1, 'us', 'c', undefined, 1],
    ]);
  });

  it('are those of the places that are left: a lost one counts for nothing', () => {
    const lost = four.map((each) => (each.address.endsWith('.3') ? { ...each, ready: false, serving: false } : each));
    assert.deepEqual(levels({ policy, endpoints: lost }, from({ region: 'eu' })), ['1 2', '4']);
    const half = [...four, one('east', '5', { at: 'eu/a', ready: false, serving: false })];
    const weights = groups({ policy, endpoints: half }, from({ region: 'eu' })).map(weightOf);
    assert.deepEqual(weights, [5_333_333, 2_666_667, 2_000_000, 1]);
  });

  it('count by the first entry that fits, and not at all where none does', () => {
    assert.deepEqual(levels({ policy }, { ...inEast, cluster: 'west' }), ['3 4', '1 2']);
    assert.deepEqual(levels({ policy }, from({ region: 'asia' })), ['1 2 3 4']);
  });

  it('are the same bytes for all that one entry fits', () => {
    const compiled = service({ policy });
    const id = (scope: Scope): string => assignmentId(assignmentKey(compiled, scope));
    assert.equal(id(from({ region: 'eu', zone: 'a' })), id(from({ region: 'eu', zone: 'b' }, { cluster: 'west' })));
    assert.notEqual(id(from({ region: 'eu' })), id(inEast));
  });
});

describe("Kubernetes' own words", () => {
  it('prefer the zone or the node, then the region', () => {
    const near = (trafficDistribution: ServiceShard['trafficDistribution']): Given => ({
      rule: false,
      kubernetes: trafficDistribution === undefined ? {} : { trafficDistribution },
    });
    const scope = from({ region: 'eu', zone: 'a', node: 'n2' });
    assert.deepEqual(levels(near('PreferSameZone'), scope), ['1', '2', '3 4']);
    assert.deepEqual(levels(near('PreferSameNode'), scope), ['2', '1', '3 4']);
    assert.deepEqual(levels(near(undefined), scope), ['1 2 3 4']);
  });

  it('keep traffic on the node, where that is known and no rule names places', () => {
    const local: Given = { kubernetes: { internalTrafficPolicy: 'Local' } };
    assert.deepEqual(levels({ ...local, rule: false }, from({ node: 'n1' })), ['1']);
    assert.deepEqual(levels({ ...local, rule: false }, from({ node: 'n9' })), []);
    assert.deepEqual(levels({ ...local, rule: false }, inEast), ['1 2 3 4']);
    assert.deepEqual(levels(local, from({ node: 'n1' })), ['1']);
    assert.deepEqual(levels({ ...local, chain: [toDestination({ cluster: 'west' })] }, from({ node: 'n1' })), ['3 4']);
    assert.deepEqual(levels({ ...local, ...prefer('cluster') }, from({ node: 'n1' })), ['1 2', '3 4']);
  });
});
