/** Who is in force for a service, and what is said of the others: hosts, ages, namespaces, delegates, subsets, kinds. */

import assert from 'node:assert/strict';
import { convertIstio } from '../../../src/istio/convert.ts';
import { rawObject } from '../../support/rules.ts';
import { codes, convert, istioObject, routes, specOf, toReviews } from './istio-objects.ts';

const old = { creationTimestamp: '2020-01-01T00:00:00Z' };
const young = { creationTimestamp: '2021-01-01T00:00:00Z' };
const to = (version: string): string =>
  `{route: [{destination: {host: reviews.shop.svc.cluster.local, subset: ${version}}}]}`;
const vs = (name: string, spec: string, metadata = {}): unknown => istioObject('VirtualService', name, spec, metadata);

function backends(conversion: ReturnType<typeof convert>): unknown {
  const found = specOf(conversion)['routes'] as readonly { backends?: unknown }[];
  return found.map((route) => route.backends);
}

describe("Istio's objects for one service", () => {
  it('makes a rule for each host, in the namespace of its service', () => {
    const { objects } = convert(vs('both', `{hosts: [reviews, ratings.web.svc.cluster.local], http: [${to('v1')}]}`));
    assert.deepEqual(
      objects.map(({ object }) => object['metadata']),
      [
        { name: 'both-reviews', namespace: 'shop' },
        { name: 'both-ratings', namespace: 'web' },
      ],
    );
  });

  it('says which hosts no rule can be for', () => {
    const conversion = convert(
      vs(
        'odd',
        `{hosts: ["*", "*.shop.svc.cluster.local", db-0.db.shop.svc.cluster.local, api.example.com, reviews.shop], http: [${to('v1')}]}`,
      ),
    );
    assert.deepEqual(conversion.objects, []);
    assert.deepEqual(
      codes(conversion),
      [0, 1, 2, 3, 4].map((i) => `error FW-ISTIO-006 spec.hosts[${i}]`),
    );
    assert.match(conversion.findings[4]?.hint ?? '', /reviews\.shop\.svc\.cluster\.local/);
  });

  it('goes by the oldest, then by name, and says so', () => {
    const conversion = convert(
      vs('b', `{hosts: [reviews], http: [${to('v2')}]}`, young),
      vs('c', `{hosts: [reviews], http: [${to('v3')}]}`, old),
      vs('a', `{hosts: [reviews.shop.svc.cluster.local], http: [${to('v1')}]}`, { ...old, namespace: 'web' }),
    );
    assert.deepEqual(backends(conversion), [[{ version: 'v1' }]]);
    assert.deepEqual(
      conversion.outcomes.map(({ outcome }) => outcome),
      ['refused', 'refused', 'changed'],
    );
  });

  it('puts what is for some namespaces first, and closes it', () => {
    const conversion = convert(
      vs('all', `{hosts: [reviews], http: [${to('v1')}]}`),
      vs(
        'some',
        `{hosts: [reviews.shop.svc.cluster.local], exportTo: [".", front], http: [{match: [{uri: {exact: /a}}, {sourceNamespace: other}], ${to('v2').slice(1)}]}`,
        { namespace: 'web' },
      ),
    );
    const from = (namespace: string, more = {}): object => ({ ...more, source: { namespace } });
    assert.deepEqual(
      (specOf(conversion)['routes'] as readonly { matches?: unknown; respond?: unknown }[])
        .map(({ matches, respond }) => [matches, respond])
        .slice(0, 2),
      [
        [[from('web', { path: { exact: '/a' } })], undefined],
        [[from('web')], { status: 404 }],
      ],
    );
    const last = (specOf(conversion)['routes'] as readonly unknown[]).at(-1);
    assert.deepEqual(last, { takes: 'requests', backends: [{ version: 'v1' }] });
  });

  it('gives no routes at all where one of them cannot be said', () => {
    const conversion = convert(
      routes(`{match: [{uri: {exact: /a}}], ${toReviews}}`, '{route: [{destination: {host: api.example.com}}]}'),
    );
    assert.deepEqual(conversion.objects, []);
    assert.deepEqual(codes(conversion), ['error FW-ISTIO-005 spec.http[1].route[0].destination.host']);
  });

  it('says where the outcome is no rule', () => {
    const many = Array.from({ length: 40 }, (_, i) => `{match: [{uri: {exact: /${i}}}], ${toReviews}}`);
    const conversion = convert(routes(...many));
    assert.deepEqual(conversion.objects, []);
    assert.deepEqual(codes(conversion), ['error FW-ISTIO-017 spec.http[0]']);
  });

  it('is not kept busy by objects that no rule could hold', () => {
    const matches = Array.from({ length: 2000 }, (_, i) => `{uri: {prefix: /${i}}}`).join(', ');
    const conversion = convert(
      vs('root', `{hosts: [reviews], http: [{match: [${matches}], delegate: {name: team}}]}`),
      vs('team', `{http: [{match: [${matches}], ${to('v1').slice(1)}]}`),
      vs('many', `{hosts: [${Array.from({ length: 1000 }, (_, i) => `s${i}`).join(', ')}], http: [${to('v1')}]}`),
      vs(
        'wide',
        `{hosts: [wide], exportTo: [${Array.from({ length: 3000 }, (_, i) => `n${i}`).join(', ')}], http: [${to('v1')}]}`,
      ),
      vs('long', `{hosts: [long], http: [${Array.from({ length: 3000 }, () => to('v1')).join(', ')}]}`),
    );
    assert.equal(conversion.objects.length, 128);
    const told = codes(conversion).filter((line) => line.startsWith('error'));
    assert.deepEqual(told, [
      'error FW-ISTIO-017 spec.http[0]',
      'error FW-ISTIO-006 spec.hosts[128]',
      'error FW-ISTIO-017 spec.http[0]',
      'error FW-ISTIO-017 spec.http',
    ]);
  });

  it('ends quickly on what is for gateways alone, is nobody’s, or is of another kind', () => {
    const conversion = convert(
      vs('outer', `{hosts: [reviews], gateways: [gw], http: [${to('v1')}]}`),
      vs('nobody', `{http: [${to('v1')}]}`),
      { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: { name: 'gw' }, spec: {} },
      { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', metadata: { name: 'p' }, spec: {} },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } },
    );
    assert.deepEqual(conversion.objects, []);
    assert.deepEqual(
      codes(conversion).map((line) => line.split(' ')[1]),
      ['FW-ISTIO-007', 'FW-ISTIO-021', 'FW-ISTIO-018', 'FW-ISTIO-022', 'FW-ISTIO-022'],
    );
    assert.equal(conversion.others, 1);
    assert.equal(conversion.outcomes.length, 4);
  });

  it('leaves the host that a gateway serves to the gateway, as generated objects name it beside the service', () => {
    const both = (hosts: string, gateways: string): unknown =>
      vs('podinfo', `{hosts: [${hosts}], gateways: [${gateways}], http: [{${toReviews}}]}`);
    const conversion = convert(both('app.example.com, reviews', 'istio-system/public, mesh'));
    assert.deepEqual(codes(conversion), [
      'warning FW-ISTIO-007 spec.gateways[0]',
      'warning FW-ISTIO-007 spec.hosts[0]',
    ]);
    assert.equal(conversion.objects.length, 1);
    assert.equal(conversion.outcomes[0]?.outcome, 'changed');
    for (const [hosts, gateways] of [
      ['app.example.com, reviews', 'mesh'],
      ['reviews.shp, reviews', 'public, mesh'],
      ['"*", reviews', 'public, mesh'],
    ] as const)
      assert.ok(codes(convert(both(hosts, gateways))).includes('error FW-ISTIO-006 spec.hosts[0]'), hosts);
  });

  it('tells unknown fields, wrong types and objects that are no objects', () => {
    const conversion = convert(
      vs('a', `{hosts: [reviews], htpp: [], http: [{match: [{uri: {prefx: /a}}], ${toReviews}}]}`),
      vs('b', '{hosts: [ratings], http: {route: []}}'),
      { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'c' } },
      { apiVersion: 'networking.istio.io/v7', kind: 'VirtualService', metadata: { name: 'd' }, spec: {} },
    );
    assert.deepEqual(codes(conversion), [
      'warning FW-ISTIO-001 spec.htpp',
      'warning FW-ISTIO-001 spec.http[0].match[0].uri.prefx',
      'error FW-ISTIO-003 spec.http',
      'error FW-RULE-008 spec',
      'error FW-RULE-003 apiVersion',
    ]);
    assert.match(conversion.findings[0]?.hint ?? '', /http/);
  });

  it('takes the first of two copies', () => {
    const conversion = convert(
      vs('a', `{hosts: [reviews], http: [${to('v1')}]}`),
      vs('a', `{hosts: [reviews], http: [${to('v2')}]}`),
    );
    assert.deepEqual(backends(conversion), [[{ version: 'v1' }]]);
    assert.deepEqual(
      conversion.outcomes.map(({ outcome }) => outcome),
      ['changed', 'refused'],
    );
    assert.deepEqual(codes(conversion).at(-1), 'error FW-ISTIO-023 ');
  });

  it('names the file and the line', () => {
    const object = istioObject('VirtualService', 'reviews', '{hosts: ["*"]}');
    const raw = { ...rawObject(object), where: () => ({ file: 'a.yaml', line: 7, column: 3 }) };
    const { findings } = convertIstio([raw], { defaultNamespace: 'shop', clusterDomain: 'cluster.local' });
    assert.deepEqual(findings[0]?.where, {
      file: 'a.yaml',
      line: 7,
      column: 3,
      object: 'VirtualService shop/reviews',
      field: 'spec.hosts[0]',
    });
  });

  it('knows another cluster domain', () => {
    const raw = rawObject(
      vs('a', `{hosts: [reviews.shop.svc.mesh.local], http: [{route: [{destination: {host: reviews}}]}]}`),
    );
    const { objects } = convertIstio([raw], { defaultNamespace: 'x', clusterDomain: 'mesh.local' });
    assert.equal(objects.length, 1);
  });
});

