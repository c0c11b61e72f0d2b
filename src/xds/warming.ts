/**
 * What listeners and routes wait for: the clusters that were just added, sent with the endpoints that the client asks for, since Envoy does not route
 * to a cluster that is warming. In: what was sent. Out: whether they wait, and until when.
 *
 * Always: they never wait for the ACK of those clusters, which Envoy gives only after the endpoints came; and no wait is without a bound.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl as types } from '../core/type-urls.ts';
import type { Draft } from './draft.ts';
import { SparseMap } from './sparse-map.ts';
import type { StreamTypes } from './stream-types.ts';

export interface WarmingLimits {
  readonly warmingWaitMaxMs: number;
  readonly removalLingerMs: number;
}

/** Looked at only where something waits. */
type Endpoints = () => ReadonlyMap<string, EncodedResource>;

export class Warming {
  readonly #types: StreamTypes;
  readonly #limits: WarmingLimits;
  readonly #current: Endpoints;
  readonly #wake: (atMs: number) => void;
  /** Clusters sent for the first time whose endpoints have not been sent yet, and until when others wait for them (monotonic ms). */
  readonly #until = new SparseMap<number>();
  /** Since when listeners and routes wait for clusters and endpoints that cannot be sent yet (monotonic ms). */
  #parentsWaitFrom: number | undefined;

  /** `current`: what the view has. `wake`: is told when they wait no longer though nothing happened. */
  constructor(streamTypes: StreamTypes, limits: WarmingLimits, current: Endpoints, wake: (atMs: number) => void) {
    this.#types = streamTypes;
    this.#limits = limits;
    this.#current = current;
    this.#wake = wake;
  }

  /** `isResuming`: the client asks for its endpoints in a moment, if it has not yet; one that never asked may not want any. */
  clustersSent(draft: Draft, nowMs: number, isResuming: boolean): void {
    const endpoints = this.#types.machine(types.endpoint);
    for (const name of draft.changed) endpoints?.force(name);
    if (endpoints === undefined ? !isResuming : endpoints.wildcard) return;
    const resources = this.#current();
    for (const name of draft.added) {
      if (resources.has(name)) this.#until.set(name, nowMs + this.#limits.warmingWaitMaxMs);
    }
    for (const name of draft.removed) this.#until.delete(name);
  }

  endpointsSent(draft: Draft): void {
    for (const { name } of draft.resources) this.#until.delete(name);
  }

  referrersWait(nowMs: number): boolean {
    if (this.#isHeldUp(types.cluster) || this.#isHeldUp(types.endpoint)) {
      this.#parentsWaitFrom ??= nowMs;
      const until = this.#parentsWaitFrom + this.#limits.removalLingerMs;
      if (nowMs < until) {
        this.#wake(until);
        return true;
      }
    } else this.#parentsWaitFrom = undefined;
    if (this.#until.all.size === 0) return false;
    const resources = this.#current();
    for (const [name, until] of this.#until.all) {
      if (nowMs >= until) this.#until.delete(name);
      // Gone from the view: nothing leads to it for now, but it may come back before the client was told.
      if (nowMs >= until || !resources.has(name)) continue;
      this.#wake(until);
      return true;
    }
    return false;
  }

  /** More is to be sent of a type, once the client has answered. */
  #isHeldUp(typeUrl: string): boolean {
    const machine = this.#types.machine(typeUrl);
    return machine !== undefined && machine.inFlight && machine.hasAdditions();
  }
}
