/**
 * Measures convergence: from the first change that a quiet mesh sees to the last acknowledgement of what it caused. Costs a set entry per
 * message under way.
 */

export class Convergence {
  readonly #now: () => number;
  readonly #observe: (durationMs: number) => void;
  readonly #underWay = new Set<string>();
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
    this.#underWay.add(`${streamId} ${typeUrl}`);
    return this.#now() - this.#since;
  }

  answered(streamId: number, typeUrl: string): void {
    if (this.#underWay.delete(`${streamId} ${typeUrl}`)) this.#settle();
  }

  gone(streamId: number): void {
    if (this.#underWay.size === 0) return;
    for (const key of this.#underWay) {
      if (key.startsWith(`${streamId} `)) this.#underWay.delete(key);
    }
    this.#settle();
  }

  #settle(): void {
    if (this.#underWay.size > 0 || this.#since === undefined) return;
    this.#observe(this.#now() - this.#since);
    this.#since = undefined;
  }
}
