/** When the resources of one type that have a TTL are to be heard of again, on one stream whose client declared support for TTLs. */

import type { Draft } from './draft.ts';
import { SparseMap } from './sparse-map.ts';

export class Heartbeats {
  /** Name → when it is due; monotonic ms. */
  readonly #dueAtMs = new SparseMap<number>();

  /** `draft` was sent: each TTL begins anew. A third of it may pass, so that two heartbeats may be lost. */
  sent(draft: Draft, nowMs: number): void {
    for (const resource of draft.resources) {
      if (resource.ttlMs === undefined) this.#dueAtMs.delete(resource.name);
      else this.#dueAtMs.set(resource.name, nowMs + resource.ttlMs / 3);
    }
    for (const name of draft.removed) this.#dueAtMs.delete(name);
  }

  /** Names that are due; `wake` is told when others will be. What is not subscribed any more is dropped. */
  due(nowMs: number, isSubscribed: (name: string) => boolean, wake: (atMs: number) => void): readonly string[] {
    const due: string[] = [];
    for (const [name, atMs] of this.#dueAtMs.all) {
      if (!isSubscribed(name)) this.#dueAtMs.delete(name);
      else if (atMs <= nowMs) due.push(name);
      else wake(atMs);
    }
    return due;
  }

  get size(): number {
    return this.#dueAtMs.all.size;
  }
}
