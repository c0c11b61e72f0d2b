/**
 * What one client asks for of one type: everything, some names, or both. Pure: requests in, the difference out.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
 *
 * SotW: `[]` → `[*,A]` → `[A]` → `[]` mean all, all and A, A, none: an empty list means all only until the first name was given.
 * Delta: the first request means all if it names nothing; after that, only what is subscribed and unsubscribed counts.
 *
 * Names that came as a set shared by many requests stay shared until they change (1,000 streams × 1,000 names would be 40 MB of sets).
 */

import type { EncodedResource } from '../core/resource.ts';
import { type Meaning, noSpellings, Spellings, sharedSpellings } from './spellings.ts';

const everything = '*';
const noNames: ReadonlySet<string> = new Set();
const noChange = { added: [], dropped: [], wildcard: 'same' } as const;

export interface SubscriptionChange {
  /** Names in this request that were not subscribed before (delta: all that it subscribes, again or not). */
  readonly added: readonly string[];
  readonly dropped: readonly string[];
  readonly wildcard: 'gained' | 'lost' | 'same';
}

export class Subscription {
  readonly #impliedWildcard: boolean;
  readonly #isOfAll: (name: string) => boolean;
  #names: ReadonlySet<string> = noNames;
  /** The same set, if it is this subscription's own to change. */
  #ownNames: Set<string> | undefined;
  #wildcard = false;
  /** What names mean; undefined: themselves. */
  #meaning: Meaning | undefined;
  /** Of `#names`; undefined where they have yet to be looked at. */
  #spellings: Spellings | undefined = noSpellings;
  /** A name, `*` included, was given before. */
  #explicit = false;
  /** What a stale request left out. */
  #doubtful: Set<string> | undefined;
  #doubtfulWildcard = false;

  /** `impliedWildcard`: a first request without names means all. `isOfAll`: what all means. */
  constructor(impliedWildcard: boolean, isOfAll: (name: string) => boolean = () => true) {
    this.#impliedWildcard = impliedWildcard;
    this.#isOfAll = isOfAll;
  }

  get wildcard(): boolean {
    return this.#wildcard;
  }

