/**
 * A map that is empty most of the time, and then takes no memory of its own: a stream has some twenty of them, and a server thousands of streams.
 * In: what a Map takes. Out: `all`, to be read like any map; it is another object once the map was empty.
 */

const none: ReadonlyMap<never, never> = new Map<never, never>();

export class SparseMap<V> {
  #map: Map<string, V> | undefined;

  get all(): ReadonlyMap<string, V> {
    return this.#map ?? none;
  }

  set(key: string, value: V): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  delete(key: string): void {
    if (this.#map?.delete(key) === true && this.#map.size === 0) this.#map = undefined;
  }

  clear(): void {
    this.#map = undefined;
  }
}
