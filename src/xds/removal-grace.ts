/**
 * The time that removed Envoy clusters, endpoints and secrets are left to a client that no longer routes to them: requests that it had routed there
 * may still wait, for a delay or for their next try, and would fail. In: when removals may go, and which; what changed in the view. Out: the
 * names whose time is over.
 *
 * What always holds: a name waits for at least `graceMs` after nothing leads to it any more, and for at most twice that beyond what keeps all removals
 * back. Names wait in batches, so that a batch is looked through when it begins and when it goes, and nothing but names is kept.
 */

type Names = ReadonlyMap<string, ReadonlySet<string>>;

export class RemovalGrace {
  readonly #graceMs: number;
  /** By type. */
  #batch: Map<string, Set<string>> | undefined;
  /** Monotonic ms. */
  #untilMs = 0;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** When the batch goes (monotonic ms); only after `ripe` gave none. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** The names that may go now, by type; undefined: not before `untilMs`. `leaving`: all that should go, to nothing of which anything leads now. */
  ripe(nowMs: number, leaving: () => Iterable<readonly [string, Iterable<string>]>): Names | undefined {
    if (this.#batch === undefined) {
      this.#batch = new Map([...leaving()].map(([typeUrl, names]) => [typeUrl, new Set(names)]));
      this.#untilMs = nowMs + this.#graceMs;
    }
    return nowMs < this.#untilMs ? undefined : this.#batch;
  }

  /** The batch has gone; what has come to leave meanwhile is the next one. */
  over(): void {
    this.#batch = undefined;
  }

  /** Something happened to these names in the view: where they leave still, or again, their time begins anew. */
  changed(typeUrl: string, names: Iterable<string>): void {
    const waiting = this.#batch?.get(typeUrl);
    if (waiting === undefined || waiting.size === 0) return;
    for (const name of names) waiting.delete(name);
  }
}
