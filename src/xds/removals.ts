/**
 * When a stream is told what it should no longer hold: removed clusters, endpoints and secrets. In: the stream's types, and how its client goes about
 * it. Out: messages, and when there may be one.
 *
 * Always: they go last, once the client has accepted the listeners and routes that no longer lead to them, and some time after that
 * (removal-grace.ts). That wait is bounded as long as the client has not refused: then it still uses what it had. A client that names its clusters
 * one by one is left the time to drop them by itself.
 */

import { typeUrl as types } from '../core/type-urls.ts';
import type { Draft } from './draft.ts';
import { RemovalGrace } from './removal-grace.ts';
import { referrers, type StreamTypes } from './stream-types.ts';

export interface RemovalLimits {
  readonly removalLingerMs: number;
  readonly removalGraceMs: number;
}

/** How the client goes about it. */
export interface Leave {
  /** It came back with something in hand; until then its other types may not have been asked for yet (monotonic ms). */
  readonly resumesUntil: number | undefined;
  /** It drops by itself what its routes no longer lead to. */
  readonly dropsItself: boolean;
}

const lingering: readonly string[] = [types.cluster, types.endpoint, types.secret];

export class Removals {
  readonly #types: StreamTypes;
  readonly #lingerMs: number;
  readonly #wake: (atMs: number) => void;
  readonly #grace: RemovalGrace;
  /** Since when removals wait for the client's answer (monotonic ms). */
  #from: number | undefined;

  /** `wake`: is told when `next` may have something though nothing happened. */
  constructor(streamTypes: StreamTypes, limits: RemovalLimits, wake: (atMs: number) => void) {
    this.#types = streamTypes;
    this.#lingerMs = limits.removalLingerMs;
    this.#wake = wake;
    this.#grace = new RemovalGrace(limits.removalGraceMs);
  }

  /** Something happened to these names in the view. */
  changed(typeUrl: string, names: Iterable<string>): void {
    this.#grace.changed(typeUrl, names);
  }

  /** The client is to see another view. */
  rebased(): void {
    this.#grace.over();
  }

  next(nowMs: number, { resumesUntil, dropsItself }: Leave): Draft | undefined {
    const due = lingering.find((typeUrl) => this.#types.machine(typeUrl)?.hasRemovals() === true);
    if (due === undefined) {
      this.#from = undefined;
      this.#grace.over();
      return undefined;
    }
    this.#from ??= nowMs;
    const until = this.#from + this.#lingerMs;
    const machines = referrers.map((typeUrl) => this.#types.machine(typeUrl));
    const settled = resumesUntil === undefined && machines.every((machine) => machine?.isSettled() ?? true);
    const refused = machines.some((machine) => machine?.isRejected ?? false);
    if (dropsItself) {
      if (nowMs < until) {
        this.#wake(until);
        return undefined;
      }
    } else if (!settled && (refused || nowMs < until)) {
      if (!refused) this.#wake(Math.min(until, resumesUntil ?? until));
      return undefined;
    }
    if (settled && !dropsItself) {
      this.#from = undefined;
      return this.#nextRipe(nowMs);
    }
    // Clusters before their endpoints: the other way round, a cluster would be left without.
    // If a message of theirs is in flight, the rest waits for its turn.
    return this.#types.machine(due)?.draftRemovals();
  }

  /** Nothing leads to what is to be removed: those whose time is over go, in the same order. */
  #nextRipe(nowMs: number): Draft | undefined {
    const leaving = (): readonly (readonly [string, readonly string[]])[] =>
      lingering.map((typeUrl) => [typeUrl, this.#types.machine(typeUrl)?.leaving() ?? []]);
    for (;;) {
      const ripe = this.#grace.ripe(nowMs, leaving);
      if (ripe === undefined) {
        this.#wake(this.#grace.untilMs);
        return undefined;
      }
      for (const [typeUrl, names] of ripe) {
        const machine = this.#types.machine(typeUrl);
        if (machine !== undefined && names.values().some((name) => machine.leaves(name)))
          return machine.draftRemovals(names);
      }
      this.#grace.over();
    }
  }
}
