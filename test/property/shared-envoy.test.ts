/** Scopes that share one mesh get what each would get alone, and the same objects where they see the same. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pushOrder } from '../../src/core/type-urls.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { port } from '../support/fixtures.ts';
import { base, scopes } from './envoy-pools.ts';
import { anyStep, bytesOf, World } from './envoy-world.ts';

describe('Envoy resources of several scopes', function () {
  this.timeout(120_000);

  it('are what each scope would get alone, where several share one mesh', () => {
    fc.assert(
      // Of one service, so that what it asks and what it has come together.
      fc.property(fc.array(anyStep, { minLength: 1, maxLength: 12 }), (given) => {
        const steps = given.map((step) =>
          step.kind === 'settings' ? step : { ...step, name: 'a' as const, namespace: 'shop' as const },
        );
        const world = new World();
        const live = scopes.map((scope) => new ScopeResources(scope));
        for (const step of steps) {
          const key = world.apply(step);
          for (const resources of live) resources.update(world.mesh, key === undefined ? new Set() : new Set([key]));
        }
        for (const [i, scope] of scopes.entries()) {
          const alone = new ScopeResources(scope);
          alone.update(structuredClone(world.mesh), 'all');
          assert.deepEqual(bytesOf(live[i] as ScopeResources), bytesOf(alone));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are shared by scopes that see the same', () => {
    const world = new World();
    world.apply({
      kind: 'shard',
      name: 'a',
      namespace: 'shop',
      cluster: 'east',
      shard: { createdAtMs: 0, headless: false, vips: ['10.0.0.1'], ports: [port(80)], endpoints: [], kubernetes: {} },
    });
    const [one, two] = [new ScopeResources(base), new ScopeResources({ ...base, inbound: [] })];
    one.update(world.mesh, 'all');
    two.update(world.mesh, 'all');
    for (const [url, name] of [
      [pushOrder[1], 'outbound|80||a.shop.svc.cluster.local'],
      [pushOrder[2], 'outbound|80||a.shop.svc.cluster.local'],
      [pushOrder[3], '0.0.0.0_80'],
    ] as const) {
      const first = one.resources(url as string).get(name);
      assert.ok(first !== undefined);
      assert.equal(two.resources(url as string).get(name), first);
    }
  });
});
