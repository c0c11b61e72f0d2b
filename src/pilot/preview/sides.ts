/**
 * Services as proxies see them now, and as they would see them: those that a change concerns, compiled with the rules that would be in force.
 *
 * In: the engine, and what would be others: rules, services, the rules of members. Out: for a scope, the services in question before and after.
 * What always holds: a cluster's own rule goes before that of the mesh, now and then; a form that a proxy rejected gives way to the new one.
 */

import { compileService } from '../../mesh/compile.ts';
import type { MemberRuleTable } from '../../mesh/member-meshes.ts';
import type { MeshService, Scope } from '../../model/mesh.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { CatalogService, ServiceKey } from '../../model/service.ts';
import type { Engine } from '../engine.ts';
import type { ServiceChange } from './trial-kinds.ts';

export interface MeshChanges {
  /** The rule in force by service, where it would be another. */
  readonly rules: ReadonlyMap<ServiceKey, TrafficRule | undefined>;
  readonly services: ReadonlyMap<ServiceKey, ServiceChange>;
  /** By cluster, its own rules as they are and as they would be. */
  readonly membersBefore: MemberRuleTable;
  readonly membersAfter: MemberRuleTable;
}

type Services = ReadonlyMap<ServiceKey, MeshService>;

export interface Sides {
  readonly before: (scope: Scope) => Services;
  readonly after: (scope: Scope) => Services;
  /** As most proxies would see them. */
  readonly compiled: Services;
  /** Nothing would be another. */
  readonly isEmpty: boolean;
}

export function sidesOf(engine: Engine, changes: MeshChanges): Sides {
  // Taken once: what happens to the mesh meanwhile is another change.
  const { services: present } = engine.mesh;
  const keys = concernedKeys(engine, changes);
  const catalogs = new Map<ServiceKey, CatalogService>();
  for (const key of keys) {
    const known = changes.services.get(key);
    const catalog = known === undefined ? present.get(key)?.catalog : known.after;
    if (catalog !== undefined) catalogs.set(key, catalog);
  }
  const nameOf = (catalog: CatalogService): ServiceKey | undefined => {
    const { key, ruledAs } = catalog;
    if (ruledAs === undefined) return key;
    return engine.catalog.has(ruledAs) ? undefined : ruledAs;
  };
  const ruleThen = (name: ServiceKey): TrafficRule | undefined =>
    changes.rules.has(name) ? changes.rules.get(name) : engine.ruleInForce(name);
  const forms = new Map<string, MeshService>();
  const after = (catalog: CatalogService, cluster: string): MeshService => {
    const name = nameOf(catalog);
    const own = name === undefined ? undefined : changes.membersAfter.get(cluster)?.get(name);
    const id = `${own === undefined ? '' : cluster} ${catalog.key}`;
    let form = forms.get(id);
    if (form === undefined) {
      form = compileService(catalog, own ?? (name === undefined ? undefined : ruleThen(name)));
      forms.set(id, form);
    }
    return form;
  };
  const before = (key: ServiceKey, scope: Scope): MeshService | undefined => {
    const seen = engine.meshSeenBy(scope).services.get(key);
    const catalog = changes.services.get(key)?.before;
    if (seen === undefined || catalog === undefined || catalog.drain?.id === seen.catalog.drain?.id) return seen;
    // Other drains are on their way: the end of all is compared.
    const name = nameOf(catalog);
    const rule =
      name === undefined
        ? undefined
        : (changes.membersBefore.get(scope.cluster)?.get(name) ?? engine.ruleInForce(name));
    return compileService(catalog, rule);
  };
  // Proxyless clients are told of what they ask for alone.
  const concerns = (scope: Scope, key: ServiceKey): boolean => scope.mode !== 'grpc' || engine.wanted.has(key);
  return {
    isEmpty: keys.size === 0,
    compiled: new Map([...catalogs].map(([key, catalog]) => [key, after(catalog, '')])),
    before: (scope) =>
      new Map(
        [...keys].flatMap((key) => {
          const service = concerns(scope, key) ? before(key, scope) : undefined;
          return service === undefined ? [] : [[key, service] as const];
        }),
      ),
    after: (scope) =>
      new Map(
        [...catalogs].flatMap(([key, catalog]) =>
          concerns(scope, key) ? [[key, after(catalog, scope.cluster)] as const] : [],
        ),
      ),
  };
}

function concernedKeys(engine: Engine, changes: MeshChanges): ReadonlySet<ServiceKey> {
  const { rules, services, membersBefore, membersAfter } = changes;
  const names = new Set(rules.keys());
  for (const cluster of new Set([...membersBefore.keys(), ...membersAfter.keys()])) {
    const [was, is] = [membersBefore.get(cluster), membersAfter.get(cluster)];
    for (const name of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]))
      if (was?.get(name) !== is?.get(name)) names.add(name);
  }
  const keys = new Set([...names].flatMap((name) => [...engine.ruledKeys(name)]));
  return keys.union(new Set(services.keys()));
}
