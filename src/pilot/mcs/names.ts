/**
 * Where the names of exported services lead, in the mesh: in come the clusterset services and their virtual IPs, out come the services of the mesh
 * with these names, and which of them are others than before.
 *
 * What always holds: a service that nobody exports is the very same object as without this; what did not change keeps its identity. Where only
 * exported services merge, every other one is that of the client's own cluster alone, and is seen only in the clusters that have it.
 */

import { isDeepStrictEqual } from 'node:util';
import { meshService } from '../../mcs/mesh-service.ts';
import type { MemberDirt, MemberRuleLookup, MemberRuleTable } from '../../mesh/member-meshes.ts';
import { clustersetKey, exportedKey, type Merging } from '../../model/clusterset.ts';
import type { CatalogService, ClustersetNames, ServiceKey } from '../../model/service.ts';
import type { Clustersets } from './clustersets.ts';

export class McsNames {
  readonly #clustersets: Clustersets;
  readonly #merging: Merging;
  readonly #names = new Map<ServiceKey, ClustersetNames>();
  readonly #services = new Map<ServiceKey, CatalogService>();
  readonly #applied = new WeakMap<CatalogService, CatalogService>();
  #ids: ReadonlyMap<string, string> | undefined;

  constructor(clustersets: Clustersets, merging: Merging) {
    this.#clustersets = clustersets;
    this.#merging = merging;
  }

  /** Where only exported services merge: these, by their own keys; live. */
  get services(): ReadonlyMap<ServiceKey, CatalogService> {
    return this.#services;
  }

  /** A service of the catalog as the mesh has it. */
  applied(service: CatalogService): CatalogService {
    return this.#merging === 'all' ? this.#named(service) : this.#ofOwnCluster(service);
  }

  /** The keys under which a rule or a drain for this service counts. */
  withTwins(keys: ReadonlySet<ServiceKey>): ReadonlySet<ServiceKey> {
    if (this.#services.size === 0) return keys;
    const twins = [...keys].map(clustersetKey).filter((key) => this.#services.has(key));
    return twins.length === 0 ? keys : new Set([...keys, ...twins]);
  }

  /** The service whose rules and drains count for it. */
  ruled(key: ServiceKey): ServiceKey {
    return this.#merging === 'all' ? key : exportedKey(key);
  }

  /** What members hold for a service counts for its exported part as well. */
  memberRules(table: MemberRuleTable): MemberRuleLookup {
    if (this.#merging === 'all') return table;
    return {
      get: (cluster) => {
        const own = table.get(cluster);
        return own === undefined ? undefined : { get: (key) => own.get(exportedKey(key)) };
      },
    };
  }

  /** `imported`: as `update` returned them; a service that is exported from now on has the rules that members held before. */
  memberDirt(dirt: MemberDirt, imported: ReadonlySet<ServiceKey>, table: MemberRuleTable): MemberDirt {
    if (this.#merging === 'all' || dirt.size + table.size === 0) return dirt;
    const all = new Map([...dirt].map(([cluster, keys]) => [cluster, this.withTwins(keys)]));
    for (const [cluster, own] of table) {
      const more = [...imported].filter((key) => own.has(exportedKey(key)));
      if (more.length > 0) all.set(cluster, new Set([...(all.get(cluster) ?? []), ...more]));
    }
    return all;
  }

  /** Clusters have become known, or call themselves otherwise, since the last update. */
  hasMoved(): boolean {
    if (this.#clustersets.hasNews()) return true;
    return this.#clustersets.services.size > 0 && this.#clustersets.ids() !== this.#ids;
  }

  /** Takes up what changed; returns the services of the mesh that may be others. */
  update(): ReadonlySet<ServiceKey> {
    const changed = this.#clustersets.take();
    const ids = this.#clustersets.services.size === 0 ? undefined : this.#clustersets.ids();
    const moved = ids !== this.#ids ? new Set([...changed, ...this.#clustersets.services.keys()]) : changed;
    this.#ids = ids;
    const touched = new Set<ServiceKey>();
    for (const key of moved) {
      this.#setNames(key);
      if (this.#merging === 'all') touched.add(key);
      else if (this.#setService(key)) touched.add(clustersetKey(key));
    }
    return touched;
  }

  #setNames(key: ServiceKey): void {
    const service = this.#clustersets.services.get(key);
    if (service === undefined) {
      this.#names.delete(key);
      return;
    }
    const ids = this.#ids ?? new Map<string, string>();
    const names: ClustersetNames = {
      names: this.#merging === 'all' ? 'also' : 'only',
      vips: this.#clustersets.vips(key),
      ids: new Map([...service.exports.keys()].map((cluster) => [cluster, ids.get(cluster) ?? cluster])),
    };
    if (!isDeepStrictEqual(names, this.#names.get(key))) this.#names.set(key, names);
  }

  #setService(key: ServiceKey): boolean {
    const own = clustersetKey(key);
    const service = this.#clustersets.services.get(key);
    const names = this.#names.get(key);
    if (service === undefined || names === undefined) return this.#services.delete(own);
    this.#services.set(own, meshService(service, names));
    return true;
  }

  #named(service: CatalogService): CatalogService {
    const names = this.#names.get(service.key);
    if (names === undefined) return service;
    let named = this.#applied.get(service);
    if (named?.clusterset !== names) {
      named = { ...service, clusterset: names };
      this.#applied.set(service, named);
    }
    return named;
  }

  #ofOwnCluster(service: CatalogService): CatalogService {
    let own = this.#applied.get(service);
    if (own === undefined) {
      own = { ...service, ownClusterOnly: true, visibleIn: new Set(service.shards.keys()) };
      this.#applied.set(service, own);
    }
    return own;
  }
}
