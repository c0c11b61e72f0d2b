/**
 * All routes and grants, by what they refer to, compiled into one rule per service. Told what changed, it compiles those services anew that may
 * be others for it, and no more; endpoints do not concern it.
 *
 * What always holds: rules and outcomes depend on the routes, grants and services that there are, never on the order in which they came; of one
 * object out of two sources the older copy counts, then the first by source.
 */

import { isDeepStrictEqual } from 'node:util';
import { compareText } from '../core/compare-text.ts';
import type { Merging } from '../model/clusterset.ts';
import type { TrafficRule } from '../model/rule.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { Attachment } from './attach.ts';
import { compileRoutes, type Outcome } from './compile.ts';
import { backendKey } from './references.ts';
import { type GatewayRoute, type Grant, type RouteId, routeId } from './route.ts';
import { type FindTarget, serviceKind, type TargetService } from './targets.ts';

/** The services that a route is for. */
export function parentsOf(route: GatewayRoute): ReadonlySet<ServiceKey> {
  const ours = route.parents.filter((parent) => serviceKind(parent) !== undefined);
  return new Set(ours.map(({ namespace, name }) => serviceKey(namespace, name)));
}

/** The services that it leads to. */
export function backendsOf(route: GatewayRoute): ReadonlySet<ServiceKey> {
  return new Set(route.rules.flatMap(({ backends, mirrors }) => [...backends, ...mirrors].map(backendKey)));
}

export class RouteTable {
  readonly #find: FindTarget;
  readonly #merging: Merging;
  /** All copies of each object, by their records' keys. */
  readonly #copies = new Map<RouteId, Map<string, GatewayRoute>>();
  /** The copies that count. */
  readonly #routes = new Map<RouteId, GatewayRoute>();
  readonly #ofParent = new Map<ServiceKey, Set<RouteId>>();
  readonly #ofBackend = new Map<ServiceKey, Set<RouteId>>();
  /** Routes that refer into a namespace that is not theirs. */
  readonly #into = new Map<string, Set<RouteId>>();
  readonly #grants = new Map<string, Map<string, Grant>>();
  /** Services that routes name, as they were compiled with. */
  readonly #targets = new Map<ServiceKey, TargetService | undefined>();
  readonly #rules = new Map<ServiceKey, TrafficRule>();
  readonly #outcomes = new Map<ServiceKey, readonly Outcome[]>();
  readonly #dirty = new Set<ServiceKey>();
  /** Compiled since this was last taken. */
  #compiled = new Set<ServiceKey>();

  constructor(find: FindTarget, merging: Merging = 'all') {
    this.#find = find;
    this.#merging = merging;
  }

  /** Per service, live. */
  get rules(): ReadonlyMap<ServiceKey, TrafficRule> {
    return this.#rules;
  }

  get isEmpty(): boolean {
    return this.#routes.size === 0;
  }

  /** `key`: of the record that holds it. undefined: it holds none any more. */
  setRoute(key: string, before: GatewayRoute | undefined, after: GatewayRoute | undefined): void {
    for (const id of new Set([before, after].flatMap((route) => (route === undefined ? [] : routeId(route))))) {
      const copies = this.#copies.get(id) ?? new Map<string, GatewayRoute>();
      if (after !== undefined && routeId(after) === id) copies.set(key, after);
      else copies.delete(key);
      if (copies.size === 0) this.#copies.delete(id);
      else this.#copies.set(id, copies);
      this.#replace(id, winnerOf(copies)?.[1]);
    }
  }

  /** The record whose copy of the object counts; undefined: there is none. */
  holder(id: RouteId): string | undefined {
    const copies = this.#copies.get(id);
    return copies === undefined ? undefined : winnerOf(copies)?.[0];
  }

