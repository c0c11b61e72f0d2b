/**
 * The catalog: every service of the mesh, merged. Told which services may have changed, it merges those anew and says which really did.
 */

import type { CatalogService, ServiceKey, ServiceShard } from '../model/service.ts';
import { mergeAgain, mergeService } from './merge.ts';

export class Catalog {
  readonly #services = new Map<ServiceKey, CatalogService>();
  readonly #shardsOf: (key: ServiceKey) => readonly ServiceShard[];

  /** `shardsOf` gives all clusters' shards of a service as they are now. */
  constructor(shardsOf: (key: ServiceKey) => readonly ServiceShard[]) {
    this.#shardsOf = shardsOf;
  }

  get services(): ReadonlyMap<ServiceKey, CatalogService> {
    return this.#services;
  }

  /** Merges `keys` anew; returns those that differ from before, the vanished among them. */
  update(keys: Iterable<ServiceKey>): Set<ServiceKey> {
    const changed = new Set<ServiceKey>();
    for (const key of keys) {
      const shards = this.#shardsOf(key);
      const before = this.#services.get(key);
      if (shards.length === 0) {
        if (this.#services.delete(key)) changed.add(key);
      } else if (before === undefined || !sameShards(before, shards)) {
        this.#services.set(key, before === undefined ? mergeService(shards) : mergeAgain(before, shards));
        changed.add(key);
      }
    }
    return changed;
  }
}

/** Shards are frozen and replaced when they change, so identity is equality. */
function sameShards(service: CatalogService, shards: readonly ServiceShard[]): boolean {
  return service.shards.size === shards.length && shards.every((shard) => service.shards.get(shard.cluster) === shard);
}
