/**
 * One deadline per cluster, on monotonic time: for how long its last good state is kept without news. A deadline may be longer than a timer can
 * be, and may be never.
 */

import type { Clock, Timer } from '../core/clock.ts';

/** Node's timers take no more than this. */
const maxTimerMs = 2 ** 31 - 1;

export class Expiry {
  readonly #clock: Clock;
  readonly #timers = new Map<string, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `expire` once, `delayMs` from now. A deadline that runs already stays as it is. */
  start(name: string, delayMs: number, expire: () => void): void {
    if (this.#timers.has(name) || delayMs === Number.POSITIVE_INFINITY) return;
    this.#arm(name, this.#clock.monotonic() + delayMs, expire);
  }

  cancel(name: string): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  cancelAll(): void {
    for (const name of [...this.#timers.keys()]) this.cancel(name);
  }

  #arm(name: string, deadlineMs: number, expire: () => void): void {
    const leftMs = Math.max(0, deadlineMs - this.#clock.monotonic());
    const timer = this.#clock.after(Math.min(maxTimerMs, leftMs), () => {
      this.#timers.delete(name);
      if (leftMs > maxTimerMs) this.#arm(name, deadlineMs, expire);
      else expire();
    });
    this.#timers.set(name, timer);
  }
}
