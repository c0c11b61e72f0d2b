/** What is foretold of a scope, against what becomes of it: the same resources, of the same size. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shortTypeName, type TypeUrl, typeUrl } from '../../../src/core/type-urls.ts';
import { ScopeResources } from '../../../src/envoy/scope-resources.ts';
import type { Mesh, Scope } from '../../../src/model/mesh.ts';
import type { ServiceKey } from '../../../src/model/service.ts';
import { type Side, scopeChanges } from '../../../src/preview/scope-changes.ts';
import { parseMeshFixture } from '../../support/mesh-fixture.ts';

const key: ServiceKey = 'shop/reviews';
const text = (rules: string): string => `
scope: {cluster: east, namespace: shop}
services:
- name: reviews
  clusters:
    east: {vips: [10.1.0.5], ports: ['80:http', '6379:tcp:redis'], endpoints: [{address: 10.10.0.1, version: v1}]}
    west: {vips: [10.2.0.5], ports: ['80:http', '6379:tcp:redis'], endpoints: [{address: 10.20.0.1, version: v2}]}
- name: ratings
  clusters:
    east: {vips: [10.1.0.6], ports: ['80:http'], endpoints: [{address: 10.10.1.1, version: v1}]}
${rules}`;

const rule = (spec: string): string =>
  `rules: [{apiVersion: fairway.dev/v1alpha1, kind: TrafficRule, metadata: {name: reviews, namespace: shop}, spec: {service: reviews, ${spec}}}]`;

const before = text('');
const changes = {
  'a first rule': rule('routes: [{backends: [{version: v1, weight: 1}, {version: v2, weight: 3, fallback: [{}]}]}]'),
  'a policy': rule('loadBalancing: {policy: random}'),
};

const scopes: Readonly<Record<string, Partial<Scope>>> = {
  'captured, whole tables': { mode: 'captured', routes: 'tables' },
  'captured, hosts by themselves': { mode: 'captured', routes: 'vhds' },
  'explicit, whole tables': { mode: 'explicit', routes: 'tables' },
  'explicit, on demand': { mode: 'explicit', routes: 'on-demand' },
};

const types = Object.keys(shortTypeName) as TypeUrl[];

type Sizes = ReadonlyMap<string, number>;

function sizesOf(resources: ScopeResources): ReadonlyMap<TypeUrl, Sizes> {
  return new Map(
    types.map((url) => [url, new Map([...resources.resources(url)].map(([name, { body }]) => [name, body.length]))]),
  );
}

function sideOf({ services }: Mesh, scope: Scope): Side {
  const service = services.get(key);
  return { scope, services: new Map(service === undefined ? [] : [[key, service]]) };
}

describe('changes of a scope', () => {
  for (const [title, fields] of Object.entries(scopes)) {
    for (const [what, rules] of Object.entries(changes)) {
      it(`${title}: ${what} brings what was foretold`, () => {
        const { mesh: was, scope: drawn } = parseMeshFixture(before);
        const { mesh: is } = parseMeshFixture(text(rules));
        const scope = { ...drawn, ...fields };
        const live = new ScopeResources(scope);
        live.update(was, 'all');
        const sizesBefore = sizesOf(live);
        const versions = types.map((url) => [...live.resources(url)].map(([, { version }]) => version).join());
        const settings = was.settings;
        const foretold = scopeChanges(sideOf(was, scope), sideOf(is, scope), settings, 'delta', (url) =>
          live.resources(url),
        );
        assert.deepEqual(
          types.map((url) => [...live.resources(url)].map(([, { version }]) => version).join()),
          versions,
          'what is live was touched',
        );
        const services = new Map(was.services);
        const service = is.services.get(key);
        assert(service !== undefined);
        services.set(key, service);
        const changed = live.update({ ...was, revision: 2, services }, new Set([key]));
        const sizes = sizesOf(live);
        const real = types.flatMap((url) =>
          [...(changed.get(url) ?? [])].sort().map((name) => {
            const [old, now] = [sizesBefore.get(url)?.get(name), sizes.get(url)?.get(name)];
            const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
            return { type: shortTypeName[url], name, change };
          }),
        );
        assert.deepEqual(sorted(foretold.resources), sorted(real));
        const bytes = types.reduce((sum, url) => {
          const names = [...(changed.get(url) ?? [])];
          return names.reduce((all, name) => all + (sizes.get(url)?.get(name) ?? name.length), sum);
        }, 0);
        // The length of a table or of a part of it is written in one byte more or less.
        assert(Math.abs(foretold.bytes - bytes) <= 4, `${foretold.bytes} foretold, ${bytes} sent`);
        assert(foretold.resources.length > 0);
      });
    }
  }

  it('says a whole set of Envoy clusters where the state of the world is told', () => {
    const { mesh: was, scope } = parseMeshFixture(before);
    const { mesh: is } = parseMeshFixture(text(changes['a first rule']));
    const live = new ScopeResources(scope);
    live.update(was, 'all');
    const told = (transport: 'sotw' | 'delta'): number =>
      scopeChanges(sideOf(was, scope), sideOf(is, scope), was.settings, transport, (url) => live.resources(url)).bytes;
    const others = [...live.resources(typeUrl.cluster)]
      .filter(([name]) => !name.includes('reviews') || name.includes('||'))
      .reduce((sum, [, { body }]) => sum + body.length, 0);
    assert(told('sotw') >= told('delta') + others / 2);
  });

  it('are none for the same services', () => {
    const { mesh, scope } = parseMeshFixture(
      readFileSync(join(import.meta.dirname, '../../golden/in/captured-rule.yaml'), 'utf8'),
    );
    const side = { scope, services: mesh.services };
    const none = scopeChanges(side, side, mesh.settings, 'delta', () => new Map());
    assert.deepEqual(none, { resources: [], virtualHosts: [], bytes: 0 });
  });
});

function sorted(
  resources: readonly { readonly type: string; readonly name: string; readonly change: string }[],
): string[] {
  return resources.map(({ type, name, change }) => `${type} ${change} ${name}`).sort();
}
