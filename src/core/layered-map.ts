/**
 * A map that says what differs from another one. In: a base, and what is otherwise: values of its own, and names without one (`undefined`)
 * that hide what the base has. Out: both, read as one map. Always: nothing is copied, so it is as live as its parts.
 */

/** What differs from a base: a value takes the place of the base's, `undefined` hides it. */
export type Overlay<V> = ReadonlyMap<string, V | undefined>;

export class LayeredMap<V> implements ReadonlyMap<string, V> {
  readonly #base: ReadonlyMap<string, V>;
  readonly #own: Overlay<V>;

  constructor(base: ReadonlyMap<string, V>, own: Overlay<V>) {
    this.#base = base;
    this.#own = own;
  }

  get(name: string): V | undefined {
    const own = this.#own.get(name);
    return own !== undefined || this.#own.has(name) ? own : this.#base.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Costs a look at all that differs. */
  get size(): number {
    let size = this.#base.size;
    for (const [name, value] of this.#own) {
      if (this.#base.has(name)) size -= 1;
      if (value !== undefined) size += 1;
    }
    return size;
  }

  *entries(): Generator<[string, V], undefined> {
    for (const entry of this.#base) if (!this.#own.has(entry[0])) yield entry;
    for (const [name, value] of this.#own) if (value !== undefined) yield [name, value];
  }

  *keys(): Generator<string, undefined> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<V, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, V], undefined> {
    return this.entries();
  }

  forEach(callback: (value: V, name: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [name, value] of this.entries()) callback(value, name, this);
  }
}