describe('delegates', () => {
  const root = (http: string): unknown => vs('root', `{hosts: [reviews], http: [${http}]}`);

  it('take what the root says and they do not, and stand in its place', () => {
    const conversion = convert(
      root(
        `{name: team, match: [{uri: {prefix: /t}, headers: {x-a: {exact: a}}}], timeout: 5s, delegate: {name: team, namespace: crew}}, ${to('v1')}`,
      ),
      vs(
        'team',
        `{http: [{name: one, match: [{uri: {prefix: /t/1}}], ${to('v2').slice(1)}, {timeout: 1s, ${to('v3').slice(1)}]}`,
        { namespace: 'crew' },
      ),
    );
    assert.deepEqual(specOf(conversion)['routes'], [
      {
        name: 'team-one',
        matches: [{ path: { startsWith: '/t/1' }, headers: [{ name: 'x-a', value: 'a' }] }],
        backends: [{ version: 'v2' }],
        timeouts: { request: '5s' },
      },
      {
        name: 'team',
        matches: [{ path: { startsWith: '/t' }, headers: [{ name: 'x-a', value: 'a' }] }],
        backends: [{ version: 'v3' }],
        timeouts: { request: '1s' },
      },
      { takes: 'requests', backends: [{ version: 'v1' }] },
    ]);
  });

  it('may be missing, have hosts, hide, delegate themselves or contradict: their own routes are left out', () => {
    const delegate = (name: string): string => `{match: [{uri: {prefix: /${name}}}], delegate: {name: ${name}}}`;
    const conversion = convert(
      root([...['gone', 'hosted', 'hidden', 'nested', 'other'].map(delegate), to('v1')].join(', ')),
      vs('hosted', `{hosts: [ratings], http: [${to('v2')}]}`),
      vs('hidden', `{exportTo: [web], http: [${to('v2')}]}`),
      vs('nested', '{http: [{delegate: {name: nested}}]}'),
      vs('other', `{http: [{match: [{uri: {prefix: /else}}], ${to('v2').slice(1)}]}`),
    );
    const rule = conversion.objects.find(({ from }) => from[0] === 'VirtualService shop/root');
    assert.ok(rule !== undefined);
    const { routes: left } = rule.object['spec'] as { routes: unknown };
    assert.deepEqual(left, [{ takes: 'requests', backends: [{ version: 'v1' }] }]);
    const told = codes(conversion).filter((line) => !/FW-ISTIO-0(12|20)/.test(line));
    assert.deepEqual(told, [
      'warning FW-ISTIO-009 spec.http[0].delegate',
      'warning FW-ISTIO-009 spec.http[1].delegate',
      'warning FW-ISTIO-009 spec.http[2].delegate',
      'warning FW-ISTIO-010 spec.http[0].delegate',
      'warning FW-ISTIO-011 spec.http[0]',
    ]);
  });
});

