import assert from 'node:assert/strict';
import type { ServiceShard } from '../../../src/model/service.ts';
import { defaultVersionLabels } from '../../../src/registry/derive.ts';
import { ClusterIndex } from '../../../src/registry/derive-index.ts';
import { keptExports } from '../../../src/registry/inventory-exports.ts';
import { decodeLastGood, encodeLastGood } from '../../../src/registry/last-good-format.ts';
import { sameShard } from '../../../src/registry/same-shard.ts';

const settings = {
  cluster: 'east',
  network: '',
  locality: { region: '', zone: '', subzone: '' },
  versionLabels: defaultVersionLabels,
  allowLoopback: false,
};

const metadata = { namespace: 'shop', name: 'reviews', creationTimestamp: '2026-01-02T03:04:05Z' };
const service = (spec: object = {}): object => ({
  metadata,
  spec: {
    clusterIPs: ['10.0.0.1'],
    ipFamilies: ['IPv4', 'IPv6'],
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
    internalTrafficPolicy: 'Cluster',
    trafficDistribution: 'PreferClose',
    ports: [{ name: 'web', port: 80, appProtocol: 'kubernetes.io/h2c' }],
    ...spec,
  },
});
const exported = (spec: object = {}): object => ({ metadata, spec });
const slice = (family: 'IPv4' | 'IPv6', address: string): object => ({
  metadata: { namespace: 'shop', name: family.toLowerCase(), labels: { 'kubernetes.io/service-name': 'reviews' } },
  addressType: family,
  ports: [{ name: 'web', port: 8080 }],
  endpoints: [{ addresses: [address], targetRef: { kind: 'Pod', name: 'a', uid: 'u' } }],
});

function shardOf(index: ClusterIndex): ServiceShard | undefined {
  return index.snapshot().services.get('shop/reviews');
}

describe('registry: exports', () => {
  it('carry what the ServiceExport says, and what of the Service counts for exports', () => {
    const index = new ClusterIndex(settings);
    index.putRaw('Service', service());
    index.putRaw('ServiceExport', exported({ exportedLabels: { a: 'b', bad: 1 }, exportedAnnotations: { c: 'd' } }));
    assert.deepEqual(shardOf(index)?.export, {
      createdAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
      labels: { a: 'b' },
      annotations: { c: 'd' },
      sessionAffinity: 'ClientIP',
      affinitySeconds: 10,
      internalTrafficPolicy: 'Cluster',
      trafficDistribution: 'PreferClose',
      ipFamilies: ['IPv4', 'IPv6'],
      appProtocols: ['kubernetes.io/h2c'],
      otherFamily: [],
    });
  });

  it('cost a service that is not exported nothing, and come and go with the ServiceExport', () => {
    const index = new ClusterIndex(settings);
    index.putRaw('Service', service());
    const before = shardOf(index);
    assert.ok(before !== undefined && !('export' in before) && !('importOf' in before));
    index.putRaw('ServiceExport', exported());
    assert.deepEqual([...(index.flush()?.services.keys() ?? [])], ['shop/reviews']);
    index.putRaw('ServiceExport', exported());
    assert.equal(index.flush(), undefined);
    index.remove('ServiceExport', 'shop/reviews');
    const after = index.flush()?.services.get('shop/reviews');
    assert.ok(after !== undefined && sameShard(after, before));
  });

  it('have the second addresses of dual-stack workloads, which the service’s own endpoints leave out', () => {
    const index = new ClusterIndex(settings);
    for (const object of [slice('IPv4', '10.1.0.1'), slice('IPv6', 'fd00::1')]) index.putRaw('EndpointSlice', object);
    index.putRaw('Service', service());
    index.putRaw('ServiceExport', exported());
    const shard = shardOf(index);
    assert.deepEqual(
      shard?.endpoints.map(({ address }) => address),
      ['10.1.0.1'],
    );
    assert.deepEqual(
      shard.export?.otherFamily.map(({ address }) => address),
      ['fd00::1'],
    );
  });

  it('of nothing, and of an alias, are said', () => {
    const index = new ClusterIndex(settings);
    index.putRaw('ServiceExport', exported());
    assert.equal(shardOf(index), undefined);
    assert.deepEqual([...index.skips().keys()], ['export-without-service']);
    for (const ports of [[{ port: 80 }], []]) {
      index.putRaw('Service', service({ type: 'ExternalName', externalName: 'example.com', ports }));
      index.flush();
      assert.ok(index.skips().has('export-of-alias'));
    }
    index.putRaw('Service', service());
    index.flush();
    assert.equal(index.skips().size, 0);
  });

  it('a Service that was derived from an import says whose it is', () => {
    const index = new ClusterIndex(settings);
    const labels = { 'fairway.dev/service-import': 'reviews' };
    index.putRaw('Service', { ...service(), metadata: { ...metadata, name: 'derived', labels } });
    assert.equal(index.snapshot().services.get('shop/derived')?.importOf, 'reviews');
  });

  it('outlive a restart', () => {
    const index = new ClusterIndex(settings);
    for (const object of [slice('IPv4', '10.1.0.1'), slice('IPv6', 'fd00::1')]) index.putRaw('EndpointSlice', object);
    index.putRaw('Service', service());
    index.putRaw('ServiceExport', exported({ exportedLabels: { a: 'b' } }));
    const { services, namespaces } = index.snapshot();
    const info = { name: 'east', network: '', locality: settings.locality, uid: 'u', clusterId: 'id', origin: 'o' };
    const lines = [...encodeLastGood('east', { info, lastNewsMs: 1, services, namespaces })].join('');
    const read = decodeLastGood('east', Buffer.from(lines));
    assert.ok(typeof read !== 'string', String(read));
    const [before, after] = [services.get('shop/reviews'), read.services.get('shop/reviews')];
    assert.ok(before !== undefined && after !== undefined && sameShard(before, after));
    assert.deepEqual(after.export, before.export);
    assert.equal(read.info.clusterId, 'id');
  });

  it('that cannot be read stay as they are held, as long as that is not known', () => {
    const index = new ClusterIndex(settings);
    index.putRaw('Service', service());
    const bare = shardOf(index) as ServiceShard;
    index.putRaw('ServiceExport', exported());
    const held = index.flush()?.services.get('shop/reviews') as ServiceShard;
    const said = new Map([['shop/reviews', bare] as const]);
    assert.equal(keptExports({ services: said }, () => held).size, 0);
    const kept = keptExports({ services: said, exportsUnknown: true }, () => held);
    assert.equal(kept.get('shop/reviews')?.export, held.export);
    assert.equal(keptExports({ services: said, exportsUnknown: true }, () => undefined).size, 0);
  });
});
