/**
 * What there would be to send a client of one type, looked at without drafting it. In: what it should hold, what it holds and what it refused.
 */

import type { EncodedResource } from '../core/resource.ts';
import { same } from './draft.ts';
import type { Behind, Holdings } from './holdings.ts';
import type { Refusals } from './refusals.ts';
import type { Selection } from './selection.ts';
import type { TypeTraits } from './type-traits.ts';

export class Dues {
  readonly #traits: TypeTraits;
  readonly #selection: Selection;
  readonly #holdings: Holdings;
  readonly #refusals: Refusals;

  constructor(traits: TypeTraits, selection: Selection, holdings: Holdings, refusals: Refusals) {
    this.#traits = traits;
    this.#selection = selection;
    this.#holdings = holdings;
    this.#refusals = refusals;
  }

  /** The usual case, seen without looking at anything by name. */
  isInStep(answerDue: boolean): boolean {
    const { unsettled, behind } = this.#holdings;
    return !unsettled && !answerDue && behind.size === 0 && this.#refusals.error === '';
  }

  /** Anything at all but what waits to be removed. `answerDue`: the client waits for a first answer. */
  any(answerDue: boolean): boolean {
    if (this.#holdings.unsettled || this.isEmptyAnswer(answerDue)) return true;
    for (const [name, entry] of this.#holdings.behind) {
      const current = this.#selection.current(name);
      if (current !== undefined) {
        if (this.isWanted(entry, current) && !this.isLeaving(entry, current)) return true;
      } else if (this.#traits.wholeSet || this.#traits.transport === 'delta') {
        if (entry.held === undefined ? entry.force : !this.#traits.lingers) return true;
      }
    }
    return false;
  }

  /** Resources that the client does not have. */
  additions(): boolean {
    const { resources } = this.#selection.type;
    if (this.#holdings.unsettled) return resources.size > 0;
    for (const [name, entry] of this.#holdings.behind) {
      // What the host gave for something missing is as good as nothing, and what a client brings along from elsewhere may be just that.
      if (entry.held !== undefined && 'body' in entry.held && !this.#holdings.extra.has(name)) continue;
      const current = resources.has(name) ? this.#selection.current(name) : undefined;
      if (current !== undefined && this.isWanted(entry, current)) return true;
    }
    return false;
  }

  /** Resources that the client has and that should go, once nothing leads to them any more. */
  removals(): boolean {
    return this.leaving().next().done !== true;
  }

  /** The names of these. */
  *leaving(): Generator<string> {
    if (this.#holdings.unsettled) return;
    for (const name of this.#holdings.behind.keys()) if (this.leaves(name)) yield name;
  }

  leaves(name: string): boolean {
    const entry = this.#holdings.behind.get(name);
    if (entry === undefined) return false;
    const current = this.#selection.current(name);
    if (current === undefined) return this.#traits.lingers && entry.held !== undefined;
    return this.isLeaving(entry, current);
  }

  /** Delta: whoever asks for nothing by name is told so at once, since it may wait for a first answer. */
  isEmptyAnswer(answerDue: boolean): boolean {
    const due = answerDue && this.#traits.transport === 'delta';
    return due && (this.#selection.subscription.wildcard || this.#selection.subscription.names.size === 0);
  }

  isWanted(entry: Behind, current: EncodedResource): boolean {
    // What it refused is not tried again, and does not drag others down, until it is another or the client itself asks again.
    if (this.#refusals.has(current)) return false;
    return entry.force || entry.held === undefined || !same(entry.held, current);
  }

  /** The host's answer for what is not there takes the place of something real: as with a removal, only once nothing leads to it. */
  isLeaving(entry: Behind, current: EncodedResource): boolean {
    if (entry.held === undefined || !this.#traits.ledTo) return false;
    const ghost = !this.#selection.type.resources.has(current.name);
    return ghost && this.isWanted(entry, current) && !same(entry.held, current);
  }
}