  /** From now on names mean this. */
  understand(meaning: Meaning | undefined): void {
    if (meaning === this.#meaning) return;
    this.#meaning = meaning;
    this.#spellings = undefined;
  }

  /** What is meant by `name` as it was asked for. */
  meant(name: string): string {
    return this.#meaning?.(name) ?? name;
  }

  /** Spellings asked for, by what they mean. */
  get spellings(): Spellings {
    if (this.#meaning === undefined) return noSpellings;
    if (this.#spellings === undefined) {
      const own = this.#ownNames;
      this.#spellings =
        own === undefined ? sharedSpellings(this.#names, this.#meaning) : Spellings.in(own, this.#meaning);
    }
    return this.#spellings;
  }

  /** `name`, as the host has it, is asked for by that name or spelled otherwise. */
  asks(name: string): boolean {
    if (this.#meaning === undefined) return this.#names.has(name);
    return (this.#names.has(name) && this.#meaning(name) === name) || this.spellings.has(name);
  }

  /** The names asked for one by one, as they were given: aliases, and spelled in any way. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** `names`, if streams with equal subscriptions have the very same set, which never changes. */
  get sharedNames(): ReadonlySet<string> | undefined {
    return this.#ownNames === undefined ? this.#names : undefined;
  }

  /** Of `requested`, what is not asked for by name yet. `shared`: the same as a set that many requests share. */
  unknown(requested: readonly string[], shared: ReadonlySet<string> | undefined): readonly string[] {
    return shared === this.#names ? [] : requested.filter((name) => !this.#names.has(name));
  }

  /** `isMeant`: whether a wildcard means the name; as it is now, if not given. */
  has(name: string, resource: EncodedResource | undefined, isMeant?: boolean): boolean {
    if (this.asks(name) || (this.#wildcard && (isMeant ?? this.#isOfAll(name)))) return true;
    return resource?.aliases?.some((alias) => this.asks(alias)) ?? false;
  }

  /**
   * SotW: a stale request is not answered, but what it left out its client may have dropped since: if a later request names it, the client
   * has to be sent it again. `settleDoubts` takes such names out before that request is looked at.
   */
  doubt(requested: readonly string[]): void {
    const wanted = new Set(requested);
    if (wanted.size > 0) this.#explicit = true;
    for (const name of this.#names) if (!wanted.has(name)) (this.#doubtful ??= new Set()).add(name);
    if (this.#wildcard && !wanted.has(everything) && this.#explicit) this.#doubtfulWildcard = true;
  }

  settleDoubts(): { readonly dropped: readonly string[]; readonly wildcardLost: boolean } {
    const dropped = [...(this.#doubtful ?? noNames)].filter((name) => this.#names.has(name));
    for (const name of dropped) this.#remove(name);
    const wildcardLost = this.#doubtfulWildcard && this.#wildcard;
    if (wildcardLost) this.#wildcard = false;
    this.#doubtful = undefined;
    this.#doubtfulWildcard = false;
    return { dropped, wildcardLost };
  }

  /** `shared`: `requested` as a set that many requests share. */
  replace(requested: readonly string[], shared?: ReadonlySet<string>): SubscriptionChange {
    if (shared === this.#names && !this.#wildcard) return noChange;
    const wanted = new Set(requested);
    const wasWildcard = this.#wildcard;
    if (wanted.size > 0) this.#explicit = true;
    this.#wildcard = wanted.delete(everything) || (wanted.size === 0 && !this.#explicit && this.#impliedWildcard);
    const added = [...wanted].filter((name) => !this.#names.has(name));
    const dropped = [...this.#names].filter((name) => !wanted.has(name));
    if (shared !== undefined && !shared.has(everything)) this.#share(shared);
    else if (added.length > 0 || dropped.length > 0) this.#keep(wanted);
    return { added, dropped, wildcard: compare(wasWildcard, this.#wildcard) };
  }

  /** `shared`: `subscribe` as a set that many requests share. */
  edit(
    subscribe: readonly string[],
    unsubscribe: readonly string[],
    first: boolean,
    shared?: ReadonlySet<string>,
  ): SubscriptionChange {
    const fresh = this.#names.size === 0 && unsubscribe.length === 0;
    if (fresh && shared !== undefined && !shared.has(everything)) {
      this.#share(shared);
      return { ...noChange, added: subscribe };
    }
    const wasWildcard = this.#wildcard;
    if (first && subscribe.length === 0 && this.#impliedWildcard) this.#wildcard = true;
    const added = new Set(subscribe);
    if (added.delete(everything)) this.#wildcard = true;
    for (const name of added) this.#add(name);
    const dropped: string[] = [];
    for (const name of new Set(unsubscribe)) {
      if (name === everything) this.#wildcard = false;
      else if (this.#names.has(name)) {
        this.#remove(name);
        dropped.push(name);
        added.delete(name);
      }
    }
    return { added: [...added], dropped, wildcard: compare(wasWildcard, this.#wildcard) };
  }

  /** Names of resources that count as asked for, though no request said so. What is spelled otherwise than it is meant is none. */
  assume(names: Iterable<string>): void {
    for (const name of names)
      if (!this.#isOfAll(name) && !this.asks(name) && this.meant(name) === name) this.#add(name);
  }

  #share(names: ReadonlySet<string>): void {
    this.#names = names;
    this.#ownNames = undefined;
    this.#spellings = undefined;
  }

  #keep(names: Set<string>): void {
    this.#names = names;
    this.#ownNames = names;
    this.#spellings = undefined;
  }

  #add(name: string): void {
    this.#own().add(name);
    if (this.#meaning !== undefined) this.#spellings?.add(name, this.#meaning(name));
  }

  #remove(name: string): void {
    this.#own().delete(name);
    if (this.#meaning !== undefined) this.#spellings?.delete(name, this.#meaning(name));
  }

  #own(): Set<string> {
    const own = this.#ownNames;
    if (own !== undefined) return own;
    const copy = new Set(this.#names);
    this.#keep(copy);
    return copy;
  }
}

function compare(before: boolean, after: boolean): 'gained' | 'lost' | 'same' {
  if (before === after) return 'same';
  return after ? 'gained' : 'lost';
}
