/** What a request to a host meets, read back out of a scope's resources. */

import assert from 'node:assert/strict';
import { requestPath } from '../../../src/envoy/request-path.ts';
import { ScopeResources } from '../../../src/envoy/scope-resources.ts';
import type { RequestPath } from '../../../src/model/inspection.ts';
import type { Scope } from '../../../src/model/mesh.ts';
import { parseMeshFixture } from '../../support/mesh-fixture.ts';

const text = `
scope: {cluster: east, namespace: shop, mode: captured}
services:
- name: reviews
  clusters:
    east: {vips: [10.96.0.1], ports: ['80:http'], endpoints: [{address: 10.0.0.1, version: v1}, {address: 10.0.0.2, version: v2}]}
- name: redis
  clusters:
    east: {vips: [10.96.0.2], ports: ['6379:tcp'], endpoints: [{address: 10.0.0.3}]}
rules:
- apiVersion: fairway.dev/v1alpha1
  kind: TrafficRule
  metadata: {name: reviews, namespace: shop}
  spec:
    service: reviews
    routes:
    - {name: a, matches: [{path: {prefix: /api}, method: GET, headers: [{name: x-user, value: a}], queryParams: [{name: q, regex: 'b+'}]}], backends: [{version: v2}]}
    - {name: b, matches: [{path: {exact: /old}}], redirect: {hostname: new.shop}}
    - {name: c, matches: [{path: {exact: /no}}], respond: {status: 403}}
    - {name: d, backends: [{version: v1, weight: 3}, {version: v2, weight: 1}]}
externals:
- apiVersion: fairway.dev/v1alpha1
  kind: ExternalService
  metadata: {name: outside, namespace: shop}
  spec: {hosts: ['*.example.com', api.example.com], ports: [{number: 80, protocol: http}, {number: 443, protocol: tls}], resolution: static, endpoints: [{address: 192.0.2.1}]}
`;

function pathOf(
  host: string,
  port: number,
  addresses: readonly string[] = [],
  scope: Partial<Scope> = {},
): RequestPath {
  const fixture = parseMeshFixture(text);
  const own = { ...fixture.scope, ...scope };
  const resources = new ScopeResources(own);
  resources.update(fixture.mesh, 'all');
  const held = {
    scope: own,
    resources: (url: string) => resources.resources(url),
    hostsOfTable: (table: string) => resources.hostsOfTable(table),
  };
  return requestPath(held, { host, port, addresses });
}

const hostOf = ({ ways }: RequestPath): string | undefined => ways[0]?.virtualHost?.name;

describe('the path of a request', () => {
  it('of a client without a proxy goes by its target’s name', () => {
    const { listener, ways, clusters } = pathOf('reviews.shop', 80, [], { mode: 'grpc' });
    assert.equal(listener, 'reviews.shop:80');
    assert.deepEqual(
      ways.map(({ traffic, table, routes }) => [
        traffic,
        table,
        routes.map(({ name, action, rule }) => [name, action, rule]),
      ]),
      [
        [
          'gRPC',
          'reviews.shop.svc.cluster.local:80',
          [
            ['b', 'answer gRPC status 2', 'shop/reviews'],
            ['c', 'answer gRPC status 7', 'shop/reviews'],
            ['d', 'forward', 'shop/reviews'],
          ],
        ],
      ],
    );
    assert.equal(clusters.length, 2);
    assert.deepEqual(pathOf('nobody.shop', 80, [], { mode: 'grpc' }).ways, []);
  });

  for (const routes of ['tables', 'vhds', 'on-demand'] as const) {
    it(`is the same whichever way hosts go out (${routes})`, () => {
      const path = pathOf('reviews', 80, ['10.96.0.1'], { routes });
      assert.equal(path.listener, '0.0.0.0_80');
      assert.equal(hostOf(path), 'reviews.shop.svc.cluster.local');
      assert.deepEqual(
        path.ways[0]?.routes.map(({ name, match, action, clusters }) => [
          name,
          match,
          action,
          clusters.map(({ percent }) => percent),
        ]),
        [
          ['a', 'path prefix /api, method GET, header x-user = a, query q ~ b+', 'forward', [100]],
          ['b', 'path /old', 'redirect to host new.shop', []],
          ['c', 'path /no', 'answer 403', []],
          ['d', '', 'forward', [75, 25]],
        ],
      );
      assert.deepEqual(
        path.ways.map(({ traffic }) => traffic),
        ['HTTP', 'Anything else'],
      );
      assert.deepEqual(
        path.clusters.map(({ type, endpoints }) => [type, endpoints.map(({ address }) => address)]),
        [
          ['EDS', ['10.0.0.2']],
          ['EDS', ['10.0.0.1']],
          ['ORIGINAL_DST', []],
        ],
      );
    });
  }

  it('goes by the most exact domain', () => {
    assert.match(hostOf(pathOf('api.example.com', 80)) ?? '', /^api\.example\.com/);
    assert.match(hostOf(pathOf('other.example.com', 80)) ?? '', /^\*\.example\.com/);
    const unknown = pathOf('nobody.test', 80);
    assert.equal(unknown.ways[0]?.virtualHost?.isCatchAll, true);
    assert.deepEqual(
      unknown.clusters.map(({ name, type }) => [name, type]),
      [['PassthroughCluster', 'ORIGINAL_DST']],
    );
  });

  it('goes by the address of a TCP service, and by the server name of TLS', () => {
    const redis = pathOf('redis.shop', 6379, ['10.96.0.2']);
    assert.equal(redis.listener, '10.96.0.2_6379');
    assert.deepEqual(
      redis.ways.map(({ traffic, routes }) => [traffic, routes[0]?.clusters[0]?.name]),
      [['TCP', 'outbound|6379||redis.shop.svc.cluster.local']],
    );
    const tls = pathOf('api.example.com', 443);
    assert.equal(tls.ways[0]?.traffic, 'TLS for api.example.com');
    assert.match(tls.ways[0]?.routes[0]?.clusters[0]?.name ?? '', /api\.example\.com$/);
    assert.equal(pathOf('redis.shop', 1).listener, 'virtualOutbound');
  });

  it('needs the port in explicit mode, but for port 80', () => {
    const explicit = { mode: 'explicit' } as const;
    assert.equal(hostOf(pathOf('reviews.shop', 80, [], explicit)), 'reviews.shop.svc.cluster.local:80');
    assert.equal(pathOf('reviews.shop', 81, [], explicit).ways[0]?.virtualHost?.isCatchAll, true);
    assert.equal(pathOf('redis.shop', 6379, [], explicit).ways[0]?.routes[1]?.action, 'answer 502');
  });
});
