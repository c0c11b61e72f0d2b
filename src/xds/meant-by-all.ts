/**
 * A replica's copy of the names that a wildcard means, where that is not everything. In: names that may have come among them or gone, and the
 * live names. Out: the names as of then, and those that did.
 *
 * A name may come among them while its resource stays as it is: that is news to every client that wants all and never asked for it by name.
 */

import type { NameSet } from './view.ts';

/** Names that a wildcard means now and did not before, or the other way round: with whether it did before. */
export type Turned = ReadonlyMap<string, boolean>;

export const noneTurned: Turned = new Map();

export class OwnNames {
  readonly #names: Set<string> | undefined;

  /** As they are for a start; undefined, everything, is so for good. */
  constructor(live: NameSet | undefined) {
    this.#names = live && new Set(live);
  }

  /** undefined: everything. */
  get names(): NameSet | undefined {
    return this.#names;
  }

  replaceAll(live: NameSet | undefined): Turned {
    return this.replace(new Set([...(this.#names ?? []), ...(live ?? [])]), live);
  }

  replace(names: Iterable<string>, live: NameSet | undefined): Turned {
    if (this.#names === undefined) return noneTurned;
    let turned: Map<string, boolean> | undefined;
    for (const name of names) {
      const is = live?.has(name) === true;
      if (is === this.#names.has(name)) continue;
      turned ??= new Map();
      turned.set(name, !is);
      if (is) this.#names.add(name);
      else this.#names.delete(name);
    }
    return turned ?? noneTurned;
  }
}

/** Of a view in front of a base: the base's, and others. */
export class LayeredNames {
  readonly #base: OwnNames;
  readonly #own = new Set<string>();
  readonly #both: NameSet;

  constructor(base: OwnNames) {
    this.#base = base;
    this.#both = bothOf(base, this.#own);
  }

  get names(): NameSet | undefined {
    return this.#base.names === undefined ? undefined : this.#both;
  }

  replaceAll(live: NameSet | undefined, ofBase: Turned): Turned {
    return this.replace(new Set([...this.#own, ...(live ?? [])]), live, ofBase);
  }

  /** `ofBase`: those that turned there, which is up to date. */
  replace(names: Iterable<string>, live: NameSet | undefined, ofBase: Turned): Turned {
    const base = this.#base.names;
    if (base === undefined) return noneTurned;
    let turned: Map<string, boolean> | undefined;
    for (const name of ofBase.keys()) {
      if (!this.#own.has(name)) continue;
      turned ??= new Map(ofBase);
      turned.delete(name);
    }
    for (const name of names) {
      const is = live?.has(name) === true;
      const was = this.#own.has(name);
      if (is === was) continue;
      const before = was || (ofBase.get(name) ?? base.has(name));
      if (is) this.#own.add(name);
      else this.#own.delete(name);
      turned ??= new Map(ofBase);
      if (before === (is || base.has(name))) turned.delete(name);
      else turned.set(name, before);
    }
    return turned ?? ofBase;
  }
}

function bothOf(base: OwnNames, own: ReadonlySet<string>): NameSet {
  return {
    has: (name) => own.has(name) || base.names?.has(name) === true,
    *[Symbol.iterator]() {
      yield* base.names ?? [];
      for (const name of own) if (base.names?.has(name) !== true) yield name;
    },
  };
}
