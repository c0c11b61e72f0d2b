import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { ScopeResources } from '../../../src/envoy/scope-resources.ts';
import type { Scope } from '../../../src/model/mesh.ts';
import { parseMeshFixture } from '../../support/mesh-fixture.ts';

/** Reviews on an HTTP and a gRPC port, with two versions; the routes of a rule for it. */
function fixture(routes: readonly unknown[], scope: Partial<Scope> = {}) {
  return parseMeshFixture(
    JSON.stringify({
      scope: { cluster: 'east', namespace: 'shop', mode: 'explicit', ...scope },
      services: [
        {
          name: 'reviews',
          clusters: {
            east: {
              ports: ['80:http', '9000:grpc', '6379:tcp'],
              endpoints: [
                { address: '10.0.0.1', version: 'v1' },
                { address: '10.0.0.2', version: 'v2' },
              ],
            },
          },
        },
      ],
      rules: [
        {
          apiVersion: 'fairway.dev/v1alpha1',
          kind: 'TrafficRule',
          metadata: { name: 'reviews', namespace: 'shop' },
          spec: { service: 'reviews', routes },
        },
      ],
    }),
  );
}

const both = [{ version: 'v1' }, { version: 'v2' }];

const everything = {
  fault: { delay: { percent: 1, duration: '1s' }, abort: { percent: 0.5, grpcStatus: 14 } },
  cors: { allowOrigins: ['https://a.example.com'] },
  rateLimit: { requests: 10, per: '1s' },
  rewrite: { path: { prefix: '/x' } },
  mirrors: [{ version: 'v2' }],
  timeouts: { idle: '1m', stream: '1h' },
};

describe('what a route gives the HTTP filters to do', () => {
  it('sends virtual hosts when it comes, changes and goes, and nothing else', () => {
    for (const mode of ['captured', 'explicit'] as const) {
      const plain = fixture([{ backends: both, mirrors: [{ version: 'v2', percent: 1 }] }], { mode, routes: 'vhds' });
      const resources = new ScopeResources(plain.scope);
      resources.update(plain.mesh, 'all');
      const states = [
        [{ backends: both, ...everything }],
        [{ backends: both, ...everything, fault: { abort: { percent: 100, status: 500 } } }],
        [
          { matches: [{ path: { prefix: '/a' } }], redirect: { path: { prefix: '/b' } } },
          { matches: [{ path: { prefix: '/c' } }], respond: { status: 200 } },
          { backends: both },
        ],
      ];
      for (const routes of states) {
        const { mesh } = fixture(routes, { mode, routes: 'vhds' });
        // One object, as in a pilot, while the settings are the same.
        const changes = resources.update({ ...mesh, settings: plain.mesh.settings }, new Set(mesh.services.keys()));
        assert.deepEqual([...changes.keys()], [typeUrl.virtualHost], mode);
        assert.equal(changes.get(typeUrl.virtualHost)?.size, mode === 'captured' ? 2 : 2);
      }
    }
  });

  it('gives sidecars on demand the Envoy clusters of mirrors, for no request asks for them', () => {
    const plain = fixture([{ backends: both }], { routes: 'on-demand' });
    const resources = new ScopeResources(plain.scope);
    resources.update(plain.mesh, 'all');
    const mirrored = (port: number): string => `outbound|${port}|v2|reviews.shop.svc.cluster.local`;
    assert.equal(resources.unasked(typeUrl.cluster)?.has(mirrored(80)), false);
    const { mesh } = fixture([{ backends: both, mirrors: [{ version: 'v2' }] }], { routes: 'on-demand' });
    const changes = resources.update({ ...mesh, settings: plain.mesh.settings }, new Set(mesh.services.keys()));
    for (const name of [mirrored(80), mirrored(9000)]) {
      assert.equal(resources.unasked(typeUrl.cluster)?.has(name), true, name);
      // Its bytes are as before; that it is now for everybody is the news.
      assert.equal(changes.get(typeUrl.cluster)?.has(name), true, name);
    }
    assert.equal(resources.unasked(typeUrl.cluster)?.has(mirrored(6379)), false);
  });
});
