/** What rules of a cluster's own need of services that they are not for: there for its own proxies, in whichever order all came. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeService } from '../../../src/catalog/merge.ts';
import { MeshState } from '../../../src/mesh/mesh-state.ts';
import { defaultMeshSettings } from '../../../src/model/mesh.ts';
import { chainName, type TrafficRule, toDestination } from '../../../src/model/rule.ts';
import type { CatalogService, ServiceKey } from '../../../src/model/service.ts';
import { shard, trafficRule } from '../../support/fixtures.ts';

const key: ServiceKey = 'shop/reviews';
const other: ServiceKey = 'shop/ratings';
const keys = [key, other] as const;

/** Of the one service, to a version of the other. */
const leading = (from: ServiceKey, version: string): TrafficRule => {
  const name = from === key ? 'ratings' : 'reviews';
  const chain = [toDestination({ version })];
  const rule = trafficRule({
    hash: `${from} ${version}`,
    backends: [{ weight: 1, chain, service: { namespace: 'shop', name } }],
  });
  return { ...rule, service: from };
};
const own = (from: ServiceKey, version: string): TrafficRule => ({
  ...trafficRule({ hash: `${from} own ${version}`, backends: [{ weight: 1, chain: [toDestination({ version })] }] }),
  service: from,
});

interface World {
  readonly services: Map<ServiceKey, CatalogService>;
  readonly rules: Map<ServiceKey, TrafficRule>;
  readonly edge: Map<ServiceKey, TrafficRule>;
  readonly state: MeshState;
}

function worldOf(services: World['services'], rules: World['rules'], edge: World['edge']): World {
  const memberRules = new Map([['edge', edge]]);
  return { services, rules, edge, state: new MeshState({ services, rules, memberRules }, defaultMeshSettings) };
}

const all = new Map([['edge', new Set<ServiceKey>(keys)]]);
const seenBy = ({ state }: World, cluster: string): unknown =>
  [...state.meshOf(cluster).services].map(([name, { chains, routes }]) => [name, chains.map(chainName), routes]).sort();
const chainsOf = ({ state }: World, cluster: string): readonly string[] | undefined =>
  state.meshOf(cluster).services.get(other)?.chains.map(chainName);

describe('what rules of a cluster’s own need of other services', () => {
  const shards = (name: string): CatalogService => mergeService([shard('edge', name)]);

  it('is there for its own proxies alone, and goes with the rule', () => {
    const world = worldOf(
      new Map([
        [key, shards('reviews')],
        [other, shards('ratings')],
      ]),
      new Map([[other, own(other, 'v9')]]),
      new Map([[key, leading(key, 'v2')]]),
    );
    world.state.update(keys, all);
    assert.deepEqual(
      [chainsOf(world, 'edge'), chainsOf(world, 'hub')],
      [
        ['', 'v2', 'v9'],
        ['', 'v9'],
      ],
    );
    assert.deepEqual([...(world.state.memberChanges.get('edge') ?? [])].sort(), [other, key]);
    // It is no rule of its own.
    assert.equal(world.state.isOverruled(other, 'edge'), false);
    assert.deepEqual([...world.state.clustersApart(other)], []);
    world.edge.clear();
    world.state.update([], new Map([['edge', new Set([key])]]));
    assert.equal(world.state.meshOf('edge'), world.state.mesh);
    assert.deepEqual([...(world.state.memberChanges.get('edge') ?? [])].sort(), [other, key]);
  });

  it('follows all that it depends on, as if all had been there from the start', () => {
    const anyRule = (from: ServiceKey): fc.Arbitrary<TrafficRule | undefined> =>
      fc.constantFrom(undefined, leading(from, 'v1'), leading(from, 'v2'), own(from, 'v3'));
    const anyStep = fc
      .constantFrom(...keys)
      .chain((at) =>
        fc.oneof(
          fc.record({ at: fc.constant(at), member: anyRule(at) }, { requiredKeys: ['at', 'member'] }),
          fc.record({ at: fc.constant(at), rule: anyRule(at) }, { requiredKeys: ['at', 'rule'] }),
          fc.record({ at: fc.constant(at), isThere: fc.boolean() }),
        ),
      );
    const put = (map: Map<ServiceKey, TrafficRule>, at: ServiceKey, rule: TrafficRule | undefined): void => {
      if (rule === undefined) map.delete(at);
      else map.set(at, rule);
    };
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 15 }), (steps) => {
        const world = worldOf(new Map(), new Map(), new Map());
        for (const step of steps) {
          const dirty = new Set([step.at]);
          if ('member' in step) {
            put(world.edge, step.at, step.member);
            world.state.update([], new Map([['edge', dirty]]));
            continue;
          }
          if ('rule' in step) put(world.rules, step.at, step.rule);
          else if (step.isThere) world.services.set(step.at, shards(step.at === key ? 'reviews' : 'ratings'));
          else world.services.delete(step.at);
          const before = seenBy(world, 'edge');
          const changed = world.state.update(dirty);
          // What changed for its proxies is said, one way or the other.
          const said = changed.size + (world.state.memberChanges.get('edge')?.size ?? 0);
          if (said === 0) assert.deepEqual(seenBy(world, 'edge'), before);
        }
        const cold = worldOf(new Map(world.services), new Map(world.rules), new Map(world.edge));
        cold.state.update(keys, all);
        for (const cluster of ['edge', 'hub']) assert.deepEqual(seenBy(world, cluster), seenBy(cold, cluster));
      }),
      { numRuns: 400 },
    );
  });
});
