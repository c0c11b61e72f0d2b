import assert from 'node:assert/strict';
import type { TrafficRule } from '../../../../src/model/rule.ts';
import { type ServiceKey, serviceKey } from '../../../../src/model/service.ts';
import type { ServicePolicy } from '../../../../src/model/service-policy.ts';
import { RulesInForce } from '../../../../src/pilot/rules/rules-in-force.ts';

const service = serviceKey('shop', 'reviews');

function rule(name: string, more: Partial<TrafficRule> = {}): TrafficRule {
  return {
    ref: { namespace: 'shop', name, generation: 1 },
    service,
    createdAtMs: 0,
    routes: [],
    hash: `hash of ${name}`,
    origin: `${name}.yaml`,
    ...more,
  };
}

const policy: ServicePolicy = { panicThresholdPercent: 7 };

describe('rules in force', () => {
  const layers = [new Map<ServiceKey, TrafficRule>(), new Map<ServiceKey, TrafficRule>()] as const;
  let inForce: RulesInForce;
  const put = (layer: 0 | 1, of: TrafficRule | undefined): TrafficRule | undefined => {
    if (of === undefined) layers[layer].delete(service);
    else layers[layer].set(service, of);
    inForce.changed([service]);
    return inForce.table.get(service);
  };
  beforeEach(() => {
    for (const layer of layers) layer.clear();
    inForce = new RulesInForce(layers);
  });

  it('are those of the one layer that speaks of a service, the very same', () => {
    const own = rule('own', { policy });
    assert.equal(put(1, own), own);
    assert.equal(inForce.carrier(own), own);
    assert.equal(put(1, undefined), undefined);
  });

  it('are those of the strongest layer with routes', () => {
    const [strong, weak] = [rule('strong'), rule('weak')];
    put(1, weak);
    assert.equal(put(0, strong), strong);
    assert.equal(inForce.carrier(weak), weak);
    assert.equal(put(0, undefined), weak);
  });

  it('have the policy of a rule without routes, and the routes of another layer', () => {
    const [treats, routes] = [rule('treats', { policyOnly: true, policy }), rule('routes')];
    put(0, treats);
    const both = put(1, routes);
    assert.equal(both?.routes, routes.routes);
    assert.equal(both?.policy, policy);
    assert.equal(both?.ref.name, 'routes+treats');
    assert.equal(inForce.carrier(treats), both);
    assert.equal(inForce.carrier(routes), both);
    assert.equal(put(1, routes), both, 'the same as long as both are');
    assert.equal(put(0, undefined), routes);
  });

  it('are a rule without routes, where no other layer has some', () => {
    const treats = rule('treats', { policyOnly: true, policy });
    assert.equal(put(0, treats), treats);
  });

  it('take a policy out of a weaker layer, where the stronger has none', () => {
    const both = (put(1, rule('weak', { policy })), put(0, rule('strong')));
    assert.equal(both?.policy, policy);
    assert.equal(both?.hash, 'hash of strong+hash of weak');
  });

  it('can say what they would be, and change nothing', () => {
    const routes = rule('routes');
    put(1, routes);
    const own = rule('own');
    const policyAlone = rule('policy', { policy, policyOnly: true });
    assert.equal(inForce.with(service, new Map([[layers[0], own]])), own);
    assert.equal(inForce.with(service, new Map()), routes);
    const both = inForce.with(service, new Map([[layers[0], policyAlone]]));
    assert.deepEqual([both?.routes, both?.policy, both?.ref.name], [routes.routes, policy, 'routes+policy']);
    assert.equal(inForce.with(service, new Map([[layers[1], undefined]])), undefined);
    assert.equal(inForce.table.get(service), routes);
  });
});
