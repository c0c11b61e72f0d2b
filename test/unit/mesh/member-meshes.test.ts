import assert from 'node:assert/strict';
import { mergeService } from '../../../src/catalog/merge.ts';
import { MeshState } from '../../../src/mesh/mesh-state.ts';
import { defaultMeshSettings } from '../../../src/model/mesh.ts';
import { type TrafficRule, toDestination } from '../../../src/model/rule.ts';
import type { CatalogService, ServiceKey } from '../../../src/model/service.ts';
import { shard, trafficRule } from '../../support/fixtures.ts';

const key: ServiceKey = 'shop/reviews';
const other: ServiceKey = 'shop/ratings';

const toVersion = (version: string): TrafficRule =>
  trafficRule({ hash: version, backends: [{ weight: 1, chain: [toDestination({ version })] }] });
const [v1, v2, v3] = [toVersion('v1'), toVersion('v2'), toVersion('v3')];

describe('the mesh of a cluster with rules of its own', () => {
  let services: Map<ServiceKey, CatalogService>;
  let rules: Map<ServiceKey, TrafficRule>;
  let edge: Map<ServiceKey, TrafficRule>;
  let state: MeshState;

  beforeEach(() => {
    services = new Map([
      [key, mergeService([shard('edge', 'reviews')])],
      [other, mergeService([shard('edge', 'ratings')])],
    ]);
    rules = new Map([[key, v1]]);
    edge = new Map();
    const memberRules = new Map([['edge', edge]]);
    state = new MeshState({ services, rules, memberRules }, defaultMeshSettings);
    state.update([key, other]);
  });

  const dirty = new Map([['edge', new Set([key])]]);
  const ruleOf = (cluster: string): string | undefined =>
    state.meshOf(cluster).services.get(key)?.routes[0]?.backends[0]?.chain[0]?.version;

  function say(rule: TrafficRule | undefined): void {
    if (rule === undefined) edge.delete(key);
    else edge.set(key, rule);
    state.update([], dirty);
  }

  it('is the very mesh of all while it has none, and for everybody else', () => {
    assert.equal(state.meshOf('edge'), state.mesh);
    say(v2);
    assert.equal(state.meshOf('hub'), state.mesh);
    assert.notEqual(state.meshOf('edge'), state.mesh);
    assert.equal(state.meshOf('edge'), state.meshOf('edge'), 'made once');
    assert.deepEqual([ruleOf('edge'), ruleOf('hub')], ['v2', 'v1']);
    assert.equal(state.meshOf('edge').services.get(other), state.mesh.services.get(other));
    say(undefined);
    assert.equal(state.meshOf('edge'), state.mesh);
  });

  it('changes with what all see, and says what changed for it alone', () => {
    say(v2);
    assert.deepEqual([...state.memberChanges], [['edge', new Set([key])]]);
    const before = state.meshOf('edge').services.get(key);
    services.set(key, mergeService([shard('edge', 'reviews'), shard('hub', 'reviews')]));
    state.update([key]);
    const after = state.meshOf('edge').services.get(key);
    assert.notEqual(after, before);
    assert.equal(after?.catalog, services.get(key));
    assert.equal(ruleOf('edge'), 'v2');
    services.delete(key);
    state.update([key]);
    assert.equal(state.meshOf('edge').services.get(key), undefined);
    assert.deepEqual([...state.meshOf('edge').services.keys()], [other]);
  });

  it('raises the revision by itself, and knows since when each cluster sees which rule', () => {
    assert.equal(state.mesh.revision, 1);
    say(v2);
    assert.equal(state.mesh.revision, 2);
    assert.equal(state.ruleSince(v2, 'edge'), 2);
    assert.equal(state.ruleSince(v1, 'edge'), undefined);
    assert.equal(state.ruleSince(v1, 'hub'), 1);
    assert.deepEqual([...state.clustersApart(key)], ['edge']);
    say(v2);
    assert.equal(state.mesh.revision, 2, 'nothing changed');
    say(undefined);
    // It comes back to the rule of all only now.
    assert.equal(state.ruleSince(v1, 'edge'), 3);
    assert.equal(state.ruleSince(v1, 'hub'), 1);
    assert.deepEqual(state.ruleChanges(2, 3, 'edge'), [key]);
    assert.deepEqual(state.ruleChanges(2, 3, 'hub'), []);
  });

  it('goes back to the earlier form of its rule where one is rejected, then to the rule of all, then to none', () => {
    say(v2);
    say(v3);
    const seen = (aside: readonly TrafficRule[], cluster = 'edge'): string | undefined =>
      state.without((rule) => aside.some(({ hash }) => hash === rule.hash), cluster).services.get(key)?.routes[0]
        ?.backends[0]?.chain[0]?.version;
    assert.equal(seen([v3]), 'v2');
    assert.equal(seen([v3, v2]), 'v1');
    assert.equal(seen([v3, v2, v1]), '');
    assert.equal(seen([v1]), 'v3');
    assert.equal(seen([v1], 'hub'), '');
    assert.equal(seen([v3], 'hub'), 'v1');
  });
});
