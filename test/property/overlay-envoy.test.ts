/** What a scope gets in front of a base that it shares with others is what it would get alone, through any sequence of mesh updates. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pushOrder } from '../../src/core/type-urls.ts';
import { ScopeOverlay } from '../../src/envoy/scope-overlay.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import type { Scope } from '../../src/model/mesh.ts';
import { base } from './envoy-pools.ts';
import { anyStep, type Bytes, bytesOf, differing, World } from './envoy-world.ts';

/** Scopes that may share a base: they differ in who and where their proxies are. */
const variants: readonly Partial<Scope>[] = [
  {},
  { inbound: [] },
  { cluster: 'west' },
  { cluster: 'north', namespace: 'other' },
  { namespace: 'other' },
  { cluster: 'west', network: 'net-b', answers: { region: 'us', zone: '', node: '', selectors: [] } },
  { answers: { region: 'eu', zone: 'a', node: 'n1', selectors: ['app=web'] } },
];
const kinds = (['captured', 'explicit'] as const).flatMap((mode) =>
  (['tables', 'vhds', 'on-demand'] as const).map((routes) => ({
    name: `${mode}, ${routes}`,
    of: variants.map((variant): Scope => ({ ...base, ...variant, mode, routes })),
  })),
);

describe('Envoy resources of a scope', function () {
  this.timeout(120_000);

  for (const { name, of } of kinds) {
    it(`in front of a base are what each scope would get alone: ${name}`, () => {
      fc.assert(
        fc.property(
          fc.nat(of.length - 1),
          fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
          fc.nat(12),
          (ofBase, batches, joinsAt) => {
            const world = new World();
            const shared = new ScopeResources(of[ofBase] as Scope, 'services');
            const overlays = of.map((scope) => new ScopeOverlay(scope, shared));
            shared.update(world.mesh, 'all');
            for (const overlay of overlays) overlay.settle();
            let joined = overlays.slice(1);
            const before = new Map(overlays.map((overlay) => [overlay, bytesOf(overlay)]));
            for (const [at, steps] of batches.entries()) {
              const dirty = new Set(steps.map((step) => world.apply(step)).filter((key) => key !== undefined));
              const isOther = steps.some(({ kind }) => kind === 'settings');
              const all = new Set([...shared.held.keys(), ...world.services.keys(), ...dirty]);
              const affected = shared.absorb(world.mesh, isOther ? all : dirty);
              const ofShared = shared.settle();
              for (const overlay of joined) {
                for (const key of affected) overlay.absorb(world.mesh, key);
                const changes = [ofShared, overlay.settle()];
                const said = new Set(
                  changes.flatMap((all) =>
                    [...all].flatMap(([url, names]) => [...names].map((each) => `${url} ${each}`)),
                  ),
                );
                const after = bytesOf(overlay);
                for (const each of differing(before.get(overlay) as Bytes, after)) assert.ok(said.has(each), each);
                before.set(overlay, after);
              }
              if (at !== joinsAt) continue;
              for (const key of overlays[0]?.toLookAt(world.mesh) ?? []) overlays[0]?.absorb(world.mesh, key);
              overlays[0]?.settle();
              before.set(overlays[0] as ScopeOverlay, bytesOf(overlays[0] as ScopeOverlay));
              joined = overlays;
            }
            for (const overlay of joined) {
              const scope = of[overlays.indexOf(overlay)] as Scope;
              const alone = new ScopeResources(scope);
              alone.update(structuredClone(world.mesh), 'all');
              assert.deepEqual(bytesOf(overlay), bytesOf(alone));
              assert.deepEqual(overlay.findings(), alone.findings());
              for (const url of pushOrder) {
                for (const [name, resource] of overlay.own(url))
                  assert.notEqual(resource?.version, shared.resources(url).get(name)?.version, name);
                const [unasked, unaskedAlone] = [overlay.unasked(url), alone.unasked(url)];
                assert.equal(unasked === undefined, unaskedAlone === undefined);
                for (const each of unaskedAlone ?? []) assert.ok(unasked?.has(each), each);
              }
              for (const host of [
                '80/x.a.shop:80',
                '81/pod-0.b.other.svc.cluster.local',
                '80/nobody',
                '6379/x.example.com',
              ]) {
                const [one, two] = [overlay.unknownHost(host), alone.unknownHost(host)];
                assert.deepEqual(one && [one.name, one.version, one.body], two && [two.name, two.version, two.body]);
              }
            }
          },
        ),
        { numRuns: 150 },
      );
    });
  }
});
