import assert from 'node:assert/strict';
import { Catalog } from '../../../src/catalog/catalog.ts';
import { mergeService } from '../../../src/catalog/merge.ts';
import type { ServiceKey, ServiceShard } from '../../../src/model/service.ts';
import { port, shard } from '../../support/fixtures.ts';

describe('merging a service over clusters', () => {
  it('takes the union of the ports, each served by the clusters that expose it', () => {
    const merged = mergeService([
      shard('east', 'reviews', { ports: [port(80), port(9090, 'grpc')] }),
      shard('west', 'reviews', { ports: [port(80), port(6379, 'tcp')] }),
    ]);
    assert.deepEqual(
      merged.ports.map(({ port: number, protocol, clusters }) => [number, protocol, clusters]),
      [
        [80, 'http', ['east', 'west']],
        [6379, 'tcp', ['west']],
        [9090, 'grpc', ['east']],
      ],
    );
    assert.deepEqual(merged.conflicts, []);
  });

  it('lets the oldest decide a protocol, keeps the others out of that port, and says so', () => {
    const merged = mergeService([
      shard('east', 'reviews', { createdAtMs: 2, ports: [port(80, 'tcp', 'web')] }),
      shard('west', 'reviews', { createdAtMs: 1, ports: [port(80, 'http', 'web')] }),
    ]);
    assert.equal(merged.ports[0]?.protocol, 'http');
    assert.deepEqual(merged.ports[0]?.clusters, ['west']);
    assert.deepEqual(merged.conflicts, [
      {
        reason: 'PortConflict',
        message: 'port 80/TCP "web" is http in west, the oldest; it is tcp in east',
        winner: 'west',
        losers: ['east'],
      },
    ]);
  });

  it('breaks a tie of age by the name of the cluster', () => {
    const merged = mergeService([
      shard('west', 'reviews', { ports: [port(80, 'tcp', 'web')] }),
      shard('east', 'reviews', { ports: [port(80, 'http', 'web')] }),
    ]);
    assert.equal(merged.ports[0]?.protocol, 'http');
  });

  it('merges a port that is named otherwise, and remembers the other name', () => {
    const merged = mergeService([
      shard('east', 'reviews', { createdAtMs: 1, ports: [port(80, 'http', 'http')] }),
      shard('west', 'reviews', { createdAtMs: 2, ports: [port(80, 'http', 'web')] }),
    ]);
    assert.deepEqual(merged.ports[0]?.clusters, ['east', 'west']);
    assert.equal(merged.ports[0]?.otherNames.get('west'), 'web');
    assert.equal(merged.conflicts[0]?.reason, 'PortConflict');
  });

  it('keeps one name on two numbers as two ports, each of its own clusters, and says so', () => {
    const merged = mergeService([
      shard('east', 'reviews', { createdAtMs: 1, ports: [port(80, 'http', 'web')] }),
      shard('west', 'reviews', { createdAtMs: 2, ports: [port(8080, 'http', 'web')] }),
    ]);
    assert.deepEqual(
      merged.ports.map(({ port: number, clusters }) => [number, clusters]),
      [
        [80, ['east']],
        [8080, ['west']],
      ],
    );
    assert.equal(merged.conflicts.length, 1);
    assert.deepEqual(merged.conflicts[0]?.losers, ['west']);
  });

  it('lets the oldest decide whether it is headless', () => {
    const merged = mergeService([
      shard('east', 'db', { createdAtMs: 1, headless: true }),
      shard('west', 'db', { createdAtMs: 2 }),
    ]);
    assert.equal(merged.headless, true);
    assert.equal(merged.conflicts[0]?.reason, 'TypeConflict');
  });
});

describe('what is each cluster’s own', () => {
  it('is its API and its system’s services, and no other', () => {
    for (const [namespace, name, own] of [
      ['default', 'kubernetes', true],
      ['kube-system', 'kube-dns', true],
      ['shop', 'kubernetes', false],
      ['default', 'reviews', false],
    ] as const) {
      const merged = mergeService([shard('east', name, { namespace }), shard('west', name, { namespace })]);
      assert.equal(merged.ownClusterOnly, own ? true : undefined, `${namespace}/${name}`);
      assert.deepEqual(merged.visibleIn, own ? new Set(['east', 'west']) : undefined, `${namespace}/${name}`);
    }
  });
});

describe('the catalog', () => {
  it('says only what changed', () => {
    const shards = new Map<ServiceKey, readonly ServiceShard[]>([['shop/reviews', [shard('east', 'reviews')]]]);
    const catalog = new Catalog((key) => shards.get(key) ?? []);
    assert.deepEqual([...catalog.update(['shop/reviews', 'shop/none'])], ['shop/reviews']);
    assert.deepEqual([...catalog.update(['shop/reviews'])], []);
    shards.delete('shop/reviews');
    assert.deepEqual([...catalog.update(['shop/reviews'])], ['shop/reviews']);
    assert.equal(catalog.services.size, 0);
  });

  it('lets the oldest say how near traffic stays, and names those that say another thing', () => {
    const merged = mergeService([
      shard('east', 'reviews', {
        createdAtMs: 2,
        trafficDistribution: 'PreferSameNode',
        internalTrafficPolicy: 'Local',
      }),
      shard('north', 'reviews', { createdAtMs: 1, trafficDistribution: 'PreferSameZone' }),
      shard('west', 'reviews', { createdAtMs: 3, trafficDistribution: 'PreferSameZone' }),
    ]);
    assert.equal(merged.trafficDistribution, 'PreferSameZone');
    assert.equal(merged.internalTrafficPolicy, undefined);
    assert.deepEqual(merged.conflicts, [
      {
        reason: 'InternalTrafficPolicyConflict',
        message: 'internalTrafficPolicy is Cluster in north, the oldest, which counts everywhere; it is Local in east',
        winner: 'north',
        losers: ['east'],
      },
      {
        reason: 'TrafficDistributionConflict',
        message:
          'trafficDistribution is PreferSameZone in north, the oldest, which counts everywhere; it is PreferSameNode in east',
        winner: 'north',
        losers: ['east'],
      },
    ]);
  });
});
