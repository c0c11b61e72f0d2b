/**
 * Make before break for clients that go by a new route table a moment before they can use what it leads to (gRPC for Go 1.82 does: its routes are
 * there before its balancer; calls of that moment fail). Before such a client is sent a table that leads to endpoints which it does not hold, it
 * is sent the table that it has, with those named where no call goes; it fetches them, and then comes the table.
 *
 * A client that comes back after its pilot was away says which clusters and assignments it holds, not which table. Where the table of now leads
 * to others, it is sent that table leading to those that it holds for so long.
 *
 * In: what is due to a client of route tables, and which assignments it holds. Out: what to send in place of a table, or until when to wait.
 * What always holds: a table is held back for a bounded time, whatever the client does; only clients that name their clusters one by one, and
 * only tables that say what they lead to (`EncodedResource.announce`).
 */

import type { EncodedResource } from '../core/resource.ts';
import { SparseMap } from './sparse-map.ts';
import type { TypeMachine } from './type-machine.ts';

export type Announcement =
  | { readonly kind: 'send'; readonly resources: readonly EncodedResource[] }
  | { readonly kind: 'wait'; readonly untilMs: number };

export class Announcements {
  readonly #waitMaxMs: number;
  /** By table: of which version, and until when that is held back (monotonic ms). */
  readonly #made = new SparseMap<{ readonly version: string; readonly untilMs: number }>();

  constructor(waitMaxMs: number) {
    this.#waitMaxMs = waitMaxMs;
  }

  /**
   * undefined: nothing stands against sending what is due. `resumesUntil`: until then the client, which came back with tables in hand, may not have
   * said yet which assignments it holds (monotonic ms).
   */
  next(
    tables: TypeMachine,
    endpoints: TypeMachine | undefined,
    nowMs: number,
    resumesUntil: number | undefined,
  ): Announcement | undefined {
    if (tables.inFlight) return undefined;
    const unsaid = tables.resumes && tables.holdings.unsettled;
    if (
      unsaid &&
      endpoints === undefined &&
      resumesUntil !== undefined &&
      nowMs < resumesUntil &&
      leadSomewhere(tables)
    )
      return { kind: 'wait', untilMs: resumesUntil };
    const resources = unsaid && endpoints !== undefined ? this.#ofResumed(tables, endpoints, nowMs) : [];
    if (resources.length > 0) return { kind: 'send', resources };
    return this.#ofHeld(tables, endpoints, nowMs);
  }

  /** In place of the first tables on a stream: the client has some, which lead to what it holds. */
  #ofResumed(tables: TypeMachine, endpoints: TypeMachine, nowMs: number): readonly EncodedResource[] {
    const resources: EncodedResource[] = [];
    for (const [name, current] of tables.selection.resources()) {
      const missing = current.announce?.names.filter((each) => !endpoints.isSubscribed(each)) ?? [];
      const meanwhile = missing.length === 0 ? undefined : current.announce?.resumed?.(endpoints.names, missing);
      if (meanwhile === undefined) continue;
      this.#made.set(name, { version: current.version, untilMs: nowMs + this.#waitMaxMs });
      resources.push(meanwhile);
    }
    // All that is due is noted as such, before these count as the first answer.
    if (resources.length > 0) tables.holdings.settle(false);
    return resources;
  }

  #ofHeld(tables: TypeMachine, endpoints: TypeMachine | undefined, nowMs: number): Announcement | undefined {
    const resources: EncodedResource[] = [];
    let untilMs = Number.POSITIVE_INFINITY;
    for (const [name, { held }] of tables.holdings.behind) {
      const current = tables.selection.current(name);
      if (current?.announce === undefined || held === undefined || !('body' in held)) continue;
      const missing = current.announce.names.filter((each) => endpoints?.holds(each) !== true);
      const made = this.#made.all.get(name);
      if (missing.length === 0 || held.version === current.version) this.#made.delete(name);
      else if (made?.version !== current.version) {
        this.#made.set(name, { version: current.version, untilMs: nowMs + this.#waitMaxMs });
        resources.push(current.announce.before(held, missing));
      } else if (nowMs < made.untilMs) untilMs = Math.min(untilMs, made.untilMs);
    }
    if (resources.length > 0) return { kind: 'send', resources };
    return untilMs === Number.POSITIVE_INFINITY ? undefined : { kind: 'wait', untilMs };
  }
}

/** To assignments that a client which has such tables asks for. */
function leadSomewhere(tables: TypeMachine): boolean {
  for (const [, { announce }] of tables.selection.resources()) if ((announce?.names.length ?? 0) > 0) return true;
  return false;
}
