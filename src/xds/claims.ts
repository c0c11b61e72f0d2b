/** What a client says that it holds from an earlier stream, until that is compared with what it should hold. */

export class Claims {
  /** name → version; empty where it cannot be relied on. */
  #versions = new Map<string, string>();

  get size(): number {
    return this.#versions.size;
  }

  versionOf(name: string): string | undefined {
    return this.#versions.get(name);
  }

  entries(): Iterable<[string, string]> {
    return this.#versions;
  }

  take(versions: ReadonlyMap<string, string>): void {
    this.#versions = new Map(versions);
  }

  /** What a client gave up or asked for again after it had claimed to hold it, it may hold in no version that counts. */
  doubt(names: Iterable<string>): void {
    for (const name of names) if (this.#versions.has(name)) this.#versions.set(name, '');
  }

  doubtUnless(isCertain: (name: string) => boolean): void {
    this.doubt([...this.#versions.keys()].filter((name) => !isCertain(name)));
  }

  clear(): void {
    if (this.#versions.size > 0) this.#versions = new Map();
  }
}
