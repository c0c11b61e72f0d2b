import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { NamespaceShard, ServiceKey, ServiceShard } from '../../../src/model/service.ts';
import { type ClusterObject, type ClusterObjectKind, objectKey } from '../../../src/registry/cluster-objects.ts';
import { type DeriveSettings, defaultVersionLabels } from '../../../src/registry/derive.ts';
import { ClusterIndex, indexOf } from '../../../src/registry/derive-index.ts';
import { readClusterObject } from '../../../src/registry/derive-objects.ts';

const settings: DeriveSettings = {
  cluster: 'east',
  network: '',
  locality: { region: '', zone: '', subzone: '' },
  versionLabels: defaultVersionLabels,
  allowLoopback: false,
};

function read(kind: ClusterObjectKind, raw: unknown): ClusterObject {
  const object = readClusterObject(kind, raw);
  if (object.kind === 'Unreadable') throw new Error(object.reason);
  return object;
}

const names = fc.constantFrom('a', 'b', 'c');
const arbitraryObject: fc.Arbitrary<ClusterObject> = fc.oneof(
  fc
    .record({
      name: names,
      createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
      external: fc.boolean(),
    })
    .map(({ name, createdAt, external }) =>
      read('Service', {
        metadata: { namespace: 'shop', name, creationTimestamp: createdAt },
        spec: { type: external ? 'ExternalName' : 'ClusterIP', ports: [{ port: 80 }] },
      }),
    ),
  fc
    .record({
      name: names,
      service: names,
      endpoints: fc.array(
        fc.record({
          host: fc.integer({ min: 1, max: 4 }),
          pod: fc.option(names),
          // Mostly unnamed: then the pod's node counts.
          node: fc.option(names, { freq: 1 }),
          ready: fc.boolean(),
        }),
        { maxLength: 4 },
      ),
    })
    .map(({ name, service, endpoints }) =>
      read('EndpointSlice', {
        metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': service } },
        addressType: 'IPv4',
        ports: [{ port: 8080 }],
        endpoints: endpoints.map(({ host, pod, node, ready }) => ({
          addresses: [`10.0.0.${host}`],
          conditions: { ready },
          ...(node === null ? {} : { nodeName: node }),
          ...(pod === null ? {} : { targetRef: { kind: 'Pod', name: pod } }),
        })),
      }),
    ),
  fc
    .record({ name: names, version: fc.constantFrom('v1', 'v2'), node: fc.constantFrom('', 'a', 'b') })
    .map(({ name, version, node }) =>
      read('Pod', { metadata: { namespace: 'shop', name, labels: { version } }, spec: { nodeName: node } }),
    ),
  fc
    .record({ name: names, region: names })
    .map(({ name, region }) =>
      read('Node', { metadata: { name, labels: { 'topology.kubernetes.io/region': region } } }),
    ),
  fc
    .record({ name: names, tier: names })
    .map(({ name, tier }) => read('Namespace', { metadata: { name, labels: { tier } } })),
);

