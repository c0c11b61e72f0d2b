import assert from 'node:assert/strict';
import type { EncodedResource } from '../../../../src/core/resource.ts';
import { grpcRouteTables } from '../../../../src/envoy/grpc/routes.ts';
import { clusterTargets } from '../../../../src/envoy/path-routes.ts';
import { decodeResource } from '../../../../src/envoy/proto/decode.ts';
import type { Plain } from '../../../../src/envoy/proto/encode.ts';
import { grpcRefuses } from '../../../support/grpc-judge.ts';
import { parseMeshFixture } from '../../../support/mesh-fixture.ts';

const name = (chain: string, service = 'reviews'): string => `outbound|80|${chain}|${service}.shop.svc.cluster.local`;

/** The table of `reviews` under a rule with these routes. */
function table(routes: readonly object[]): EncodedResource {
  const clusters = { east: { ports: ['80:grpc'], endpoints: [{ address: '10.0.0.1', version: 'v1' }] } };
  const { mesh } = parseMeshFixture(
    JSON.stringify({
      services: [{ name: 'reviews', clusters }],
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
  const service = mesh.services.get('shop/reviews');
  assert.ok(service !== undefined);
  const [made] = grpcRouteTables(service, mesh.settings);
  assert.ok(made !== undefined);
  return made;
}

/** By route, where it leads to, with shares in per cent. */
function leads(resource: EncodedResource | undefined): Record<string, string> {
  assert.ok(resource !== undefined);
  assert.equal(grpcRefuses(resource), undefined);
  const { virtual_hosts: [host] = [] } = decodeResource(resource) as {
    readonly virtual_hosts?: readonly {
      readonly routes: readonly { readonly name: string; readonly route: Plain }[];
    }[];
  };
  return Object.fromEntries(
    (host?.routes ?? []).map((route) => [
      route.name,
      clusterTargets(route.route)
        .map((target) => `${target.name.split('|')[2]} ${Math.round(target.percent)}`)
        .join(', '),
    ]),
  );
}

const weighted = (...versions: readonly string[]): object[] => versions.map((version) => ({ version, weight: 1 }));

describe('a table for a client that comes back', () => {
  const resumed = (routes: readonly object[], ...held: readonly string[]): EncodedResource | undefined => {
    const { announce } = table(routes);
    const missing = announce?.names.filter((each) => !held.includes(each)) ?? [];
    return announce?.resumed?.(new Set(held), missing);
  };

  it('leads to what it holds in place of what it does not, which it is told of', () => {
    const moved = resumed([{ name: 'all', backends: [{ version: 'v2' }] }], name('v1'), name('v1', 'ratings'));
    assert.deepEqual(leads(moved), { all: 'v1 100', announced: 'v2 100' });
  });

  it('keeps of shares those that it holds, and leaves routes alone that lead nowhere else', () => {
    const routes = [
      { name: 'one', matches: [{ headers: [{ name: 'x-who', value: 'one' }] }], backends: [{ version: 'v1' }] },
      { name: 'rest', backends: weighted('v1', 'v2', 'v3') },
    ];
    assert.deepEqual(leads(resumed(routes, name('v1'), name('v2'))), {
      one: 'v1 100',
      rest: 'v1 50, v2 50',
      announced: 'v3 100',
    });
  });

  it('is none where it holds nothing of the service', () => {
    assert.equal(resumed([{ backends: [{ version: 'v2' }] }], name('v1', 'ratings')), undefined);
  });

  it('is made once for all that hold the same of the service', () => {
    const { announce } = table([{ backends: [{ version: 'v2' }] }]);
    const one = announce?.resumed?.(new Set([name('v1'), name('', 'ratings')]), [name('v2')]);
    assert.equal(announce?.resumed?.(new Set([name('', 'audit'), name('v1')]), [name('v2')]), one);
    assert.notEqual(announce?.resumed?.(new Set([name('')]), [name('v2')]), one);
  });
});
