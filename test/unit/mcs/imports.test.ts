import assert from 'node:assert/strict';
import { clusterIds } from '../../../src/mcs/cluster-ids.ts';
import { type ClustersetService, clustersetService } from '../../../src/mcs/clusterset.ts';
import { exportFindings } from '../../../src/mcs/findings.ts';
import { type DesiredImport, desiredImport } from '../../../src/mcs/imports.ts';
import { sliceEndpointsMax, slicesFrom } from '../../../src/mcs/slices.ts';
import type { Endpoint, ServiceShard } from '../../../src/model/service.ts';
import { exportedShard, exportMs, testExport } from '../../support/exports.ts';
import { testEndpoint, testShard } from '../../support/shards.ts';

function merged(...shards: ServiceShard[]): ClustersetService {
  const service = clustersetService(shards);
  assert.ok(service !== undefined);
  return service;
}

const ids = new Map([
  ['east', 'east'],
  ['west', 'id-of-west'],
]);
const into = (cluster: string, ...shards: ServiceShard[]): DesiredImport =>
  desiredImport(merged(...shards), cluster, ids);

describe('mcs: imports', () => {
  it('are what the standard asks for, with a derived Service that kube-proxy serves', () => {
    const { spec, clusters, derived, slices, labels } = into(
      'east',
      exportedShard('west', 1, {}, { labels: { tier: 'gold' }, appProtocols: ['kubernetes.io/h2c'] }),
      exportedShard('east', 2, {}, { labels: { tier: 'gold' }, appProtocols: ['kubernetes.io/h2c'] }),
    );
    assert.deepEqual(spec, {
      type: 'ClusterSetIP',
      ports: [{ name: 'http', protocol: 'TCP', appProtocol: 'kubernetes.io/h2c', port: 80 }],
      sessionAffinity: 'None',
    });
    assert.deepEqual(clusters, ['east', 'id-of-west']);
    assert.equal(labels['tier'], 'gold');
    assert.equal(derived?.labels['fairway.dev/service-import'], 'reviews');
    assert.deepEqual(derived.spec['ipFamilies'], ['IPv4']);
    assert.equal('selector' in derived.spec, false);
    for (const slice of slices) {
      assert.equal(slice.labels['kubernetes.io/service-name'], derived.name);
      assert.equal(slice.labels['multicluster.kubernetes.io/service-name'], 'reviews');
      assert.equal(slice.labels['endpointslice.kubernetes.io/managed-by'], 'fairway-mcs');
    }
    assert.deepEqual(slices.map((slice) => slice.labels['multicluster.kubernetes.io/source-cluster']).sort(), [
      'east',
      'id-of-west',
    ]);
  });

  it('have no Service and no virtual IP where they are headless, and keep the hosts’ names', () => {
    const endpoints = [testEndpoint('west', '10.1.0.1', { hostname: 'db-0', node: 'n1' })];
    const { spec, derived, slices, ipFamilies } = into('east', exportedShard('west', 1, { headless: true, endpoints }));
    assert.equal(spec['type'], 'Headless');
    assert.equal(derived, undefined);
    assert.deepEqual(ipFamilies, ['IPv4']);
    assert.deepEqual(slices[0]?.endpoints, [
      {
        addresses: ['10.1.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: 'db-0',
      },
    ]);
    assert.equal(slices[0]?.labels['kubernetes.io/service-name'], undefined);
  });

  it('name a node only in its own cluster', () => {
    const endpoints = [testEndpoint('west', '10.1.0.1', { node: 'n1' })];
    const shard = exportedShard('west', 1, { endpoints });
    assert.equal(into('west', shard).slices[0]?.endpoints[0]?.nodeName, 'n1');
    assert.equal(into('east', shard).slices[0]?.endpoints[0]?.nodeName, undefined);
  });

  it('hint endpoints to their zones where the service asks for it, and to nodes in their own cluster alone', () => {
    const at = (region: string, zone: string, ready = true): Partial<Endpoint> => ({
      locality: { region, zone, subzone: '' },
      node: `n-${zone}`,
      ready,
    });
    const shard = (distribution: string | undefined, ...places: readonly Partial<Endpoint>[]): ServiceShard =>
      exportedShard(
        'west',
        1,
        { endpoints: places.map((place, index) => testEndpoint('west', `10.1.0.${index}`, place)) },
        distribution === undefined ? {} : { trafficDistribution: distribution },
      );
    const hints = (cluster: string, ...shards: ServiceShard[]): unknown[] =>
      into(cluster, ...shards).slices.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.hints));
    const places = [at('eu', 'a'), at('eu', 'b', false), at('eu', '')];
    const zoneA = { forZones: [{ name: 'a' }] };
    assert.deepEqual(hints('east', shard(undefined, ...places)), [undefined, undefined, undefined]);
    assert.deepEqual(hints('east', shard('PreferClose', ...places)), [zoneA, undefined, undefined]);
    assert.deepEqual(hints('west', shard('PreferSameZone', ...places)), [zoneA, undefined, undefined]);
    assert.deepEqual(hints('east', shard('PreferSameNode', ...places)), [zoneA, undefined, undefined]);
    assert.deepEqual(hints('west', shard('PreferSameNode', at('eu', 'a'))), [
      { ...zoneA, forNodes: [{ name: 'n-a' }] },
    ]);
    // kube-proxy would take one zone for the other.
    const both = shard('PreferClose', at('eu', 'a'), at('us', 'a'));
    assert.deepEqual(hints('east', both), [undefined, undefined]);
    const codes = exportFindings([both], ['west'], () => true, exportMs(5)).map(({ code }) => code);
    assert.deepEqual(codes, ['FW-MCS-017']);
  });

  it('leave a port’s traffic to those who expose it', () => {
    const east = exportedShard('east', 1, { ports: [{ name: 'http', port: 42, transport: 'TCP', protocol: 'http' }] });
    const west = exportedShard('west', 2, { ports: [{ name: 'http', port: 43, transport: 'TCP', protocol: 'http' }] });
    assert.deepEqual(
      into('east', east, west).slices.map((slice) => slice.labels['multicluster.kubernetes.io/source-cluster']),
      ['east'],
    );
  });

  it('carry both addresses of dual-stack workloads, each in slices of its family', () => {
    const otherFamily = [testEndpoint('west', 'fd00::1')];
    const { slices, derived } = into(
      'east',
      exportedShard('west', 1, {}, { ipFamilies: ['IPv4', 'IPv6'], otherFamily }),
    );
    assert.deepEqual(slices.map(({ addressType }) => addressType).sort(), ['IPv4', 'IPv6']);
    assert.equal(derived?.spec['ipFamilyPolicy'], 'PreferDualStack');
  });
});

