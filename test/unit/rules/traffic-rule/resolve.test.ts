import assert from 'node:assert/strict';
import type { CatalogService, Endpoint, ServiceShard } from '../../../../src/model/service.ts';
import { parseTrafficRule } from '../../../../src/rules/traffic-rule/parse.ts';
import { type Resolution, resolveRule } from '../../../../src/rules/traffic-rule/resolve.ts';
import { oneRoute, rawRule } from '../../../support/rules.ts';

/** The service reviews, with one endpoint for each version that a cluster is said to have. */
function reviews(clusters: Readonly<Record<string, readonly string[]>>): CatalogService {
  const shards = new Map<string, ServiceShard>();
  for (const [cluster, versions] of Object.entries(clusters)) {
    const endpoints = versions.map((version) => ({ version, cluster, ready: false }) as Endpoint);
    shards.set(cluster, {
      cluster,
      namespace: 'shop',
      name: 'reviews',
      createdAtMs: 0,
      headless: false,
      vips: [],
      ports: [],
      endpoints,
    });
  }
  return {
    key: 'shop/reviews',
    namespace: 'shop',
    name: 'reviews',
    createdAtMs: 0,
    headless: false,
    ports: [],
    shards,
    conflicts: [],
  };
}

function resolve(route: string, service: CatalogService | undefined, clusters = ['east', 'west', 'north']): Resolution {
  const { rule } = parseTrafficRule(rawRule(oneRoute(route)), { defaultNamespace: 'default' });
  assert.ok(rule);
  const targets = { service: () => service, clusters: new Set(clusters) };
  return resolveRule(rule, targets, (path) => ({ file: 'a.yaml', line: path.length, column: 1 }));
}

function codes(resolution: Resolution): string[] {
  return resolution.resolved ? [] : resolution.findings.map(({ code }) => code);
}

const service = reviews({ east: ['v1'], west: ['v2', 'v3', ''] });

describe('resolveRule', () => {
  it('finds targets that exist, ready or not', () => {
    const route =
      'backends: [{version: v3, cluster: west, fallback: [{version: v2}, {cluster: east}, {}]}, {version: v1}]';
    assert.deepEqual(resolve(route, service), { resolved: true });
  });

  it('misses the service, and still looks at the clusters', () => {
    const resolution = resolve('backends: [{version: v1, cluster: south}, {version: v2}]', undefined);
    assert.ok(!resolution.resolved);
    assert.equal(resolution.reason, 'ServiceNotFound');
    assert.equal(resolution.message, 'no cluster has the service shop/reviews; no cluster named south is registered');
    assert.deepEqual(codes(resolution), ['FW-RULE-050', 'FW-RULE-051']);
  });

  it('misses a cluster, and names the nearest', () => {
    const resolution = resolve('backends: [{cluster: weast}]', service);
    assert.ok(!resolution.resolved);
    assert.equal(resolution.reason, 'ClusterNotFound');
    assert.match(resolution.findings[0]?.hint ?? '', /Did you mean `(east|west)`/);
    assert.deepEqual(resolution.findings[0]?.where, {
      file: 'a.yaml',
      line: 3,
      column: 1,
      object: 'TrafficRule shop/reviews',
      field: 'spec.routes[0]',
    });
    assert.equal(resolution.findings[0]?.severity, 'warning');
  });

  it('misses the service in a cluster', () => {
    const resolution = resolve('backends: [{cluster: north, version: v9}]', service);
    assert.ok(!resolution.resolved);
    assert.equal(resolution.reason, 'BackendNotFound');
    assert.equal(resolution.message, 'cluster north does not have the service shop/reviews');
  });

  it('looks at mirrors too', () => {
    assert.deepEqual(codes(resolve('backends: [{}], mirrors: [{version: v9}, {cluster: south}]', service)), [
      'FW-RULE-053',
      'FW-RULE-051',
    ]);
  });

  it('misses a version, and says where it is', () => {
    const nowhere = resolve('backends: [{version: v9}]', service);
    assert.ok(!nowhere.resolved);
    assert.equal(nowhere.reason, 'VersionNotFound');
    assert.match(nowhere.findings[0]?.hint ?? '', /there are v1, v2, v3/);
    const elsewhere = resolve('backends: [{version: v1, cluster: west}]', service);
    assert.ok(!elsewhere.resolved);
    assert.equal(elsewhere.message, 'no endpoint of shop/reviews in cluster west has version v1');
    assert.match(elsewhere.findings[0]?.hint ?? '', /east has it/);
  });

  it('lists every missing target once, and gives the gravest reason', () => {
    const route = 'backends: [{version: v9, fallback: [{cluster: south}]}, {version: v8, fallback: [{version: v9}]}]';
    const resolution = resolve(route, service);
    assert.ok(!resolution.resolved);
    assert.equal(resolution.reason, 'ClusterNotFound');
    assert.deepEqual(codes(resolution), ['FW-RULE-053', 'FW-RULE-051', 'FW-RULE-053']);
  });
});
