/**
 * Make before break for clients that go by a new route table a moment before they can use what it leads to (gRPC for Go 1.82 does: its routes are
 * there before its balancer; calls of that moment fail). Before such a client is sent a table that leads to endpoints which it does not hold, it
 * is sent the table that it has, with those named where no call goes; it fetches them, and then comes the table.
 *
 * In: what is due to a client of route tables, and which assignments it holds. Out: what to send in place of a table, or until when to wait.
 * What always holds: a table is held back for a bounded time, whatever the client does; only clients that name their clusters one by one, and
 * only tables that say what they lead to (`EncodedResource.announce`).
 */

import type { EncodedResource } from '../core/resource.ts';
import type { TypeMachine } from './type-machine.ts';

export type Announcement =
  | { readonly kind: 'send'; readonly resources: readonly EncodedResource[] }
  | { readonly kind: 'wait'; readonly untilMs: number };

export class Announcements {
  readonly #waitMaxMs: number;
  /** By table: of which version, and until when that is held back (monotonic ms). */
  readonly #made = new Map<string, { readonly version: string; readonly untilMs: number }>();

  constructor(waitMaxMs: number) {
    this.#waitMaxMs = waitMaxMs;
  }

  /** undefined: nothing stands against sending what is due. */
  next(tables: TypeMachine, endpoints: TypeMachine | undefined, nowMs: number): Announcement | undefined {
    if (tables.inFlight) return undefined;
    const resources: EncodedResource[] = [];
    let untilMs = Number.POSITIVE_INFINITY;
    for (const [name, { held }] of tables.holdings.behind) {
      const current = tables.selection.current(name);
      if (current?.announce === undefined || held === undefined || !('body' in held)) continue;
      const missing = current.announce.names.filter((each) => endpoints?.holds(each) !== true);
      const made = this.#made.get(name);
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
