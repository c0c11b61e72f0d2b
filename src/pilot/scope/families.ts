/**
 * Which scopes share a base: those that differ in no more than who and where their proxies are, as long as that makes a difference for few
 * services. In: scopes, and the mesh. Out: the group that a scope's view is to stand in, with a base of its own where no other fits.
 */

import type { Mesh, Scope } from '../../model/mesh.ts';
import type { ServiceKey } from '../../model/service.ts';
import { ScopeBase } from './base.ts';
import { ScopeGroup } from './group.ts';

/** So many services may always be other than in the base; beyond that, a quarter of all. */
const othersMin = 256;

/** How many services there are by what scopes differ in; an estimate, which is made anew when there are more or fewer services. */
interface Census {
  readonly services: number;
  readonly byCluster: ReadonlyMap<string, number>;
  readonly byNamespace: ReadonlyMap<string, number>;
}

export class ScopeFamilies {
  readonly #byFamily = new Map<string, Set<ScopeGroup>>();
  readonly #wanted: ReadonlySet<ServiceKey>;
  #census: Census = { services: 0, byCluster: new Map(), byNamespace: new Map() };

  /** `wanted`: the services that proxyless clients ask for; live. */
  constructor(wanted: ReadonlySet<ServiceKey>) {
    this.#wanted = wanted;
  }

  *groups(): Generator<ScopeGroup, undefined> {
    for (const groups of this.#byFamily.values()) yield* groups;
  }

  /** The group for a new scope with this id. */
  join(id: string, scope: Scope, mesh: Mesh): ScopeGroup {
    const family = familyOf(scope);
    let groups = this.#byFamily.get(family);
    if (groups === undefined) {
      groups = new Set();
      this.#byFamily.set(family, groups);
    }
    let nearest: ScopeGroup | undefined;
    let least = Math.max(othersMin, mesh.services.size / 4);
    for (const group of groups) {
      const others = this.#othersOf(scope, group.base.scope, mesh);
      if (others > least) continue;
      nearest = group;
      least = others;
    }
    if (nearest !== undefined) return nearest;
    const wanted = scope.mode === 'grpc' ? this.#wanted : undefined;
    const base = new ScopeBase(`base of ${id}`, scope, wanted);
    base.mark(wanted ?? mesh.services.keys());
    const group = new ScopeGroup(base);
    groups.add(group);
    return group;
  }

  /** Nobody stands in it any more. */
  remove(group: ScopeGroup): void {
    const family = familyOf(group.base.scope);
    const groups = this.#byFamily.get(family);
    groups?.delete(group);
    if (groups?.size === 0) this.#byFamily.delete(family);
  }

  /** How many services may be otherwise in the one scope than in the other, about. */
  #othersOf(one: Scope, two: Scope, mesh: Mesh): number {
    // What few services it is made for is seldom otherwise.
    if (one.mode === 'grpc') return 0;
    const sameCluster = one.cluster === two.cluster || one.mode === 'explicit';
    if (sameCluster && one.namespace === two.namespace) return 0;
    const { byCluster, byNamespace } = this.#countedFor(one, mesh);
    const ofClusters = sameCluster ? 0 : (byCluster.get(one.cluster) ?? 0) + (byCluster.get(two.cluster) ?? 0);
    const ofNamespaces =
      one.namespace === two.namespace
        ? 0
        : (byNamespace.get(one.namespace) ?? 0) + (byNamespace.get(two.namespace) ?? 0);
    return Math.min(mesh.services.size, ofClusters + ofNamespaces);
  }

  #countedFor({ cluster }: Scope, { services }: Mesh): Census {
    if (this.#census.services === services.size && this.#census.byCluster.has(cluster)) return this.#census;
    const byCluster = new Map<string, number>([[cluster, 0]]);
    const byNamespace = new Map<string, number>();
    for (const { catalog } of services.values()) {
      byNamespace.set(catalog.namespace, (byNamespace.get(catalog.namespace) ?? 0) + 1);
      for (const name of catalog.shards.keys()) byCluster.set(name, (byCluster.get(name) ?? 0) + 1);
    }
    this.#census = { services: services.size, byCluster, byNamespace };
    return this.#census;
  }
}

/** Scopes with other families have nothing in common: another form of routes, other settings, another mesh. */
function familyOf({ mode, routes, egress, rejected }: Scope): string {
  return JSON.stringify([mode, routes, egress ?? '', rejected]);
}
