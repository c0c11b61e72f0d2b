import assert from 'node:assert/strict';
import type { EncodedResource } from '../../../src/core/resource.ts';
import { shortTypeName, type TypeUrl, typeUrl } from '../../../src/core/type-urls.ts';
import { decodeResource } from '../../../src/envoy/proto/decode.ts';
import type { Plain } from '../../../src/envoy/proto/encode.ts';
import { ScopeResources } from '../../../src/envoy/scope-resources.ts';
import type { Scope } from '../../../src/model/mesh.ts';
import { parseMeshFixture } from '../../support/mesh-fixture.ts';
import { decodeAll } from '../../support/static-envoy.ts';

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

  function updated(
    from: Parameters<typeof fixture>[0],
    to: Parameters<typeof fixture>[0],
    routes: Scope['routes'] = 'tables',
  ): Record<string, string[]> {
    const before = fixture(from);
    const resources = new ScopeResources({ ...before.scope, routes });
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

  it('are the same hosts in a table and one by one, but for the name', () => {
    const { scope, mesh } = fixture({ weight: 10 });
    const [tables, vhds] = [new ScopeResources(scope), new ScopeResources({ ...scope, routes: 'vhds' })];
    tables.update(mesh, 'all');
    vhds.update(mesh, 'all');
    const table = decodeAll((url) => tables.resources(url), typeUrl.route)[0] as {
      name: string;
      virtual_hosts: Plain[];
    };
    const hosts = decodeAll((url) => vhds.resources(url), typeUrl.virtualHost);
    const named = table.virtual_hosts.map((host) => ({ ...host, name: `80/${String(host['name'])}` }));
    const byName = (a: Plain, b: Plain): number => (String(a['name']) < String(b['name']) ? -1 : 1);
    assert.deepEqual(hosts, named.sort(byName));
    assert.deepEqual(
      [...vhds.resources(typeUrl.virtualHost).keys()].sort(),
      hosts.map(({ name }) => name),
    );
    for (const url of [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener])
      assert.deepEqual(vhds.resources(url), tables.resources(url));
  });

  it('change one host alone when its routes do, where hosts come one by one', () => {
    assert.deepEqual(updated({ weight: 10 }, { weight: 20 }, 'vhds'), {
      LDS: ['10.1.0.5_6379'],
      VHDS: ['80/reviews.shop.svc.cluster.local'],
    });
  });

  it('take a table’s own host away with its last service', () => {
    const { scope, mesh } = fixture({});
    const resources = new ScopeResources({ ...scope, routes: 'vhds' });
    resources.update(mesh, 'all');
    assert.equal(resources.resources(typeUrl.virtualHost).size, 3);
    resources.update({ ...mesh, services: new Map() }, 'all');
    assert.equal(resources.resources(typeUrl.virtualHost).size, 0);
  });

  it('go by every domain as an alias where a request asks for them', () => {
    const { scope, mesh } = fixture({});
    const resources = new ScopeResources({ ...scope, routes: 'on-demand' });
    resources.update(mesh, 'all');
    const host = resources.resources(typeUrl.virtualHost).get('80/reviews.shop.svc.cluster.local');
    const { domains } = decodeResource(host as EncodedResource) as unknown as { domains: string[] };
    assert.ok(domains.includes('reviews') && domains.includes('10.1.0.5'));
    assert.deepEqual([host?.name, ...(host?.aliases ?? [])].sort(), domains.map((domain) => `80/${domain}`).sort());
  });

  it('hold each virtual host as a part of its own', () => {
    const { scope, mesh } = fixture({});
    const resources = new ScopeResources(scope);
    resources.update(mesh, 'all');
    assert.deepEqual([...(resources.virtualHosts('80')?.keys() ?? [])].sort(), [
      'ratings.shop.svc.cluster.local',
      'reviews.shop.svc.cluster.local',
    ]);
    assert.equal(resources.virtualHosts('81'), undefined);
  });
});
