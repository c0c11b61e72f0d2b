/**
 * Measures convergence: from the first change that a quiet mesh sees to the last acknowledgement of what it caused. Costs a number per stream
 * with messages under way.
 */

export class Convergence {
  readonly #now: () => number;
  readonly #observe: (durationMs: number) => void;
  /** By stream: the types of its messages that are not answered, one bit each. */
  readonly #underWay = new Map<number, number>();
  /** One bit per type; beyond thirty types, several share the last one. */
  readonly #bits = new Map<string, number>();
  #since: number | undefined;

  /** `now` is monotonic, ms. */
  constructor(now: () => number, observe: (durationMs: number) => void) {
    this.#now = now;
    this.#observe = observe;
  }

  /** A change happened `agoMs` ago. One that nobody had to be told of is forgotten with the next. */
  changed(agoMs: number): void {
    if (this.#underWay.size === 0) this.#since = this.#now() - agoMs;
  }

  /** Returns how long after the change, ms; undefined when no change is under way. */
  sent(streamId: number, typeUrl: string): number | undefined {
    if (this.#since === undefined) return undefined;
    this.#underWay.set(streamId, (this.#underWay.get(streamId) ?? 0) | this.#bitOf(typeUrl));
    return this.#now() - this.#since;
  }

  answered(streamId: number, typeUrl: string): void {
    const before = this.#underWay.get(streamId);
    if (before === undefined) return;
    const rest = before & ~this.#bitOf(typeUrl);
    if (rest !== 0) this.#underWay.set(streamId, rest);
    else if (this.#underWay.delete(streamId)) this.#settle();
  }

  gone(streamId: number): void {
    if (this.#underWay.delete(streamId)) this.#settle();
  }

  #bitOf(typeUrl: string): number {
    let bit = this.#bits.get(typeUrl);
    if (bit === undefined) {
      bit = 1 << Math.min(this.#bits.size, 29);
      if (this.#bits.size < 30) this.#bits.set(typeUrl, bit);
    }
    return bit;
  }

  #settle(): void {
    if (this.#underWay.size > 0 || this.#since === undefined) return;
    this.#observe(this.#now() - this.#since);
    this.#since = undefined;
  }
}
