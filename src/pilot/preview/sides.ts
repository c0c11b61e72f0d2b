/**
 * Services as proxies see them now, and as they would see them: those that a change concerns, compiled with the rules that would be in force.
 *
 * In: the engine, and what would be others: rules, services, the rules of members. Out: for a scope, the services in question before and after.
 * What always holds: a cluster's own rule goes before that of the mesh, now and then; a form that a proxy rejected gives way to the new one. A
 * service is in question too if the routes of another need other chains of it than now, or lead to it and its load is moved out otherwise.
 */

import { compileService } from '../../mesh/compile.ts';
import type { DrainOf } from '../../mesh/drain.ts';
import { Elsewhere, servicesElsewhere } from '../../mesh/elsewhere.ts';
import type { MemberRuleTable } from '../../mesh/member-meshes.ts';
import { exportedKey } from '../../model/clusterset.ts';
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
  /** Those in question for nothing but what others' routes need of them. */
  readonly led: ReadonlySet<ServiceKey>;
  /** Nothing would be another. */
  readonly isEmpty: boolean;
}

export function sidesOf(engine: Engine, changes: MeshChanges): Sides {
  // Taken once: what happens to the mesh meanwhile is another change.
  const { services: present } = engine.mesh;
  const { elsewhere } = engine;
  const then = elsewhere.with(new Map([...changes.rules].map(([key, rule]) => [key, rule?.routes])));
  const own = concernedKeys(engine, changes);
  const ledTo = then.touched.union(ledByMembers(changes));
  const led = new Set([...ledTo].flatMap((name) => [...engine.ruledKeys(name)]).filter((key) => !own.has(key)));
  const keys = own.union(led);
  const [ofMembersNow, ofMembersThen] = [memberNeeds(changes.membersBefore), memberNeeds(changes.membersAfter)];
  const isKnown = (key: ServiceKey): boolean => changes.services.has(key);
  const drainNow: DrainOf = (key) =>
    (isKnown(key) ? changes.services.get(key)?.before : present.get(key)?.catalog)?.drain;
  const drainThen: DrainOf = (key) =>
    (isKnown(key) ? changes.services.get(key)?.after : present.get(key)?.catalog)?.drain;
  const catalogs = new Map<ServiceKey, CatalogService>();
  for (const key of keys) {
    const known = changes.services.get(key);
    const catalog = known === undefined ? present.get(key)?.catalog : known.after;
    if (catalog !== undefined) catalogs.set(key, catalog);
  }
  const nameOf = (catalog: CatalogService): ServiceKey | undefined => {
    const { key, ruledAs } = catalog;
    if (ruledAs === undefined) return exportedKey(key);
    return engine.catalog.has(ruledAs) ? undefined : ruledAs;
  };
  const ruleThen = (name: ServiceKey): TrafficRule | undefined =>
    changes.rules.has(name) ? changes.rules.get(name) : engine.ruleInForce(name);
  const forms = new Map<string, MeshService>();
  const after = (catalog: CatalogService, cluster: string): MeshService => {
    const name = nameOf(catalog);
    const ofMember = name === undefined ? undefined : changes.membersAfter.get(cluster)?.get(name);
    const isOwn = ofMember !== undefined || ofMembersThen(cluster).chains(catalog.key).length > 0;
    const id = `${isOwn ? cluster : ''} ${catalog.key}`;
    let form = forms.get(id);
    if (form === undefined) {
      const rule = ofMember ?? (name === undefined ? undefined : ruleThen(name));
      const needed = [...then.chains(catalog.key), ...ofMembersThen(cluster).chains(catalog.key)];
      form = compileService(catalog, rule, { needed, drainOf: drainThen });
      forms.set(id, form);
    }
    return form;
  };
  /** Its load, or that of a service that its routes lead to, is not where it will be in the end. */
  const isOnItsWay = ({ catalog: seen, routes }: MeshService, end: CatalogService): boolean =>
    seen.drain?.id !== end.drain?.id ||
    servicesElsewhere(routes).some((key) => isKnown(key) && drainNow(key)?.id !== present.get(key)?.catalog.drain?.id);
  const before = (key: ServiceKey, scope: Scope): MeshService | undefined => {
    const seen = engine.meshSeenBy(scope).services.get(key);
    const catalog = changes.services.get(key)?.before ?? seen?.catalog;
    if (seen === undefined || catalog === undefined || !isOnItsWay(seen, catalog)) return seen;
    // Other drains are on their way: the end of all is compared.
    const name = nameOf(catalog);
    const rule =
      name === undefined
        ? undefined
        : (changes.membersBefore.get(scope.cluster)?.get(name) ?? engine.ruleInForce(name));
    const needed = [...elsewhere.chains(key), ...ofMembersNow(scope.cluster).chains(key)];
    return compileService(catalog, rule, { needed, drainOf: drainNow });
  };
  // Proxyless clients are told of what they ask for alone.
  const concerns = (scope: Scope, key: ServiceKey): boolean => scope.mode !== 'grpc' || engine.wanted.has(key);
  return {
    isEmpty: keys.size === 0,
    led,
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

/** By cluster, what its own rules need of other services. */
function memberNeeds(table: MemberRuleTable): (cluster: string) => Pick<Elsewhere, 'chains'> {
  const known = new Map<string, Elsewhere>();
  return (cluster) => {
    let elsewhere = known.get(cluster);
    if (elsewhere === undefined) {
      elsewhere = new Elsewhere();
      for (const [key, { routes }] of table.get(cluster) ?? []) elsewhere.set(key, routes);
      known.set(cluster, elsewhere);
    }
    return elsewhere;
  };
}

/** Services that rules of members lead to which would be others. */
function ledByMembers({ membersBefore, membersAfter }: MeshChanges): ReadonlySet<ServiceKey> {
  const led = new Set<ServiceKey>();
  for (const cluster of new Set([...membersBefore.keys(), ...membersAfter.keys()])) {
    const [was, is] = [membersBefore.get(cluster), membersAfter.get(cluster)];
    for (const name of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])) {
      const rules = [was?.get(name), is?.get(name)];
      if (rules[0] === rules[1]) continue;
      for (const rule of rules) for (const key of servicesElsewhere(rule?.routes ?? [])) led.add(key);
    }
  }
  return led;
}

function concernedKeys(engine: Engine, changes: MeshChanges): ReadonlySet<ServiceKey> {
  const { rules, services, membersBefore, membersAfter } = changes;
  const names = new Set(rules.keys());
  for (const cluster of new Set([...membersBefore.keys(), ...membersAfter.keys()])) {
    const [was, is] = [membersBefore.get(cluster), membersAfter.get(cluster)];
    for (const name of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]))
      if (was?.get(name) !== is?.get(name)) names.add(name);
  }
  for (const [key, { before, after }] of services)
    if (before?.drain?.id !== after?.drain?.id) for (const source of engine.elsewhere.sources(key)) names.add(source);
  const keys = new Set([...names].flatMap((name) => [...engine.ruledKeys(name)]));
  return keys.union(new Set(services.keys()));
}
