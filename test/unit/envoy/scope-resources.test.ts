import assert from 'node:assert/strict';
import { shortTypeName, type TypeUrl, typeUrl } from '../../../src/core/type-urls.ts';
import { ScopeResources } from '../../../src/envoy/scope-resources.ts';
import { parseMeshFixture } from '../../support/mesh-fixture.ts';

/** Two services on one port, in the forms that an update may bring. */
function fixture({
  address = '10.10.0.1',
  weight = 0,
  settings = {},
}: {
  address?: string;
  weight?: number;
  settings?: object;
}) {
  const service = (name: string, vip: string, at: string): object => ({
    name,
    clusters: { east: { vips: [vip], ports: ['80:http', '6379:tcp'], endpoints: [{ address: at, version: 'v1' }] } },
  });
  const backends = [{ version: 'v1', weight }, { weight: 100 - weight }];
  return parseMeshFixture(
    JSON.stringify({
      settings,
      services: [service('reviews', '10.1.0.5', address), service('ratings', '10.1.0.6', '10.10.1.1')],
      rules:
        weight === 0
          ? []
          : [
              {
                apiVersion: 'fairway.dev/v1alpha1',
                kind: 'TrafficRule',
                metadata: { name: 'reviews', namespace: 'shop' },
                spec: { service: 'reviews', routes: [{ backends }] },
              },
            ],
    }),
  );
}

describe('resources of a scope', () => {
  const dirty = new Set(['shop/reviews'] as const);

  function updated(from: Parameters<typeof fixture>[0], to: Parameters<typeof fixture>[0]): Record<string, string[]> {
    const before = fixture(from);
    const resources = new ScopeResources(before.scope);
    resources.update(before.mesh, 'all');
    const { services } = fixture(to).mesh;
    const changes = resources.update({ ...before.mesh, services }, dirty);
    return Object.fromEntries([...changes].map(([url, names]) => [shortTypeName[url as TypeUrl], [...names].sort()]));
  }

  it('change their assignments alone when an endpoint does', () => {
    assert.deepEqual(updated({}, { address: '10.10.0.2' }), {
      EDS: ['outbound|6379||reviews.shop.svc.cluster.local', 'outbound|80||reviews.shop.svc.cluster.local'],
    });
  });

  it('change the routes alone when weights do, and the listener of a TCP port with its shares', () => {
    assert.deepEqual(updated({ weight: 10 }, { weight: 20 }), { LDS: ['10.1.0.5_6379'], RDS: ['80'] });
  });

  it('do not change when nothing does', () => {
    assert.deepEqual(updated({ weight: 10 }, { weight: 10 }), {});
  });

  it('follow the settings without being told which services they touch', () => {
    const before = fixture({});
    const resources = new ScopeResources(before.scope);
    resources.update(before.mesh, 'all');
    const { settings } = fixture({ settings: { connectTimeoutMs: 1000 } }).mesh;
    const changes = resources.update({ ...before.mesh, settings }, new Set());
    assert.deepEqual([...changes.keys()], [typeUrl.cluster]);
    assert.equal(changes.get(typeUrl.cluster)?.size, resources.resources(typeUrl.cluster).size);
  });

  it('hold each virtual host as a part of its own', () => {
    const { scope, mesh } = fixture({});
    const resources = new ScopeResources(scope);
    resources.update(mesh, 'all');
    assert.deepEqual([...(resources.virtualHosts('80')?.keys() ?? [])].sort(), [
      'ratings.shop.svc.cluster.local:80',
      'reviews.shop.svc.cluster.local:80',
    ]);
    assert.equal(resources.virtualHosts('81'), undefined);
  });
});
