import assert from 'node:assert/strict';
import { mergeService } from '../../../src/catalog/merge.ts';
import { MeshState } from '../../../src/mesh/mesh-state.ts';
import { defaultMeshSettings } from '../../../src/model/mesh.ts';
import { chainName, type TrafficRule } from '../../../src/model/rule.ts';
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
  trafficRule({ hash: version, generation, backends: [{ weight: 1, chain: [{ version, cluster: '' }] }] });

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
            chain: [
              { version: 'v2', cluster: 'west' },
              { version: '', cluster: '' },
            ],
          },
          { weight: 1, chain: [{ version: 'v1', cluster: '' }] },
          { weight: 0, chain: [{ version: 'v9', cluster: '' }] },
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
    assert.equal(state.ruleSince(key), 2);
  });

  it('raises its revision for a rule whose service is not there yet', () => {
    const { state, rules } = setUp();
    rules.set('shop/later', { ...toVersion('v2'), service: 'shop/later' });
    assert.equal(state.update(['shop/later']).size, 0);
    assert.equal(state.mesh.revision, 2);
    assert.equal(state.ruleSince('shop/later'), 2);
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
});
