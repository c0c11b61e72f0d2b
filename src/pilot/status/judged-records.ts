/**
 * What was judged, and by what: which objects a change concerns. In: for each judgement, the names of what it went by, whether all proxies hold the
 * object, and how far its forms have got. Out: the keys of the objects that a name concerns, or what proxies acknowledge.
 *
 * What always holds: a look costs what it finds, however many objects there are; a name concerns an object until that is judged again or forgotten.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Programming } from '../../rules/status/programming.ts';

/** What is to be judged. */
export class Due {
  all = false;
  readonly records = new Set<string>();
}

interface Judged {
  readonly links: readonly string[];
  readonly forms: readonly string[];
}

export class JudgedRecords {
  readonly #records = new Map<string, Judged>();
  readonly #byLink = new Map<string, Set<string>>();
  readonly #unsettled = new Set<string>();
  readonly #counted = new Map<string, Programming>();
  /** How many objects have a form: copies of one object have the same. */
  readonly #holders = new Map<string, number>();
  /** Counted before those changed that are judged now; undefined: it was no form. */
  readonly #before = new Map<string, Programming | undefined>();

  /** Adds the objects that this name concerns; says whether there are any. */
  find(link: string, into: Set<string>): boolean {
    const found = this.#byLink.get(link);
    for (const key of found ?? []) into.add(key);
    return found !== undefined;
  }

  /** Adds the objects that some proxy does not hold yet; says whether there are any. */
  findUnsettled(into: Set<string>): boolean {
    for (const key of this.#unsettled) into.add(key);
    return this.#unsettled.size > 0;
  }

  set(key: string, forms: ReadonlyMap<string, Programming>, links: Iterable<string>, isSettled: boolean): void {
    this.forget(key);
    const judged = { links: [...new Set(links)], forms: [...forms.keys()] };
    this.#records.set(key, judged);
    for (const [form, programming] of forms) {
      this.#note(form);
      this.#counted.set(form, programming);
      this.#holders.set(form, (this.#holders.get(form) ?? 0) + 1);
    }
    for (const link of judged.links) {
      const keys = this.#byLink.get(link);
      if (keys === undefined) this.#byLink.set(link, new Set([key]));
      else keys.add(key);
    }
    if (!isSettled) this.#unsettled.add(key);
  }

  forget(key: string): void {
    const judged = this.#records.get(key);
    if (judged === undefined) return;
    this.#records.delete(key);
    this.#unsettled.delete(key);
    for (const form of judged.forms) {
      this.#note(form);
      const holders = (this.#holders.get(form) ?? 0) - 1;
      if (holders > 0) this.#holders.set(form, holders);
      else {
        this.#holders.delete(form);
        this.#counted.delete(form);
      }
    }
    for (const link of judged.links) {
      const keys = this.#byLink.get(link);
      keys?.delete(key);
      if (keys?.size === 0) this.#byLink.delete(link);
    }
  }

  clear(): void {
    for (const key of [...this.#records.keys()]) this.forget(key);
  }

  /** How far each form has got; undefined: all as when this was asked last, and nobody insists (`always`). */
  takeCounted(always: boolean): ReadonlyMap<string, Programming> | undefined {
    const isSame = this.#before.entries().every(([form, before]) => isDeepStrictEqual(before, this.#counted.get(form)));
    this.#before.clear();
    return isSame && !always ? undefined : this.#counted;
  }

  #note(form: string): void {
    if (!this.#before.has(form)) this.#before.set(form, this.#counted.get(form));
  }
}
