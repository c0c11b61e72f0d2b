/**
 * What is said of one cluster's shards within its limits: the oldest services first, then by name, so that what was there before a flood stays,
 * and the order of events does not matter.
 *
 * In: all shards, and which may have changed. Out: those that are said differently now. A shard that is equal to what was said is no change.
 */

import type { ServiceKey, ServiceShard } from '../model/service.ts';
import { sameShard } from './same-shard.ts';

/** What one cluster may hold: a cluster out of its mind must not take the others' memory. */
export interface ClusterLimits {
  readonly services: number;
  readonly endpoints: number;
}

export const defaultClusterLimits: ClusterLimits = { services: 20_000, endpoints: 200_000 };

export type ShardChanges = Map<ServiceKey, ServiceShard | undefined>;

export class ReportedShards {
  readonly #limits: ClusterLimits;
  readonly #shards = new Map<ServiceKey, ServiceShard>();
  #overLimit = { services: 0, endpoints: 0 };

  constructor(limits: ClusterLimits) {
    this.#limits = limits;
  }

  /** Live: what has been said. */
  get shards(): ReadonlyMap<ServiceKey, ServiceShard> {
    return this.#shards;
  }

  /** How much is left out at the moment. */
  get overLimit(): { readonly services: number; readonly endpoints: number } {
    return this.#overLimit;
  }

  /** `endpoints`: of all shards in `derived`. */
  update(derived: ReadonlyMap<ServiceKey, ServiceShard>, dirty: Iterable<ServiceKey>, endpoints: number): ShardChanges {
    if (derived.size > this.#limits.services || endpoints > this.#limits.endpoints)
      return this.#cut(derived, endpoints);
    // What was cut before is whole again: everything has to be compared once more.
    const wasCut = this.#overLimit.services > 0 || this.#overLimit.endpoints > 0;
    this.#overLimit = { services: 0, endpoints: 0 };
    const changes: ShardChanges = new Map();
    for (const key of wasCut ? [...dirty, ...derived.keys()] : dirty) this.#say(key, derived.get(key), changes);
    return changes;
  }

  #cut(derived: ReadonlyMap<ServiceKey, ServiceShard>, total: number): ShardChanges {
    const changes: ShardChanges = new Map();
    const order = [...derived].sort(([aKey, a], [bKey, b]) => a.createdAtMs - b.createdAtMs || (aKey < bKey ? -1 : 1));
    const kept = new Set<ServiceKey>();
    let room = this.#limits.endpoints;
    for (const [key, shard] of order.slice(0, this.#limits.services)) {
      kept.add(key);
      const endpoints = shard.endpoints.length <= room ? shard.endpoints : shard.endpoints.slice(0, room);
      room -= endpoints.length;
      this.#say(key, endpoints === shard.endpoints ? shard : Object.freeze({ ...shard, endpoints }), changes);
    }
    for (const key of [...this.#shards.keys()]) if (!kept.has(key)) this.#say(key, undefined, changes);
    this.#overLimit = { services: order.length - kept.size, endpoints: total - (this.#limits.endpoints - room) };
    return changes;
  }

  #say(key: ServiceKey, shard: ServiceShard | undefined, changes: ShardChanges): void {
    const before = this.#shards.get(key);
    if (before === shard || (before !== undefined && shard !== undefined && sameShard(before, shard))) return;
    changes.set(key, shard);
    if (shard === undefined) this.#shards.delete(key);
    else this.#shards.set(key, shard);
  }
}
