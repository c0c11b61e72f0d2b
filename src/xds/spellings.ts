/**
 * Names that clients spell in more than one way (virtual hosts over VHDS: `80/web` and `80/web:9999`). In: names as they were asked for, and a
 * function of the host's that says what each means. Out: by what is meant, the spellings asked for that are other than that.
 *
 * What always holds: no more is kept than was asked for; sets of names that streams share have theirs in common.
 */

/** What `name` means, itself for most names. The very same function for all that means the same by it. */
export type Meaning = (name: string) => string;

export class Spellings {
  readonly #byMeaning = new Map<string, readonly string[]>();

  get size(): number {
    return this.#byMeaning.size;
  }

  has(meant: string): boolean {
    return this.#byMeaning.has(meant);
  }

  of(meant: string): readonly string[] {
    return this.#byMeaning.get(meant) ?? none;
  }

  add(name: string, meant: string): void {
    if (meant === name) return;
    const before = this.of(meant);
    if (!before.includes(name)) this.#byMeaning.set(meant, [...before, name]);
  }

  delete(name: string, meant: string): void {
    if (!this.#byMeaning.has(meant)) return;
    const rest = this.of(meant).filter((each) => each !== name);
    if (rest.length > 0) this.#byMeaning.set(meant, rest);
    else this.#byMeaning.delete(meant);
  }

  static in(names: Iterable<string>, meaning: Meaning): Spellings {
    const spellings = new Spellings();
    for (const name of names) spellings.add(name, meaning(name));
    return spellings;
  }
}

const none: readonly string[] = [];
export const noSpellings: Spellings = new Spellings();

const ofShared = new WeakMap<Meaning, WeakMap<ReadonlySet<string>, Spellings>>();

/** `names`: a set that never changes; nor may what comes back. */
export function sharedSpellings(names: ReadonlySet<string>, meaning: Meaning): Spellings {
  let bySet = ofShared.get(meaning);
  if (bySet === undefined) {
    bySet = new WeakMap();
    ofShared.set(meaning, bySet);
  }
  let spellings = bySet.get(names);
  if (spellings === undefined) {
    spellings = Spellings.in(names, meaning);
    bySet.set(names, spellings);
  }
  return spellings;
}