describe('subsets', () => {
  const rule = (subsets: string, name = 'r', metadata = {}): unknown =>
    istioObject('DestinationRule', name, `{host: reviews.shop.svc.cluster.local, subsets: [${subsets}]}`, metadata);
  const toA = routes('{route: [{destination: {host: reviews, subset: a}}]}');

  it('are versions and places', () => {
    const labels =
      '{app.kubernetes.io/version: v7, topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: eu-1, topology.istio.io/cluster: west}';
    assert.deepEqual(backends(convert(toA, rule(`{name: a, labels: ${labels}}`))), [
      [{ version: 'v7', cluster: 'west', region: 'eu', zone: 'eu-1' }],
    ]);
    assert.deepEqual(backends(convert(toA, rule('{name: a}'))), [[{}]]);
  });

  it('say what of their labels is not looked at, and are refused where nothing is left', () => {
    const more = convert(toA, rule('{name: a, labels: {version: v1, app: reviews}}'));
    assert.deepEqual(
      [backends(more), codes(more)],
      [[[{ version: 'v1' }]], ['warning FW-ISTIO-014 spec.subsets[0].labels']],
    );
    const none = convert(toA, rule('{name: a, labels: {track: canary}}'));
    assert.deepEqual(none.objects, []);
    assert.deepEqual(codes(none), [
      'error FW-ISTIO-013 spec.http[0].route[0].destination.subset',
      'warning FW-ISTIO-013 spec.subsets[0].labels',
    ]);
  });

  it('come from all rules for the host, the own namespace first', () => {
    const conversion = convert(
      toA,
      rule('{name: a, labels: {version: v9}}', 'far', { ...old, namespace: 'web' }),
      rule('{name: a, labels: {version: v1}}', 'near', young),
    );
    assert.deepEqual(backends(conversion), [[{ version: 'v1' }]]);
    assert.deepEqual(codes(conversion), ['warning FW-ISTIO-016 spec.subsets[0]']);
  });
});
