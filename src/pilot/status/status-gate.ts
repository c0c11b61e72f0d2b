/**
 * When a pilot that has just started may speak of statuses: not before its clusters and rules are read, and of an object whose status somebody
 * wrote before, not before its proxies have had time to come back. A restart changes nothing, so it must write nothing.
 */

import type { Clock, Timer } from '../../core/clock.ts';

/** Envoys that lose their pilot are back within some seconds: they wait 0.5 s at first, and longer after each try. */
export const reconnectGraceMs = 10_000;

export class StatusGate {
  readonly #clock: Clock;
  readonly #again: () => void;
  #isHeld = false;
  #graceEndsMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  /** `again`: called when what was held back may be told. */
  constructor(clock: Clock, again: () => void) {
    this.#clock = clock;
    this.#again = again;
  }

  /** Nobody is told anything, until `release`. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  hold(): void {
    this.#isHeld = true;
  }

  /** From now on. What was written before the start stands for `graceMs` more. */
  release(graceMs: number): void {
    this.#isHeld = false;
    this.#graceEndsMs = this.#clock.monotonic() + graceMs;
    this.#timer = this.#clock.after(graceMs, this.#again);
    this.#again();
  }

  /** The status that was written of this very generation stands for now. */
  keeps(generation: number, written: { readonly observedGeneration?: unknown } | undefined): boolean {
    return written?.observedGeneration === generation && this.#clock.monotonic() < this.#graceEndsMs;
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
