/** What Istio's objects come to depends on the objects that are there, not on how they came, changed and went; and costs what a change touches. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { istioKinds } from '../../src/istio/kinds.ts';
import type { IstioObject } from '../../src/istio/parts.ts';
import { IstioTable } from '../../src/istio/table.ts';
import { rawObject } from '../support/rules.ts';

type Plain = Readonly<Record<string, unknown>>;

const service = fc.constantFrom('a', 'b', 'c.web.svc.cluster.local');
const outside = fc.constantFrom('x.example.com', 'y.example.com');
const namespace = fc.constantFrom('shop', 'web');
const subset = fc.constantFrom('s', 't');
const destination = fc.record({ host: service, subset, port: fc.constant({ number: 80 }) }, { requiredKeys: ['host'] });
const httpRoute = fc.oneof(
  fc.record({ route: fc.array(fc.record({ destination }), { minLength: 1, maxLength: 1 }) }),
  fc.record({
    match: fc.constantFrom([{ uri: { prefix: '/p' } }], [{ method: { prefix: 'P' } }]),
    route: fc.array(fc.record({ destination }), { minLength: 1, maxLength: 1 }),
  }),
  fc.record({
    delegate: fc.record({ name: fc.constantFrom('vs0', 'vs1', 'vs2'), namespace }, { requiredKeys: ['name'] }),
  }),
);
const virtualService = fc.record(
  {
    hosts: fc.array(fc.oneof(service, outside), { maxLength: 2 }),
    http: fc.array(httpRoute, { minLength: 1, maxLength: 3 }),
    exportTo: fc.constantFrom(['.'], ['*'], ['web']),
  },
  { requiredKeys: ['http'] },
);
const destinationRule = fc.record(
  {
    host: fc.oneof(service, outside),
    subsets: fc.uniqueArray(
      fc.record({ name: subset, labels: fc.constantFrom({ version: 'v1' }, { version: 'v2' }, { tier: 'x' }) }),
      { selector: ({ name }) => name },
    ),
    trafficPolicy: fc.constantFrom({ loadBalancer: { simple: 'RANDOM' } }, { loadBalancer: { simple: 'ROUND_ROBIN' } }),
  },
  { requiredKeys: ['host'] },
);
const serviceEntry = fc.record({
  hosts: fc.uniqueArray(outside, { minLength: 1 }),
  ports: fc.constant([{ number: 80, protocol: 'HTTP' }]),
  resolution: fc.constant('DNS'),
});

interface Step {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly age: number;
  /** undefined: it goes. */
  readonly spec: Plain | undefined;
}

const step = (kind: string, prefix: string, spec: fc.Arbitrary<Plain>): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constant(kind),
    name: fc.constantFrom(`${prefix}0`, `${prefix}1`, `${prefix}2`),
    namespace,
    age: fc.constantFrom(2020, 2021),
    spec: fc.option(spec, { nil: undefined, freq: 4 }),
  });

const steps = fc.array(
  fc.oneof(
    step('VirtualService', 'vs', virtualService),
    step('DestinationRule', 'dr', destinationRule),
    step('ServiceEntry', 'se', serviceEntry),
  ),
  { minLength: 1, maxLength: 14 },
);

function parsed({ kind, name, namespace: space, age, spec }: Step): IstioObject | undefined {
  const object = {
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: { name, namespace: space, creationTimestamp: `${age}-01-01T00:00:00Z` },
    spec,
  };
  const row = istioKinds.find((each) => each.kind === kind);
  return spec === undefined ? undefined : row?.parse(rawObject(object), { defaultNamespace: 'x' }).value;
}

const keyOf = ({ kind, namespace: space, name }: Step): string => `${kind}/${space}/${name}`;

const ports = (many: boolean) => (): readonly number[] => (many ? [80, 81] : [80]);

function said(table: IstioTable, objects: Iterable<readonly [string, IstioObject]>): unknown {
  const rules = [...table.rules]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, rule]) => [key, rule.hash, rule.origin]);
  const of = [...objects]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, object]) => {
      const own = { ...object, key };
      return [
        key,
        table
          .findings(own)
          .map(({ code, where, message }) => `${code} ${where.field} ${message}`)
          .sort(),
        table.outcomes(own),
      ];
    });
  return [rules, of];
}

describe("Istio's objects, in any order", () => {
  it('come to what they come to when all are there from the start', () => {
    fc.assert(
      fc.property(
        steps,
        fc.array(fc.boolean(), { maxLength: 14 }),
        fc.infiniteStream(fc.nat()),
        (given, pauses, order) => {
          let many = true;
          const live = new IstioTable('cluster.local', () => ports(many)());
          const present = new Map<string, IstioObject>();
          for (const [i, one] of given.entries()) {
            const key = keyOf(one);
            const object = parsed(one);
            live.set(key, object);
            if (object === undefined) present.delete(key);
            else present.set(key, object);
            if (pauses[i] === true) live.update();
            if (i === 3) {
              many = false;
              live.servicesChanged(['shop/a', 'shop/b', 'web/c', 'shop/c', 'web/a', 'web/b']);
            }
          }
          many = false;
          live.servicesChanged(['shop/a', 'shop/b', 'web/c', 'shop/c', 'web/a', 'web/b']);
          live.update();
          const cold = new IstioTable('cluster.local', ports(false));
          const shuffled = [...present]
            .map((entry) => [entry, order.next().value as number] as const)
            .sort(([, a], [, b]) => a - b);
          for (const [[key, object]] of shuffled) cold.set(key, object);
          cold.update();
          assert.deepEqual(said(live, present), said(cold, present));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('leaves alone what a change does not touch', () => {
    const table = new IstioTable('cluster.local', ports(false));
    const put = (name: string, host: string): void => {
      const spec = { hosts: [host], http: [{ route: [{ destination: { host, subset: 's' } }] }] };
      table.set(name, parsed({ kind: 'VirtualService', name, namespace: 'shop', age: 2020, spec }));
    };
    for (let i = 0; i < 50; i++) put(`vs${i}`, `service${i}`);
    assert.equal(table.update().size, 50);
    const before = new Map(table.rules);
    const spec = { host: 'service7', subsets: [{ name: 's', labels: { version: 'v7' } }] };
    table.set('dr', parsed({ kind: 'DestinationRule', name: 'dr', namespace: 'shop', age: 2020, spec }));
    assert.deepEqual([...table.update()], ['shop/service7']);
    for (const [key, rule] of table.rules) assert.equal(rule === before.get(key), key !== 'shop/service7', key);
    table.servicesChanged(['shop/service8']);
    assert.equal(table.update().size, 0);
  });
});