describe('registry: incremental index', () => {
  for (const limits of [
    { services: 100, endpoints: 100 },
    { services: 2, endpoints: 100 },
    { services: 100, endpoints: 3 },
    { services: 2, endpoints: 2 },
  ]) {
    it(`any sequence of changes ends where a cold start ends (limits ${limits.services}/${limits.endpoints})`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(arbitraryObject, fc.boolean(), fc.boolean()), { minLength: 10, maxLength: 60 }),
          (steps) => {
            const index = new ClusterIndex(settings, limits);
            const objects = new Map<string, ClusterObject>();
            const services = new Map<ServiceKey, ServiceShard>();
            const namespaces = new Map<string, NamespaceShard>();
            const take = (): void => {
              const change = index.flush();
              for (const [key, shard] of change?.services ?? []) {
                if (shard === undefined) assert.ok(services.delete(key), 'a removal of what was there');
                else {
                  assert.notDeepEqual(shard, services.get(key), 'a change that changes');
                  services.set(key, shard);
                }
              }
              for (const [key, shard] of change?.namespaces ?? []) {
                if (shard === undefined) namespaces.delete(key);
                else namespaces.set(key, shard);
              }
            };
            for (const [object, remove, flush] of steps) {
              const key = `${object.kind} ${objectKey(object)}`;
              if (remove) {
                index.remove(object.kind, objectKey(object));
                objects.delete(key);
              } else {
                index.put(object);
                objects.set(key, object);
              }
              if (flush) take();
            }
            take();
            const cold = indexOf([...objects.values()], settings, limits);
            const want = cold.snapshot();
            assert.deepEqual(new Map([...services].toSorted()), new Map([...want.services].toSorted()));
            assert.deepEqual(new Map([...namespaces].toSorted()), new Map([...want.namespaces].toSorted()));
            assert.deepEqual(index.overLimit, cold.overLimit);
            assert.ok(services.size <= limits.services);
            assert.ok(
              [...services.values()].reduce((sum, shard) => sum + shard.endpoints.length, 0) <= limits.endpoints,
            );
          },
        ),
        { numRuns: 1000 },
      );
    });
  }

  it('what is equal is not said again, and keeps its identity', () => {
    const raw = { metadata: { namespace: 'shop', name: 'a' }, spec: { ports: [{ port: 80 }] } };
    const index = indexOf([read('Service', raw)], settings);
    const before = index.snapshot().services.get('shop/a');
    index.putRaw('Service', { ...raw, status: { loadBalancer: {} } });
    assert.equal(index.flush(), undefined);
    assert.equal(index.snapshot().services.get('shop/a'), before);
  });

  it('keeps the very endpoints that are as before when others of the service change', () => {
    const slice = (...addresses: readonly string[]): ClusterObject =>
      read('EndpointSlice', {
        metadata: { namespace: 'shop', name: 'a-1', labels: { 'kubernetes.io/service-name': 'a' } },
        addressType: 'IPv4',
        ports: [{ port: 8080 }],
        endpoints: addresses.map((address) => ({ addresses: [address] })),
      });
    const service = read('Service', { metadata: { namespace: 'shop', name: 'a' }, spec: { ports: [{ port: 80 }] } });
    const index = indexOf([service, slice('10.0.0.1', '10.0.0.2', '10.0.0.3')], settings);
    const before = index.snapshot().services.get('shop/a')?.endpoints ?? [];
    index.put(slice('10.0.0.1', '10.0.0.3', '10.0.0.4'));
    const after = index.flush()?.services.get('shop/a')?.endpoints ?? [];
    assert.deepEqual(
      after.map(({ address }) => address),
      ['10.0.0.1', '10.0.0.3', '10.0.0.4'],
    );
    assert.equal(after[0], before[0]);
    // Its slice's ports are another map now, but an equal one.
    assert.equal(after[1], before[2]);
  });

  it('a pod’s change touches only the services that use it', () => {
    const shop = (name: string, pod: string): ClusterObject[] => [
      read('Service', { metadata: { namespace: 'shop', name }, spec: { ports: [{ port: 80 }] } }),
      read('EndpointSlice', {
        metadata: { namespace: 'shop', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: [{ port: 1 }],
        endpoints: [{ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name: pod } }],
      }),
    ];
    const index = indexOf([...shop('a', 'p'), ...shop('b', 'q')], settings);
    index.flush();
    index.put(read('Pod', { metadata: { namespace: 'shop', name: 'p', labels: { version: 'v2' } } }));
    const change = index.flush();
    assert.deepEqual([...(change?.services.keys() ?? [])], ['shop/a']);
    assert.equal(change?.services.get('shop/a')?.endpoints[0]?.version, 'v2');
  });

  it('a node’s change reaches the services that use its pods, whatever came and went before', () => {
    const slice = (name: string, addresses: readonly string[]): ClusterObject =>
      read('EndpointSlice', {
        metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': 'a' } },
        addressType: 'IPv4',
        ports: [{ port: 1 }],
        endpoints: addresses.map((address) => ({ addresses: [address], targetRef: { kind: 'Pod', name: 'p' } })),
      });
    const node = (region: string): ClusterObject =>
      read('Node', { metadata: { name: 'n', labels: { 'topology.kubernetes.io/region': region } } });
    const index = new ClusterIndex(settings);
    index.put(read('Service', { metadata: { namespace: 'shop', name: 'a' }, spec: { ports: [{ port: 80 }] } }));
    index.put(slice('x', ['10.0.0.1', '10.0.0.2']));
    index.put(read('Pod', { metadata: { namespace: 'shop', name: 'p' }, spec: { nodeName: 'n' } }));
    index.put(slice('y', ['10.0.0.3']));
    index.remove('EndpointSlice', 'shop/x');
    index.put(node('r1'));
    assert.equal(index.flush()?.services.get('shop/a')?.endpoints[0]?.locality.region, 'r1');
    index.put(node('r2'));
    assert.equal(index.flush()?.services.get('shop/a')?.endpoints[0]?.locality.region, 'r2');
  });

  it('an object that becomes unreadable keeps its last good form and is counted', () => {
    const raw = { metadata: { namespace: 'shop', name: 'a' }, spec: { ports: [{ port: 80 }] } };
    const index = indexOf([read('Service', raw)], settings);
    index.flush();
    index.putRaw('Service', { ...raw, spec: { ports: [{ port: -1 }] } });
    assert.equal(index.flush(), undefined);
    assert.deepEqual(index.skips().get('unreadable'), {
      count: 1,
      example: 'Service shop/a: spec.ports[0].port: not a port number',
    });
    index.putRaw('Service', raw);
    assert.equal(index.skips().size, 0);
  });

  it('over the limit, the oldest stay and the rest is counted', () => {
    const make = (name: string, day: number): ClusterObject =>
      read('Service', {
        metadata: { namespace: 'shop', name, creationTimestamp: `2026-01-0${day}T00:00:00Z` },
        spec: {},
      });
    const index = indexOf([make('new', 3), make('old', 1), make('mid', 2)], settings, { services: 2, endpoints: 9 });
    assert.deepEqual([...index.snapshot().services.keys()].toSorted(), ['shop/mid', 'shop/old']);
    assert.deepEqual(index.skips().get('over-limit'), { count: 1, example: '1 services' });
    index.remove('Service', 'shop/old');
    assert.deepEqual([...(index.flush()?.services.keys() ?? [])].toSorted(), ['shop/new', 'shop/old']);
    assert.equal(index.skips().size, 0);
  });
});
