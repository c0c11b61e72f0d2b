/**
 * The types that one stream has asked for, in the order in which they are sent. In: each type once, with its machine. Out: what stands with
 * each; and over all of them what the client asked for, holds, lacks and has confirmed.
 */

import { pushOrder, typeUrl as types } from '../core/type-urls.ts';
import type { Held } from './draft.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { TypeMachine } from './type-machine.ts';
import type { StreamTypeStatus } from './view.ts';

/** What leads to clusters. */
export const referrers: readonly string[] = [types.listener, types.route, types.virtualHost];

export interface StreamType {
  readonly typeUrl: string;
  readonly machine: TypeMachine;
  /** Leads to clusters. */
  readonly isReferrer: boolean;
  readonly heartbeats: Heartbeats;
  state: StreamTypeStatus['state'];
  sinceMs: number;
}

export class StreamTypes {
  readonly #byUrl = new Map<string, StreamType>();
  #ordered: readonly StreamType[] = [];

  get size(): number {
    return this.#byUrl.size;
  }

  /** By the order in which they are sent. */
  get ordered(): readonly StreamType[] {
    return this.#ordered;
  }

  get(typeUrl: string): StreamType | undefined {
    return this.#byUrl.get(typeUrl);
  }

  machine(typeUrl: string): TypeMachine | undefined {
    return this.#byUrl.get(typeUrl)?.machine;
  }

  add(type: StreamType): void {
    this.#byUrl.set(type.typeUrl, type);
    this.#ordered = [...this.#byUrl.values()].sort((a, b) => rank(a.typeUrl) - rank(b.typeUrl));
  }

  /** Brings `state` and `sinceMs` of each up to date. */
  note(wallMs: number): void {
    for (const type of this.#ordered) {
      const now = stateOf(type.machine);
      if (now === type.state) continue;
      type.state = now;
      type.sinceMs = wallMs;
    }
  }

  status(): ReadonlyMap<string, StreamTypeStatus> {
    const all = new Map<string, StreamTypeStatus>();
    for (const { typeUrl, machine, state, sinceMs } of this.#ordered) {
      all.set(typeUrl, {
        state,
        sinceMs,
        resources: machine.heldCount(),
        sentRevision: machine.sentRevision,
        ackedRevision: machine.ackedRevision(),
        error: machine.error,
      });
    }
    return all;
  }

  /** The lowest acknowledged revision of those of `typeUrls` that the client asked for; undefined: of none of them. */
  ackedFloor(typeUrls: Iterable<string>): number | undefined {
    let floor: number | undefined;
    for (const typeUrl of typeUrls) {
      const machine = this.machine(typeUrl);
      if (machine !== undefined) floor = Math.min(floor ?? Number.POSITIVE_INFINITY, machine.ackedRevision());
    }
    return floor;
  }

  /** Per type: names that the client asked for one by one, and that are there. */
  asked(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.#ordered.map(({ typeUrl, machine }) => [typeUrl, machine.askedNames()]));
  }

  /** Per type: name → what the client holds. */
  held(): ReadonlyMap<string, ReadonlyMap<string, Held>> {
    return new Map(this.#ordered.map(({ typeUrl, machine }) => [typeUrl, new Map(machine.held())]));
  }

  /** Per type: names whose newest state the client does not hold, or has not confirmed. */
  outOfStep(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map(this.#ordered.map(({ typeUrl, machine }) => [typeUrl, new Set(machine.outOfStep())]));
  }
}

/** Types that are not in the push order (filters' own configuration, for one) go between what they may need and what may need them. */
function rank(typeUrl: string): number {
  const position = (pushOrder as readonly string[]).indexOf(typeUrl);
  return position === -1 ? (pushOrder as readonly string[]).indexOf(types.endpoint) + 0.5 : position;
}

function stateOf(machine: TypeMachine): StreamTypeStatus['state'] {
  if (machine.isRejected) return 'rejected';
  return machine.isSettled() ? 'synced' : 'pending';
}
