/** A view in front of a base is to its readers what a view of its own with the same resources is: in every state, and in every difference. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LayeredMap } from '../../src/core/layered-map.ts';
import type { EncodedResource } from '../../src/core/resource.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { Replica } from '../../src/xds/replica.ts';
import { Replicas } from '../../src/xds/replicas.ts';
import type { ResourceView } from '../../src/xds/view.ts';
import { testResource } from '../support/xds-views.ts';

const url = typeUrl.virtualHost;
const names = ['a', 'b', 'c', 'd'];
const anyResource = fc.option(
  fc.record({ content: fc.constantFrom('1', '2'), alias: fc.constantFrom('x', 'y', undefined) }),
  { nil: undefined },
);
type Shape = typeof anyResource extends fc.Arbitrary<infer T> ? T : never;

const anyStep = fc.record({
  base: fc.dictionary(fc.constantFrom(...names), anyResource, { maxKeys: 3 }),
  /** `as-base`: no longer otherwise. */
  own: fc.dictionary(fc.constantFrom(...names), fc.oneof(anyResource, fc.constant('as-base' as const)), { maxKeys: 3 }),
  /** What a wildcard means from now on, or no longer. */
  meantInBase: fc.dictionary(fc.constantFrom(...names), fc.boolean(), { maxKeys: 2 }),
  meantHere: fc.dictionary(fc.constantFrom(...names), fc.boolean(), { maxKeys: 2 }),
  lapses: fc.boolean(),
});

class View implements ResourceView {
  readonly id = 'view';
  revision = 0;
  ready = true;
  readonly base?: ResourceView;
  readonly map = new Map<string, EncodedResource | undefined>();
  readonly meant = new Set<string>();
  wildcardNames?: (of: string) => ReadonlySet<string> | undefined;

  constructor(base?: ResourceView) {
    if (base !== undefined) this.base = base;
  }

  resources(of: string): ReadonlyMap<string, EncodedResource> {
    if (of !== url) return new Map();
    return this.base === undefined
      ? (this.map as ReadonlyMap<string, EncodedResource>)
      : new LayeredMap(this.base.resources(of), this.map);
  }

  own(of: string): ReadonlyMap<string, EncodedResource | undefined> {
    return of === url ? this.map : new Map();
  }
}

function mean(view: View, names: Readonly<Record<string, boolean>>, told: Set<string>): void {
  for (const [name, is] of Object.entries(names)) {
    told.add(name);
    if (is) view.meant.add(name);
    else view.meant.delete(name);
  }
}

/** Each name has an alias of its own, which at most one resource has. */
function made(name: string, { content, alias }: Exclude<Shape, undefined>): EncodedResource {
  return testResource(url, name, content, alias === undefined ? {} : { aliases: [`${alias}-${name}`] });
}

describe('replicas in front of a base', () => {
  it('read as replicas of their own do', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), fc.boolean(), fc.boolean(), (steps, isLate, isLimited) => {
        const base = new View();
        const view = new View(base);
        if (isLimited)
          for (const each of [base, view]) each.wildcardNames = (of) => (of === url ? each.meant : undefined);
        const replicas = new Replicas();
        const replica = replicas.of(view);
        const plainView: ResourceView = {
          id: '',
          revision: 0,
          ready: true,
          resources: (of) => new Map(view.resources(of)),
          wildcardNames: (of) => (isLimited && of === url ? base.meant.union(view.meant) : undefined),
        };
        const plain = new Replica(plainView);
        for (const { base: ofBase, own, lapses, meantInBase, meantHere } of steps) {
          if (lapses) {
            view.ready = false;
            replicas.changed(view, new Map());
            assert.equal(replica.ready, false);
          }
          const baseNames = new Set(Object.keys(ofBase));
          for (const [name, shape] of Object.entries(ofBase)) {
            if (shape === undefined) base.map.delete(name);
            else base.map.set(name, made(name, shape));
          }
          const ownNames = new Set(Object.keys(own));
          for (const [name, shape] of Object.entries(own)) {
            if (shape === 'as-base') view.map.delete(name);
            else view.map.set(name, shape === undefined ? undefined : made(name, shape));
          }
          mean(base, meantInBase, baseNames);
          mean(view, meantHere, ownNames);
          view.ready = true;
          replicas.changed(base, new Map([[url, baseNames]]));
          const tail = replica.tail;
          const changed = replicas.changed(view, isLate ? undefined : new Map([[url, ownNames]]));
          const plainTail = plain.tail;
          plain.update(undefined);
          const [one, two] = [replica.type(url), plain.type(url)];
          assert.deepEqual(versions(one.resources), versions(two.resources));
          assert.equal(one.resources.size, two.resources.size);
          assert.deepEqual([one.version, one.bytes], [two.version, two.bytes]);
          assert.deepEqual(
            one.meant.names && [...one.meant.names].sort(),
            two.meant.names && [...two.meant.names].sort(),
          );
          for (const name of names) assert.equal(one.meant.names?.has(name), two.meant.names?.has(name));
          for (const alias of names.flatMap((name) => [`x-${name}`, `y-${name}`]))
            assert.deepEqual(
              [one.names.get(alias), one.names.has(alias)],
              [two.names.get(alias), two.names.has(alias)],
            );
          assert.deepEqual(one.answers.all().names.toSorted(), two.answers.all().names.toSorted());
          // After a lapse there is nobody to tell of differences.
          if (lapses) continue;
          assert.equal(changed !== undefined, plain.tail !== plainTail);
          assert.equal(replica.tail !== tail, plain.tail !== plainTail);
          if (plain.tail === plainTail) continue;
          const said = new Map(replica.tail.diffs.get(url));
          assert.deepEqual(versions(said), versions(plain.tail.diffs.get(url) ?? new Map()));
          const [turned, turnedPlain] = [replica.tail.turned.get(url), plain.tail.turned.get(url)];
          assert.deepEqual([...(turned ?? [])].sort(), [...(turnedPlain ?? [])].sort());
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('share what their clients are sent first where nothing differs', () => {
    const base = new View();
    base.map.set('a', testResource(url, 'a'));
    const [one, two] = [new View(base), new View(base)];
    two.map.set('b', testResource(url, 'b'));
    const replicas = new Replicas();
    const [first, second] = [replicas.of(one), replicas.of(two)];
    assert.equal(first.type(url).answers, replicas.of(base).type(url).answers);
    assert.equal(first.type(url).page, replicas.of(base).type(url).page);
    assert.notEqual(second.type(url).page, first.type(url).page);
    assert.deepEqual(second.type(url).answers.all().names, ['a', 'b']);
  });
});

function versions(map: ReadonlyMap<string, EncodedResource | undefined>): unknown[] {
  return [...map]
    .map(([name, resource]) => [name, resource?.version, resource?.aliases?.join()])
    .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1));
}
