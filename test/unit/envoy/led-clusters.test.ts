import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { ledClusters } from '../../../src/envoy/led-clusters.ts';
import { ScopeResources } from '../../../src/envoy/scope-resources.ts';
import { noVirtualHost } from '../../../src/envoy/virtual-host-resources.ts';
import { parseMeshFixture } from '../../support/mesh-fixture.ts';

const name = (chain: string, service = 'reviews'): string => `outbound|80|${chain}|${service}.shop.svc.cluster.local`;

/** What the virtual host of `reviews` leads to, and the Envoy clusters that there are. */
function led(routes?: readonly object[]): { readonly names: readonly string[]; readonly there: ReadonlySet<string> } {
  const service = (each: string, vip: string, address: string): object => ({
    name: each,
    clusters: { east: { vips: [vip], ports: ['80:http'], endpoints: [{ address, version: 'v1' }] } },
  });
  const { mesh, scope } = parseMeshFixture(
    JSON.stringify({
      services: [service('reviews', '10.1.0.5', '10.10.0.1'), service('audit', '10.1.0.6', '10.10.1.1')],
      rules:
        routes === undefined
          ? []
          : [
              {
                apiVersion: 'fairway.dev/v1alpha1',
                kind: 'TrafficRule',
                metadata: { name: 'reviews', namespace: 'shop' },
                spec: { service: 'reviews', routes },
              },
            ],
    }),
  );
  const resources = new ScopeResources({ ...scope, routes: 'on-demand' });
  resources.update(mesh, 'all');
  const host = resources.resources(typeUrl.virtualHost).get('80/reviews.shop.svc.cluster.local');
  assert.ok(host !== undefined);
  return { names: [...ledClusters(host)].sort(), there: new Set(resources.resources(typeUrl.cluster).keys()) };
}

describe('what a virtual host leads to', () => {
  it('is the service’s own Envoy cluster without a rule', () => {
    assert.deepEqual(led().names, [name('')]);
  });

  it('is all that its routes send, share out or copy requests to, each once, and there', () => {
    const { names, there } = led([
      { matches: [{ path: { prefix: '/old' } }], redirect: { hostname: 'example.org' } },
      { matches: [{ path: { prefix: '/none' } }], respond: { status: 404 } },
      {
        matches: [{ path: { prefix: '/a' } }],
        backends: [
          { version: 'v1', weight: 1 },
          { version: 'v2', fallback: [{}], weight: 2 },
        ],
      },
      { backends: [{ version: 'v1' }], mirrors: [{ service: 'audit' }] },
    ]);
    assert.equal(names.length, 3);
    assert.ok(names.includes(name('v1')) && names.includes(name('', 'audit')), names.join(' '));
    assert.deepEqual(
      names.filter((each) => !there.has(each)),
      [],
    );
  });

  it('is nothing for the word that there is no such host', () => {
    assert.deepEqual(ledClusters(noVirtualHost('80/nobody.shop')), []);
  });
});
