/** Any sequence of mesh updates ends in the same bytes as one update from nothing; and what an update says has changed is what has. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { typeUrl } from '../../src/core/type-urls.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import type { ServiceKey } from '../../src/model/service.ts';
import { scopes } from './envoy-pools.ts';
import { anyStep, assertHosts, assertUnasked, type Bytes, bytesOf, differing, World } from './envoy-world.ts';

/** On demand: what sidecars get unasked from now on is news to those that had not asked for it, though its bytes are as before. */
function unaskedOtherwise(live: ScopeResources, before: ReadonlySet<string>): string[] {
  const names = new Set(live.unasked(typeUrl.cluster)).symmetricDifference(before);
  return [...names].map((name) => `${typeUrl.cluster} ${name}`);
}

describe('incremental Envoy resources', function () {
  this.timeout(120_000);

  for (const scope of scopes) {
    it(`end as a cold rebuild does, for a sidecar ${scope.mode} in ${scope.cluster}/${scope.namespace} with ${scope.routes}`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
          (batches) => {
            const world = new World();
            const live = new ScopeResources(scope);
            live.update(world.mesh, 'all');
            let before = bytesOf(live);
            for (const steps of batches) {
              const dirty = new Set(steps.map((step) => world.apply(step)).filter((key) => key !== undefined));
              const unasked = new Set(live.unasked(typeUrl.cluster));
              const changes = live.update(world.mesh, dirty);
              const after = bytesOf(live);
              const said = [...changes].flatMap(([url, names]) => [...names].map((name) => `${url} ${name}`)).sort();
              assert.deepEqual(
                said,
                [...new Set([...differing(before, after), ...unaskedOtherwise(live, unasked)])].sort(),
              );
              before = after;
            }
            // Copies have no memory of what was made from them before.
            const cold = new ScopeResources(scope);
            cold.update(structuredClone(world.mesh), 'all');
            assert.deepEqual(before, bytesOf(cold));
            assertUnasked(live, cold);
            assertHosts(live);
            assert.deepEqual(live.findings(), cold.findings());
          },
        ),
        { numRuns: 300 },
      );
    });
  }

  for (const scope of scopes) {
    it(`made in parts end as a cold rebuild does, for ${scope.mode} with ${scope.routes} in ${scope.cluster}`, () => {
      const anyMoment = fc.oneof(
        { weight: 3, arbitrary: anyStep },
        { weight: 4, arbitrary: fc.constant('part' as const) },
      );
      fc.assert(
        fc.property(fc.array(anyMoment, { maxLength: 40 }), (moments) => {
          const world = new World();
          const live = new ScopeResources(scope);
          // As a view does it: one service at a time, whichever form it has by then, and others change meanwhile.
          const marked = new Set<ServiceKey>();
          const part = (): void => {
            const [key] = marked;
            if (key !== undefined) marked.delete(key);
            live.absorb(world.mesh, new Set(key === undefined ? [] : [key]));
            if (marked.size > 0) return;
            const changes = live.settle();
            const said = new Set([...changes].flatMap(([url, names]) => [...names].map((name) => `${url} ${name}`)));
            const after = bytesOf(live);
            // What came and went in between is said, too, and costs a look.
            for (const name of differing(before, after)) assert.ok(said.has(name), name);
            before = after;
          };
          let before: Bytes = new Map();
          for (const moment of moments) {
            if (moment === 'part') part();
            else if (moment.kind !== 'settings') marked.add(world.apply(moment) as ServiceKey);
          }
          do part();
          while (marked.size > 0);
          const cold = new ScopeResources(scope);
          cold.update(structuredClone(world.mesh), 'all');
          assert.deepEqual(bytesOf(live), bytesOf(cold));
          assertUnasked(live, cold);
          assertHosts(live);
          assert.deepEqual(live.findings(), cold.findings());
        }),
        { numRuns: 200 },
      );
    });
  }
});