describe('mcs: imported slices', () => {
  const many = (count: number): ServiceShard =>
    testShard(
      'west',
      'reviews',
      Array.from({ length: count }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
      { export: testExport(1) },
    );
  const of = (shard: ServiceShard): ReturnType<typeof slicesFrom> => slicesFrom(merged(shard), 'west', 'west', false);

  it('hold all endpoints once, and no more than a slice may', () => {
    for (const count of [0, 1, 100, 101, 5_000]) {
      const { slices, dropped } = of(many(count));
      const addresses = slices.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.addresses[0]));
      assert.equal(new Set(addresses).size, count);
      assert.equal(addresses.length, count);
      assert.equal(dropped, 0);
      assert.ok(slices.every(({ endpoints }) => endpoints.length <= sliceEndpointsMax));
      assert.equal(new Set(slices.map(({ name }) => name)).size, slices.length);
    }
    assert.equal(of(many(10_050)).dropped, 50);
  });

  it('stay as they are but for one when an endpoint goes', () => {
    const before = of(many(3_000)).slices;
    const shard = many(3_000);
    const after = of({ ...shard, endpoints: shard.endpoints.toSpliced(1_234, 1) }).slices;
    const changed = before.filter((slice, index) => JSON.stringify(slice) !== JSON.stringify(after[index]));
    assert.equal(changed.length, 1);
  });

  it('have names that an API takes, however long the parts are', () => {
    const name = 'a'.repeat(63);
    const shard = testShard('west', name, ['10.0.0.1'], { export: testExport(1) });
    const [slice] = slicesFrom(merged(shard), 'west', 'b'.repeat(63), false).slices;
    assert.match(slice?.name ?? '', /^[a-z0-9-]{1,253}$/);
  });
});

describe('mcs: cluster ids', () => {
  it('are the claims, else the registered names, and never the same twice', () => {
    const { ids: given, findings } = clusterIds([
      { name: 'west', claim: 'prod-west' },
      { name: 'East_1', claim: undefined },
      { name: 'east-1', claim: undefined },
      { name: 'north', claim: 'same' },
      { name: 'south', claim: 'same' },
      { name: 'thief', claim: 'east-1' },
      { name: 'odd', claim: 'No.Label' },
    ]);
    assert.deepEqual(Object.fromEntries(given), {
      west: 'prod-west',
      'east-1': 'east-1',
      East_1: 'east-1-2',
      north: 'north',
      south: 'south',
      thief: 'thief',
      odd: 'odd',
    });
    assert.deepEqual(findings.map(({ code }) => code).sort(), [
      'FW-MCS-006',
      'FW-MCS-006',
      'FW-MCS-006',
      'FW-MCS-007',
      'FW-MCS-007',
    ]);
  });
});

describe('mcs: findings', () => {
  const nowMs = Date.UTC(2026, 5, 1);
  const codes = (shards: readonly ServiceShard[], has = true): readonly string[] =>
    exportFindings(shards, ['east', 'west'], () => has, nowMs).map(({ code }) => code);

  it('say what is odd about exports, and nothing of others', () => {
    assert.deepEqual(codes([testShard('east', 'reviews', [])]), []);
    assert.deepEqual(codes([exportedShard('east', 1)]), []);
    assert.deepEqual(codes([exportedShard('east', 1, { externalName: 'example.com' })]), ['FW-MCS-002']);
    assert.deepEqual(codes([exportedShard('east', 1), exportedShard('west', 2, { headless: true })]), ['FW-MCS-001']);
    assert.deepEqual(codes([exportedShard('east', 1)], false), ['FW-MCS-004']);
    assert.deepEqual(codes([exportedShard('east', 1, {}, { createdAtMs: 5 })]), ['FW-MCS-005']);
    assert.deepEqual(codes([exportedShard('east', 1, {}, { createdAtMs: Date.UTC(2030, 1) })]), ['FW-MCS-005']);
    assert.deepEqual(codes([exportedShard('east', 1, {}, { labels: { 'not a key': 'x' } })]), ['FW-MCS-012']);
  });
});
