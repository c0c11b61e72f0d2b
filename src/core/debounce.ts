/**
 * Gathers events into batches: the first is handled at once (at the end of the current turn), those that follow wait for a window that grows
 * with what a batch costs, so that a storm of changes cannot eat the process.
 *
 * What a batch costs is all that the process does from then on: the handling itself, and what it sets off (messages to a thousand proxies, and
 * their answers). What always holds: an event waits no longer than `maxWindowMs` from when it came until the timer for its batch is due,
 * whatever the process does.
 */

import type { Clock, Timer } from './clock.ts';

export interface DebounceLimits {
  /** The window after a batch is at least this, ms. */
  readonly minWindowMs: number;
  /** No window is longer, ms: the bound on how long an event waits, beside the handling itself. */
  readonly maxWindowMs: number;
  /** The window is this many times what the last batch has cost so far. */
  readonly costFactor: number;
}

export const defaultDebounce: DebounceLimits = { minWindowMs: 1, maxWindowMs: 90, costFactor: 1.5 };

export class Debounce {
  readonly #clock: Clock;
  readonly #limits: DebounceLimits;
  readonly #handle: (waitedMs: number) => void;
  readonly #busyMs: () => number;
  #timer: Timer | undefined;
  #pendingSince: number | undefined;
  /** When the last batch began, and how busy the process had been by then. */
  #last: { readonly atMs: number; readonly busyMs: number } | undefined;
  #endedMs = 0;

  /**
   * `handle` is given how long the oldest event of the batch waited, ms. `busyMs`: how long the process has been busy since some moment in the
   * past; without it only the handling counts as a batch's cost.
   */
  constructor(
    clock: Clock,
    limits: DebounceLimits,
    handle: (waitedMs: number) => void,
    busyMs: () => number = () => 0,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#handle = handle;
    this.#busyMs = busyMs;
  }

  /** Says that there is something to handle. */
  trigger(): void {
    if (this.#pendingSince !== undefined) return;
    this.#pendingSince = this.#clock.monotonic();
    this.#sleep(this.#restMs());
  }

  /** Handles what is pending now, without waiting for the window. */
  flush(): void {
    if (this.#pendingSince === undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const atMs = this.#clock.monotonic();
    const waitedMs = atMs - this.#pendingSince;
    this.#pendingSince = undefined;
    this.#last = { atMs, busyMs: this.#busyMs() };
    this.#handle(waitedMs);
    this.#endedMs = this.#clock.monotonic();
  }

  /** Forgets what is pending. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pendingSince = undefined;
  }

  #sleep(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => {
      const restMs = this.#restMs();
      if (restMs > 0) this.#sleep(restMs);
      else this.flush();
    });
  }

  /** Until the window is over, as far as that is known: while what the last batch set off goes on, it grows. */
  #restMs(): number {
    const last = this.#last;
    if (last === undefined) return 0;
    const { minWindowMs, maxWindowMs, costFactor } = this.#limits;
    const costMs = Math.max(this.#endedMs - last.atMs, this.#busyMs() - last.busyMs);
    const windowMs = Math.min(maxWindowMs, Math.max(minWindowMs, costMs * costFactor));
    return Math.max(0, this.#endedMs + windowMs - this.#clock.monotonic());
  }
}
