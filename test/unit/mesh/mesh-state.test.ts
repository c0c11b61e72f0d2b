import assert from 'node:assert/strict';
import { mergeService } from '../../../src/catalog/merge.ts';
import { MeshState } from '../../../src/mesh/mesh-state.ts';
import { defaultMeshSettings } from '../../../src/model/mesh.ts';
import { anywhere, chainName, type TrafficRule, toDestination } from '../../../src/model/rule.ts';
import type { CatalogService, ServiceKey } from '../../../src/model/service.ts';
import { shard, trafficRule } from '../../support/fixtures.ts';

const key: ServiceKey = 'shop/reviews';

function setUp(): { services: Map<ServiceKey, CatalogService>; rules: Map<ServiceKey, TrafficRule>; state: MeshState } {
  const services = new Map<ServiceKey, CatalogService>([[key, mergeService([shard('east', 'reviews')])]]);
  const rules = new Map<ServiceKey, TrafficRule>();
  const state = new MeshState({ services, rules }, defaultMeshSettings);
  state.update([key]);
  return { services, rules, state };
}

const toVersion = (version: string, generation = 1): TrafficRule =>
  trafficRule({ hash: version, generation, backends: [{ weight: 1, chain: [toDestination({ version })] }] });

describe('the mesh', () => {
  it('sends everything anywhere without a rule', () => {
    const service = setUp().state.mesh.services.get(key);
    assert.deepEqual(
      service?.routes.map(({ name }) => name),
      ['default'],
    );
    assert.deepEqual(service?.chains.map(chainName), ['']);
  });

  it('has one chain per distinct backend that takes requests, and always anywhere', () => {
    const { rules, state } = setUp();
    rules.set(
      key,
      trafficRule({
        hash: 'a',
        backends: [
          {
            weight: 1,
            chain: [toDestination({ version: 'v2', cluster: 'west' }), anywhere],
          },
          { weight: 1, chain: [toDestination({ version: 'v1' })] },
          { weight: 0, chain: [toDestination({ version: 'v9' })] },
        ],
      }),
    );
    state.update([key]);
    assert.deepEqual(state.mesh.services.get(key)?.chains.map(chainName), ['', 'v1', 'v2.west>*']);
  });

  it('raises its revision only when something changed', () => {
    const { state, rules } = setUp();
    assert.equal(state.mesh.revision, 1);
    state.update([key]);
    assert.equal(state.mesh.revision, 1);
    rules.set(key, toVersion('v2'));
    assert.deepEqual([...state.update([key])], [key]);
    assert.equal(state.ruleSince(toVersion('v2')), 2);
    assert.equal(state.ruleSince(toVersion('v3')), undefined);
  });

  it('raises its revision for a rule whose service is not there yet', () => {
    const { state, rules } = setUp();
    const later: TrafficRule = { ...toVersion('v2'), service: 'shop/later' };
    rules.set('shop/later', later);
    assert.equal(state.update(['shop/later']).size, 0);
    assert.equal(state.mesh.revision, 2);
    assert.equal(state.ruleSince(later), 2);
  });

  it('gives who rejects a rule the form before it, and nobody else', () => {
    const { state, rules } = setUp();
    const [good, bad] = [toVersion('v1', 1), toVersion('v2', 2)];
    rules.set(key, good);
    state.update([key]);
    rules.set(key, bad);
    state.update([key]);
    assert.equal(state.mesh.services.get(key)?.rule, bad.ref);
    const without = state.without((rule) => rule === bad);
    assert.equal(without.services.get(key)?.rule, good.ref);
    assert.equal(state.without((rule) => rule === bad).services.get(key), without.services.get(key), 'made once');
    assert.equal(state.without(() => true).services.get(key)?.rule, undefined);
  });

  it('falls back over several forms, each once, and forgets them with the rule', () => {
    const { state, rules } = setUp();
    for (const version of ['v1', 'v2', 'v1', 'v3', 'v4']) {
      rules.set(key, toVersion(version));
      state.update([key]);
    }
    const aside = (...hashes: string[]): string | undefined =>
      state.ruleWithout(key, ({ hash }) => hashes.includes(hash))?.hash;
    assert.deepEqual([aside(), aside('v4'), aside('v4', 'v3'), aside('v4', 'v3', 'v1')], ['v4', 'v3', 'v1', 'v2']);
    assert.deepEqual(
      [...state.ruleForms()].map(({ hash }) => hash),
      ['v4', 'v3', 'v1', 'v2'],
    );
    for (let i = 0; i < 100; i++) {
      rules.set(key, toVersion(`more-${i}`));
      state.update([key]);
    }
    assert.equal([...state.ruleForms()].length, 5);
    rules.delete(key);
    state.update([key]);
    rules.set(key, toVersion('v5'));
    state.update([key]);
    assert.equal(aside('v5'), undefined);
  });
});
