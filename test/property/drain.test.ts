/**
 * Drains, whatever is drained and how far: each backend keeps its share, each place loses the share that its step says, and any sequence of
 * steps, ends and endpoints leaves the bytes that one update from nothing makes.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeService } from '../../src/catalog/merge.ts';
import { pushOrder } from '../../src/core/type-urls.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { compileService } from '../../src/mesh/compile.ts';
import { hasEndpoints } from '../../src/mesh/drain-outcome.ts';
import { drainSteps, type ServicePlace, serviceDrain } from '../../src/model/drain.ts';
import { defaultMeshSettings, type Mesh, type MeshService, type Scope } from '../../src/model/mesh.ts';
import { anywhere, chainName, type RuleBackend, type TrafficRule, toDestination } from '../../src/model/rule.ts';
import type { ServiceKey } from '../../src/model/service.ts';
import { endpoint, port, shard, trafficRule } from '../support/fixtures.ts';

const scope: Scope = {
  cluster: 'east',
  network: '',
  namespace: 'shop',
  mode: 'captured',
  outbound: { address: '127.0.0.1', port: 15001 },
  inboundAddress: '0.0.0.0',
  inbound: [],
  routes: 'tables',
  rejected: [],
};
const scopes: readonly Scope[] = [
  scope,
  { ...scope, routes: 'vhds' },
  { ...scope, mode: 'explicit' },
  { ...scope, routes: 'on-demand' },
];

const chains: readonly RuleBackend['chain'][] = [
  [anywhere],
  [toDestination({ version: 'v1' })],
  [toDestination({ version: 'v2', cluster: 'west' }), toDestination({ version: 'v2' })],
  [toDestination({ cluster: 'west' })],
];

const place: fc.Arbitrary<ServicePlace> = fc.record({
  cluster: fc.constantFrom('', 'east', 'west'),
  zone: fc.constantFrom('a', 'b'),
  step: fc.integer({ min: 0, max: drainSteps }),
  force: fc.boolean(),
});
const places = fc.array(
  place.map((one) => (one.cluster === '' || one.step % 2 === 0 ? one : { ...one, zone: '' })),
  { maxLength: 3 },
);

const backends = fc.uniqueArray(
  fc.record({ weight: fc.integer({ min: 0, max: 1_000_000 }), chain: fc.constantFrom(...chains) }),
  { minLength: 1, selector: ({ chain }) => chainName(chain) },
);

const bare = (chain: RuleBackend['chain']): string => chainName(chain.map(({ except: _left, ...rest }) => rest));

const endpoints = fc.array(
  fc.record({
    cluster: fc.constantFrom('east', 'west'),
    zone: fc.constantFrom('a', 'b', 'c'),
    version: fc.constantFrom('v1', 'v2'),
    ready: fc.boolean(),
  }),
  { maxLength: 5 },
);

type Said = readonly { cluster: string; zone: string; version: string; ready: boolean }[];

/** One instance each, as the pilot has them. */
const rules = new Map<string, TrafficRule>();

function compiled(said: Said, drained: readonly ServicePlace[], of: readonly RuleBackend[] | undefined): MeshService {
  const shards = ['east', 'west'].map((cluster) =>
    shard(cluster, 'reviews', {
      vips: [cluster === 'east' ? '10.1.0.1' : '10.2.0.1'],
      ports: [port(80), port(6379, 'tcp', 'redis')],
      endpoints: said.flatMap((one, index) =>
        one.cluster !== cluster
          ? []
          : [
              endpoint(cluster, `10.0.0.${index}`, {
                ...one,
                locality: { region: '', zone: one.zone, subzone: '' },
                ports: new Map([
                  ['http', 8080],
                  ['redis', 6379],
                ]),
              }),
            ],
      ),
    }),
  );
  const catalog = mergeService(shards);
  const drain = serviceDrain(drained.filter((one) => hasEndpoints(catalog, one)));
  const hash = JSON.stringify(of ?? null);
  if (of !== undefined && !rules.has(hash)) rules.set(hash, trafficRule({ hash, backends: of }));
  return compileService(drain === undefined ? catalog : { ...catalog, drain }, rules.get(hash));
}

const key: ServiceKey = 'shop/reviews';
const settings = { ...defaultMeshSettings, accessLog: false };
const meshOf = (service: MeshService, revision: number): Mesh => ({
  revision,
  settings,
  services: new Map([[key, service]]),
});

function bytes(resources: ScopeResources): string[] {
  return pushOrder.flatMap((url) =>
    [...resources.resources(url)].map(([name, { version }]) => `${url} ${name} ${version}`).sort(),
  );
}

describe('drains', () => {
  it('leave every backend its share, and take from each place what its step says', () => {
    fc.assert(
      fc.property(endpoints, places, backends, (said, drained, given) => {
        const service = compiled(said, drained, given);
        const split = service.routes[0]?.backends ?? [];
        const total = given.reduce((sum, { weight }) => sum + weight, 0);
        const scale = split.reduce((sum, { weight }) => sum + weight, 0) / Math.max(1, total);
        assert.ok([0, 1, drainSteps].includes(scale), String(scale));
        for (const { weight, chain } of given) {
          const parts = split.filter((one) => bare(one.chain) === chainName(chain));
          assert.equal(
            parts.reduce((sum, part) => sum + part.weight, 0),
            weight * (total === 0 ? 0 : scale),
          );
          for (const { cluster, zone, step } of service.catalog.drain?.places ?? []) {
            const kept = parts.filter((part) =>
              part.chain[0]?.except?.some((one) => one.cluster === cluster && one.zone === zone),
            );
            assert.equal(
              kept.reduce((sum, part) => sum + part.weight, 0) * drainSteps,
              weight * (total === 0 ? 0 : scale) * step,
            );
          }
        }
        const names = new Set(service.chains.map(chainName));
        for (const { weight, chain } of split) assert.ok(weight === 0 || names.has(chainName(chain)));
      }),
      { numRuns: 300 },
    );
  });

  it('end in the same bytes, however they came about', () => {
    const state = fc.record({ said: endpoints, drained: places, of: fc.option(backends, { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 5 }), fc.constantFrom(...scopes), (states, of) => {
        const kept = new ScopeResources(of);
        let last: MeshService | undefined;
        states.forEach(({ said, drained, of: given }, index) => {
          last = compiled(said, drained, given);
          kept.update(meshOf(last, index + 1), new Set([key]));
        });
        const cold = new ScopeResources(of);
        if (last !== undefined) cold.update(meshOf({ ...last }, 1), 'all');
        assert.deepEqual(bytes(kept), bytes(cold));
      }),
      { numRuns: 60 },
    );
  });
});
