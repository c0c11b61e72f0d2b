/** Expected shares of requests, worked out by hand. */

import assert from 'node:assert/strict';
import { expectedShares, routesFor } from '../../../src/preview/shares.ts';
import { parseMeshFixture } from '../../support/mesh-fixture.ts';

interface Case {
  readonly endpoints: Readonly<Record<string, readonly string[]>>;
  readonly spec?: string;
  readonly scope?: string;
  readonly traffic?: string;
  readonly ports?: string;
}

/** `endpoints`: by cluster, each as `version`, `version/zone`, and `!` behind it if it is not ready. Shares in per cent with one digit. */
function sharesOf(
  { endpoints, spec, scope = 'cluster: east', traffic = '{}', ports = '80:http' }: Case,
  route = 0,
): string[] {
  let address = 0;
  const clusters = Object.entries(endpoints).map(([cluster, list]) => {
    const items = list.map((text) => {
      address += 1;
      const [version = '', zone = ''] = text.replace('!', '').split('/');
      const state = text.endsWith('!') ? 'unready' : 'ready';
      return `{address: 10.0.0.${address}, version: ${version}, region: eu, zone: '${zone}', state: ${state}}`;
    });
    return `    ${cluster}: {ports: ['${ports}'], traffic: ${traffic}, endpoints: [${items.join(', ')}]}`;
  });
  const rule =
    spec === undefined
      ? ''
      : `rules:\n- {apiVersion: fairway.dev/v1alpha1, kind: TrafficRule, metadata: {name: reviews, namespace: shop}, spec: {service: reviews, ${spec}}}\n`;
  const text = `scope: {${scope}}\nservices:\n- name: reviews\n  clusters:\n${clusters.join('\n')}\n${rule}`;
  const fixture = parseMeshFixture(text);
  const service = fixture.mesh.services.get('shop/reviews');
  assert(service !== undefined);
  const [port] = service.catalog.ports;
  assert(port !== undefined);
  const found = routesFor(service, port, fixture.mesh.settings, fixture.scope)[route];
  assert(found !== undefined);
  const { shares, unserved } = expectedShares(service, found, port, fixture.scope);
  const percent = (share: number): string => (share * 100).toFixed(1);
  return [
    ...shares.map(
      ({ version, cluster, zone, share }) => `${version}.${cluster}${zone === '' ? '' : `@${zone}`} ${percent(share)}`,
    ),
    ...unserved.map(({ reason, share }) => `${reason} ${percent(share)}`),
  ];
}

describe('expected shares', () => {
  it('without a rule, go by the number of ready endpoints', () => {
    assert.deepEqual(sharesOf({ endpoints: { east: ['v1', 'v1!', 'v2'], west: ['v2', 'v2'] } }), [
      'v1.east 25.0',
      'v2.east 25.0',
      'v2.west 50.0',
    ]);
  });

  it('follow weights, and within a backend its endpoints', () => {
    const spec = 'routes: [{backends: [{version: v1, weight: 90}, {version: v2, weight: 10}]}]';
    assert.deepEqual(sharesOf({ endpoints: { east: ['v1', 'v2'], west: ['v2', 'v2', 'v2'] }, spec }), [
      'v1.east 90.0',
      'v2.east 2.5',
      'v2.west 7.5',
    ]);
  });

  it('spill over to the fallback as a level loses endpoints', () => {
    const spec = 'routes: [{backends: [{version: v2, cluster: west, fallback: [{version: v2}]}]}]';
    const east = ['v2'];
    assert.deepEqual(sharesOf({ endpoints: { east, west: ['v2', 'v2', 'v2', 'v2!'] }, spec }), ['v2.west 100.0']);
    // Half are ready: 1.4 × 50 % stays.
    assert.deepEqual(sharesOf({ endpoints: { east, west: ['v2', 'v2!'] }, spec }), ['v2.east 30.0', 'v2.west 70.0']);
    assert.deepEqual(sharesOf({ endpoints: { east, west: ['v2!', 'v2!'] }, spec }), ['v2.east 100.0']);
  });

  it('say what no endpoint takes', () => {
    const spec = 'routes: [{backends: [{version: v1, weight: 1}, {version: v9, weight: 3}]}]';
    assert.deepEqual(sharesOf({ endpoints: { east: ['v1'] }, spec }), ['v1.east 25.0', 'no-endpoints 75.0']);
    assert.deepEqual(sharesOf({ endpoints: { east: ['v1'] }, spec: 'within: {cluster: west}' }), [
      'nothing-within 100.0',
    ]);
    const answers = 'routes: [{respond: {status: 404}}]';
    assert.deepEqual(sharesOf({ endpoints: { east: ['v1'] }, spec: answers }), ['answered-by-proxy 100.0']);
  });

  it('see the proxy’s place', () => {
    const endpoints = { east: ['v1/a', 'v1/b'], west: ['v1/c'] };
    const traffic = '{trafficDistribution: PreferSameZone}';
    const answers = (zone: string): string =>
      `cluster: east, answers: {region: eu, zone: ${zone}, node: '', selectors: []}`;
    assert.deepEqual(sharesOf({ endpoints, traffic, scope: answers('a') }), ['v1.east@a 100.0']);
    // Half of its zone is lost: the rest of its region helps.
    const half = { east: ['v1/a', 'v1/a!', 'v1/b'], west: ['v1/c'] };
    assert.deepEqual(sharesOf({ endpoints: half, traffic, scope: answers('a') }), [
      'v1.east@a 70.0',
      'v1.east@b 15.0',
      'v1.west@c 15.0',
    ]);
  });

  it('follow shares by locality, whatever the number of endpoints', () => {
    const spec = 'locality: {shares: [{from: {cluster: east}, to: [{zone: a, weight: 80}, {zone: b, weight: 20}]}]}';
    assert.deepEqual(sharesOf({ endpoints: { east: ['v1/a', 'v1/b', 'v1/b', 'v1/b'], west: ['v1/c'] }, spec }), [
      'v1.east@a 80.0',
      'v1.east@b 20.0',
    ]);
  });

  it('of a plain connection are those of the first route that takes everything', () => {
    const spec = 'routes: [{matches: [{path: {exact: /a}}], backends: [{version: v1}]}, {backends: [{version: v2}]}]';
    const endpoints = { east: ['v1', 'v2'] };
    assert.deepEqual(sharesOf({ endpoints, spec, ports: '6379:tcp' }), ['v2.east 100.0']);
    assert.deepEqual(sharesOf({ endpoints, spec }), ['v1.east 100.0']);
    assert.deepEqual(sharesOf({ endpoints, spec }, 1), ['v2.east 100.0']);
  });
});
