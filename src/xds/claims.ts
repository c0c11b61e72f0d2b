/** What a client says that it holds from an earlier stream, until that is compared with what it should hold. */

const nothing: ReadonlyMap<string, string> = new Map();

export class Claims {
  /** name → version; empty where it cannot be relied on. */
  #versions: ReadonlyMap<string, string> = nothing;

  get size(): number {
    return this.#versions.size;
  }

  versionOf(name: string): string | undefined {
    return this.#versions.get(name);
  }

  entries(): Iterable<readonly [string, string]> {
    return this.#versions;
  }

  take(versions: ReadonlyMap<string, string>): void {
    this.#versions = versions;
  }

  /** What a client gave up or asked for again after it had claimed to hold it, it may hold in no version that counts. */
  doubt(names: Iterable<string>): void {
    const doubtful = [...names].filter((name) => this.#versions.has(name));
    if (doubtful.length === 0) return;
    this.#versions = new Map([...this.#versions, ...doubtful.map((name) => [name, ''] as const)]);
  }

  doubtUnless(isCertain: (name: string) => boolean): void {
    this.doubt([...this.#versions.keys()].filter((name) => !isCertain(name)));
  }

  clear(): void {
    this.#versions = nothing;
  }
}
