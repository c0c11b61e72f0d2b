/**
 * Which forms of rules are set aside for one proxy, because it refused messages that held them. In: refusals, with the forms that may be to
 * blame, and the word that the proxy is in step again; out: what is set aside now.
 *
 * One suspect is the culprit. Several are set aside together, so that everything else goes on at once, and are then given back by halves:
 * what the proxy takes stays, what it refuses is halved again. What always holds: every step sends one message at most, their number is
 * bounded, and a proxy that refuses everything is not asked again. Without clock or I/O.
 */

/** Refusals after which a search ends: what has not been cleared by then counts as rejected. */
const refusalsMax = 24;

interface Search {
  /** The types of the refused messages. */
  readonly types: Set<string>;
  /** Set aside, to be given back in turn. */
  groups: (readonly string[])[];
  /** Given back, and not accepted yet. */
  trial: readonly string[];
  refusalsLeft: number;
  words: string;
}

export class Quarantine {
  readonly #rejected = new Map<string, string>();
  readonly #sinceMs = new Map<string, number>();
  #search: Search | undefined;

  /** Rejected forms with the proxy's words. */
  get rejected(): ReadonlyMap<string, string> {
    return this.#rejected;
  }

  /** When this form was found to be rejected, as `refused` was told the time; undefined: it is not rejected. */
  sinceMs(form: string): number | undefined {
    return this.#sinceMs.get(form);
  }

  get isSearching(): boolean {
    return this.#search !== undefined;
  }

  isEmpty(): boolean {
    return this.#rejected.size === 0 && this.#search === undefined;
  }

  /** All that the proxy is not to be given, sorted. */
  aside(): string[] {
    return [...this.#rejected.keys(), ...(this.#search?.groups.flat() ?? [])].sort();
  }

  /** It is not known yet whether the proxy takes this form. */
  isInDoubt(form: string): boolean {
    return (
      this.#search !== undefined &&
      (this.#search.trial.includes(form) || this.#search.groups.some((group) => group.includes(form)))
    );
  }

  /** A message of this type was refused at `nowMs`; `suspects`: the forms that it may have held and that are not set aside. */
  refused(typeUrl: string, suspects: readonly string[], words: string, nowMs = 0): void {
    this.#refused(typeUrl, suspects, words);
    for (const form of this.#rejected.keys()) if (!this.#sinceMs.has(form)) this.#sinceMs.set(form, nowMs);
  }

  #refused(typeUrl: string, suspects: readonly string[], words: string): void {
    const search = this.#search;
    const blamed = [...new Set([...(search?.trial ?? []), ...suspects])];
    if (search === undefined) {
      if (blamed.length === 1) this.#reject(blamed, words);
      else if (blamed.length > 1) {
        this.#search = {
          types: new Set([typeUrl]),
          groups: halves(blamed),
          trial: [],
          refusalsLeft: refusalsMax,
          words,
        };
      }
      return;
    }
    search.types.add(typeUrl);
    search.words = words;
    search.refusalsLeft -= 1;
    search.trial = [];
    if (blamed.length === 1) this.#reject(blamed, words);
    else search.groups.unshift(...halves(blamed));
    // Refused with all of them set aside, or for too long: nothing more can be learnt.
    if (blamed.length === 0 || search.refusalsLeft <= 0) this.#giveUp(search);
  }

  /** Goes on with the search if the proxy is in step; true when something else is set aside now. */
  advance(isInStep: (typeUrl: string) => boolean): boolean {
    const search = this.#search;
    if (search === undefined || ![...search.types].every(isInStep)) return false;
    const next = search.groups.shift();
    if (next === undefined) {
      this.#search = undefined;
      return false;
    }
    search.trial = next;
    return true;
  }

  /** Forgets forms that nobody would be given any more. */
  keepOnly(isKnown: (form: string) => boolean): void {
    for (const form of [...this.#rejected.keys()].filter((form) => !isKnown(form))) {
      this.#rejected.delete(form);
      this.#sinceMs.delete(form);
    }
    const search = this.#search;
    if (search === undefined) return;
    search.trial = search.trial.filter(isKnown);
    search.groups = search.groups.map((group) => group.filter(isKnown)).filter(({ length }) => length > 0);
  }

  /** The proxy is gone: what it rejected stands, what was in doubt is open again. */
  endSearch(): void {
    this.#search = undefined;
  }

  #giveUp({ groups, words }: Search): void {
    this.#reject(groups.flat(), words);
    this.#search = undefined;
  }

  #reject(forms: readonly string[], words: string): void {
    for (const form of forms) this.#rejected.set(form, words);
  }
}

/** One group for one form, none for none. */
function halves(forms: readonly string[]): (readonly string[])[] {
  const half = Math.ceil(forms.length / 2);
  return [forms.slice(0, half), forms.slice(half)].filter(({ length }) => length > 0);
}
