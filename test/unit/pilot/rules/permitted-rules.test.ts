/** What a TrafficRule may refer to in other namespaces, and that it follows grants in whichever order they and the rules come. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { anywhere, type OtherService, type TrafficRule } from '../../../../src/model/rule.ts';
import type { ServiceKey } from '../../../../src/model/service.ts';
import { PermittedRules } from '../../../../src/pilot/rules/permitted-rules.ts';
import { permittedRule } from '../../../../src/rules/traffic-rule/cross-namespace.ts';
import { route } from '../../../support/fixtures.ts';

const key = 'shop/reviews' as ServiceKey;
const [near, far, lab]: readonly OtherService[] = [
  { namespace: 'shop', name: 'ratings' },
  { namespace: 'other', name: 'far' },
  { namespace: 'lab', name: 'next' },
];

function ruleTo(hash: string, backends: readonly (OtherService | undefined)[], mirror?: OtherService): TrafficRule {
  return {
    ref: { namespace: 'shop', name: 'reviews', generation: 1 },
    service: key,
    createdAtMs: 0,
    hash,
    origin: '',
    routes: [
      route(
        'all',
        backends.map((service) => ({ weight: 1, chain: [anywhere], ...(service === undefined ? {} : { service }) })),
        mirror === undefined ? {} : { mirrors: [{ destination: anywhere, percent: 100, service: mirror }] },
      ),
    ],
  };
}

describe('rules that refer to other namespaces', () => {
  it('are as they were where they may, or need no leave', () => {
    for (const rule of [ruleTo('a', [undefined, near]), ruleTo('b', [near], near)])
      assert.equal(
        permittedRule(rule, () => false),
        rule,
      );
    const rule = ruleTo('c', [far], lab);
    assert.equal(
      permittedRule(rule, () => true),
      rule,
    );
  });

  it('answer the share that they may not lead elsewhere with an error, and leave such mirrors out', () => {
    const rule = ruleTo('a', [undefined, far, lab], far);
    const form = permittedRule(rule, (from, to) => from === 'shop' && to === lab);
    const [only] = form.routes;
    assert.deepEqual(
      only?.backends.map(({ refused, service }) => [refused, service?.name]),
      [
        [undefined, undefined],
        ['no ReferenceGrant in other lets TrafficRules of shop refer to Service far', undefined],
        [undefined, 'next'],
      ],
    );
    assert.equal(only?.mirrors, undefined);
    assert.notEqual(form.hash, rule.hash);
  });

  it('end in the same forms, whatever came first, and say which services may be other', () => {
    const pool = [undefined, ruleTo('a', [far]), ruleTo('b', [near]), ruleTo('c', [lab], far)];
    const anyStep = fc.oneof(
      fc.record({ rule: fc.nat(pool.length - 1) }),
      fc.record({ grant: fc.constantFrom('other', 'lab'), is: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), (steps) => {
        const rules = new Map<ServiceKey, TrafficRule>();
        const granted = new Set<string>();
        const permitted = new PermittedRules(rules, (_, { namespace }) => granted.has(namespace));
        let seen: TrafficRule | undefined;
        for (const step of steps) {
          if ('rule' in step) {
            const rule = pool[step.rule];
            if (rule === undefined) rules.delete(key);
            else rules.set(key, rule);
            seen = permitted.get(key);
          } else {
            if (step.is) granted.add(step.grant);
            else granted.delete(step.grant);
            permitted.granted(step.grant);
            for (const service of permitted.takeChanged()) seen = permitted.get(service);
          }
          const rule = rules.get(key);
          const expected = rule && permittedRule(rule, (_, { namespace }) => granted.has(namespace));
          assert.deepEqual(seen, expected);
        }
      }),
      { numRuns: 500 },
    );
  });
});
