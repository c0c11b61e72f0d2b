/**
 * Gathers events into batches: the first is handled at once (at the end of the current turn), those that follow wait for a window that grows
 * with what handling costs, so that a storm of changes cannot eat the process; and nothing waits longer than a bound.
 */

import type { Clock, Timer } from './clock.ts';

export interface DebounceLimits {
  /** The window after a batch is at least this, ms. */
  readonly minWindowMs: number;
  /** No window is longer, ms: the bound on how long an event waits, beside the handling itself. */
  readonly maxWindowMs: number;
  /** The window is this many times the last batch's handling time. */
  readonly costFactor: number;
}

export const defaultDebounce: DebounceLimits = { minWindowMs: 1, maxWindowMs: 100, costFactor: 2 };

export class Debounce {
  readonly #clock: Clock;
  readonly #limits: DebounceLimits;
  readonly #handle: (waitedMs: number) => void;
  #timer: Timer | undefined;
  #pendingSince: number | undefined;
  #quietUntil = 0;

  /** `handle` is given how long the oldest event of the batch waited, ms. */
  constructor(clock: Clock, limits: DebounceLimits, handle: (waitedMs: number) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#handle = handle;
  }

  /** Says that there is something to handle. */
  trigger(): void {
    if (this.#pendingSince !== undefined) return;
    const now = this.#clock.monotonic();
    this.#pendingSince = now;
    this.#timer = this.#clock.after(Math.max(0, this.#quietUntil - now), () => this.flush());
  }

  /** Handles what is pending now, without waiting for the window. */
  flush(): void {
    if (this.#pendingSince === undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const started = this.#clock.monotonic();
    const waitedMs = started - this.#pendingSince;
    this.#pendingSince = undefined;
    this.#handle(waitedMs);
    const ended = this.#clock.monotonic();
    const window = Math.min(
      this.#limits.maxWindowMs,
      Math.max(this.#limits.minWindowMs, (ended - started) * this.#limits.costFactor),
    );
    this.#quietUntil = ended + window;
  }

  /** Forgets what is pending. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pendingSince = undefined;
  }
}
