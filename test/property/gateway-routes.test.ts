/**
 * What routes of the Gateway API come to does not depend on the order of events: routes, grants and services that come, change and go in any order
 * end in the very rules and verdicts that a table has which is given the last state at once.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Outcome } from '../../src/gateway-api/compile.ts';
import { type RouteId, routeKinds } from '../../src/gateway-api/route.ts';
import { parentVerdicts } from '../../src/gateway-api/verdicts.ts';
import type { ServiceKey } from '../../src/model/service.ts';
import { GatewayScene } from '../support/gateway-objects.ts';

const namespaces = ['shop', 'web'] as const;
const names = ['a', 'b', 'c'] as const;
const keys = namespaces.flatMap((namespace) => names.map((name): ServiceKey => `${namespace}/${name}`));
const portSets = [
  ['80 requests'],
  ['80 requests', '6379 connections tcp'],
  ['443 connections tls tls', '8080 requests alt'],
];

const reference = fc.record({
  name: fc.constantFrom(...names),
  namespace: fc.constantFrom(...namespaces),
  port: fc.constantFrom(80, 8080, 6379, 443),
  group: fc.constantFrom('', '', '', 'multicluster.x-k8s.io'),
});

const parents = fc.uniqueArray(
  reference.map(({ port, group, ...ref }) => ({
    group,
    kind: group === '' ? 'Service' : 'ServiceImport',
    ...ref,
    ...(port === 443 ? {} : { port }),
  })),
  { maxLength: 2, selector: (parent) => JSON.stringify(parent) },
);

const backends = fc.array(
  fc.record({ ref: reference, weight: fc.integer({ min: 0, max: 3 }) }).map(({ ref: { group, ...ref }, weight }) => ({
    ...ref,
    group,
    kind: group === '' ? 'Service' : 'ServiceImport',
    weight,
  })),
  { minLength: 1, maxLength: 2 },
);

const path = fc.constantFrom(
  { value: '/' },
  { value: '/x' },
  { type: 'Exact', value: '/x' },
  { type: 'RegularExpression', value: '/.*' },
);
const requestRule = fc
  .record({ path, backends })
  .map(({ path: match, backends: backendRefs }) => ({ match, backendRefs }));

const routeObject = fc
  .record({
    kind: fc.constantFrom(...routeKinds),
    name: fc.constantFrom('r', 's', 't'),
    namespace: fc.constantFrom(...namespaces),
    age: fc.constantFrom('2025-01-01T00:00:00Z', '2026-01-01T00:00:00Z'),
    parents,
    rules: fc.array(requestRule, { minLength: 1, maxLength: 2 }),
    host: fc.constantFrom('one.example', '*.example'),
  })
  .map(({ kind, name, namespace, age, parents: parentRefs, rules, host }) => ({
    id: `${kind} ${namespace}/${name}`,
    object: {
      kind,
      metadata: { name, namespace, creationTimestamp: age },
      spec: {
        parentRefs,
        ...(kind === 'TLSRoute' ? { hostnames: [host] } : {}),
        rules:
          kind === 'HTTPRoute'
            ? rules.map(({ match, backendRefs }) => ({ matches: [{ path: match }], backendRefs }))
            : kind === 'GRPCRoute'
              ? rules.map(({ backendRefs }, i) => ({ matches: [{ method: { service: `s${i}` } }], backendRefs }))
              : rules.slice(0, 1).map(({ backendRefs }) => ({ backendRefs })),
      },
    },
  }));

const grantObject = fc
  .record({
    namespace: fc.constantFrom(...namespaces),
    kind: fc.constantFrom(...routeKinds),
    from: fc.constantFrom(...namespaces),
    name: fc.option(fc.constantFrom(...names), { nil: undefined }),
  })
  .map(({ namespace, kind, from, name }) => ({
    id: `ReferenceGrant ${namespace}/${kind.toLowerCase()}`,
    object: {
      kind: 'ReferenceGrant',
      metadata: { name: kind.toLowerCase(), namespace },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind, namespace: from }],
        to: [{ group: '', kind: 'Service', ...(name === undefined ? {} : { name }) }],
      },
    },
  }));

type Step =
  | { readonly kind: 'put'; readonly id: string; readonly object: object }
  | { readonly kind: 'delete'; readonly id: string; readonly object: object }
  | { readonly kind: 'service'; readonly key: ServiceKey; readonly ports: readonly string[] | undefined };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: routeObject.map((one) => ({ kind: 'put', ...one }) as const) },
  { weight: 1, arbitrary: routeObject.map((one) => ({ kind: 'delete', ...one }) as const) },
  { weight: 2, arbitrary: grantObject.map((one) => ({ kind: 'put', ...one }) as const) },
  { weight: 1, arbitrary: grantObject.map((one) => ({ kind: 'delete', ...one }) as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('service' as const),
      key: fc.constantFrom(...keys),
      ports: fc.option(fc.constantFrom(...portSets), { nil: undefined }),
    }),
  },
);

function run(scene: GatewayScene, one: Step): void {
  if (one.kind === 'put') scene.apply(JSON.stringify(one.object));
  else if (one.kind === 'delete') scene.delete(one.id);
  else if (one.ports === undefined) scene.removeService(one.key);
  else scene.service(one.key, ...one.ports);
}

function said({ route, parent, ports, refusal, note, problems, ...rest }: Outcome): unknown {
  const outcome = { route, parent, ports, ...rest, problems, ...(refusal && { refusal }), ...(note && { note }) };
  return [parent.given, ports, parentVerdicts(outcome, undefined)];
}

function shown(scene: GatewayScene, ids: readonly string[]): unknown {
  scene.table.update();
  return {
    rules: keys.map((key) => scene.table.rules.get(key)),
    outcomes: ids.map((id) => [id, scene.table.outcomes(id as RouteId).map(said)]),
  };
}

describe('routes of the Gateway API: the order of events', () => {
  it('does not matter', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), fc.infiniteStream(fc.nat()), (steps, order) => {
        const live = new GatewayScene();
        for (const one of steps) run(live, one);
        const last = new Map(steps.map((one) => [one.kind === 'service' ? one.key : one.id, one]));
        const cold = new GatewayScene();
        const shuffled = [...last.values()]
          .map((one) => [order.next().value ?? 0, one] as const)
          .sort(([a], [b]) => a - b)
          .map(([, one]) => one);
        for (const one of shuffled) if (one.kind !== 'delete') run(cold, one);
        const ids = [...last.keys()];
        assert.deepEqual(shown(live, ids), shown(cold, ids));
      }),
      { numRuns: 150 },
    );
  });
});