  setGrant(key: string, before: Grant | undefined, after: Grant | undefined): void {
    if (before !== undefined) unindex(this.#grants, before.namespace, key);
    if (after !== undefined) {
      const grants = this.#grants.get(after.namespace) ?? new Map<string, Grant>();
      this.#grants.set(after.namespace, grants.set(key, after));
    }
    for (const grant of [before, after]) {
      for (const id of this.#into.get(grant?.namespace ?? '') ?? []) this.#touch(id);
    }
  }

  /** Of a namespace; live. */
  grants(namespace: string): Iterable<Grant> {
    return this.#grants.get(namespace)?.values() ?? [];
  }

  /** They may have come or gone, or have other ports. */
  servicesChanged(keys: Iterable<ServiceKey>): void {
    if (this.#targets.size === 0) return;
    for (const key of keys) {
      if (!this.#targets.has(key) || isDeepStrictEqual(this.#targets.get(key), this.#find(key))) continue;
      if (this.#ofParent.has(key)) this.#dirty.add(key);
      for (const id of this.#ofBackend.get(key) ?? []) this.#touch(id);
    }
  }

  /** Compiles what may be another, and returns the services whose rule is. */
  update(): ReadonlySet<ServiceKey> {
    const changed = new Set<ServiceKey>();
    const grants = (namespace: string): Iterable<Grant> => this.grants(namespace);
    const find: FindTarget = (key) => {
      const target = this.#find(key);
      this.#targets.set(key, target);
      return target;
    };
    for (const key of this.#dirty) {
      this.#compiled.add(key);
      const { rule, outcomes } = compileRoutes(key, this.#attachments(key), { find, grants, merging: this.#merging });
      if (outcomes.length === 0) this.#outcomes.delete(key);
      else this.#outcomes.set(key, outcomes);
      const before = this.#rules.get(key);
      if (before?.hash === rule?.hash && before?.origin === rule?.origin) continue;
      changed.add(key);
      if (rule === undefined) this.#rules.delete(key);
      else this.#rules.set(key, rule);
    }
    if (this.#dirty.size > 0) this.#forgetTargets();
    this.#dirty.clear();
    return changed;
  }

  /** The services that were compiled since this was last asked: what became of their routes may be another, though the rule is the same. */
  takeCompiled(): ReadonlySet<ServiceKey> {
    const compiled = this.#compiled;
    this.#compiled = new Set();
    return compiled;
  }

  /** What became of each reference of a route to a service, in the order in which they stand; of the copy that counts. */
  outcomes(id: RouteId): readonly Outcome[] {
    const route = this.#routes.get(id);
    if (route === undefined) return [];
    const all = [...parentsOf(route)].flatMap((key) => this.#outcomes.get(key) ?? []);
    return all.filter((outcome) => outcome.route === route).sort((a, b) => a.index - b.index);
  }

  /** The routes that are for a service, those that are not in force among them. */
  outcomesOf(service: ServiceKey): readonly Outcome[] {
    return this.#outcomes.get(service) ?? [];
  }

  #attachments(key: ServiceKey): readonly Attachment[] {
    return [...(this.#ofParent.get(key) ?? [])].flatMap((id) => {
      const route = this.#routes.get(id);
      return (route?.parents ?? []).flatMap((parent, index): Attachment[] => {
        const isThis = serviceKind(parent) !== undefined && serviceKey(parent.namespace, parent.name) === key;
        return route === undefined || !isThis ? [] : [{ route, parent, index }];
      });
    });
  }

  #replace(id: RouteId, route: GatewayRoute | undefined): void {
    const before = this.#routes.get(id);
    if (before === route) return;
    if (before !== undefined) {
      this.#touch(id);
      for (const key of parentsOf(before)) unindexId(this.#ofParent, key, id);
      for (const key of backendsOf(before)) unindexId(this.#ofBackend, key, id);
      for (const namespace of namespacesOf(before)) unindexId(this.#into, namespace, id);
      this.#routes.delete(id);
    }
    if (route === undefined) return;
    this.#routes.set(id, route);
    for (const key of parentsOf(route)) index(this.#ofParent, key, id);
    for (const key of backendsOf(route)) index(this.#ofBackend, key, id);
    for (const namespace of namespacesOf(route)) index(this.#into, namespace, id);
    this.#touch(id);
  }

  #touch(id: RouteId): void {
    const route = this.#routes.get(id);
    if (route !== undefined) for (const key of parentsOf(route)) this.#dirty.add(key);
  }

  #forgetTargets(): void {
    for (const key of this.#targets.keys())
      if (!this.#ofParent.has(key) && !this.#ofBackend.has(key)) this.#targets.delete(key);
  }
}

function namespacesOf(route: GatewayRoute): ReadonlySet<string> {
  const all = route.rules.flatMap(({ backends, mirrors }) =>
    [...backends, ...mirrors].map(({ namespace }) => namespace),
  );
  return new Set(all.filter((namespace) => namespace !== route.namespace));
}

function winnerOf(copies: ReadonlyMap<string, GatewayRoute>): readonly [string, GatewayRoute] | undefined {
  return [...copies].sort(([a, one], [b, two]) => one.createdAtMs - two.createdAtMs || compareText(a, b))[0];
}

function index<K>(map: Map<K, Set<RouteId>>, at: K, id: RouteId): void {
  const ids = map.get(at);
  if (ids === undefined) map.set(at, new Set([id]));
  else ids.add(id);
}

function unindexId<K>(map: Map<K, Set<RouteId>>, at: K, id: RouteId): void {
  const ids = map.get(at);
  ids?.delete(id);
  if (ids?.size === 0) map.delete(at);
}

function unindex(map: Map<string, Map<string, Grant>>, at: string, key: string): void {
  const grants = map.get(at);
  grants?.delete(key);
  if (grants?.size === 0) map.delete(at);
}
