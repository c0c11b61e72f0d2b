/**
 * How much one cluster's API is asked at a time, over all its watchers: an API that says "not now" is left alone by all of them, and lists,
 * which cost both sides memory, go one or two at a time.
 */

import { type Clock, sleep } from '../../core/clock.ts';

export class RequestBudget {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #maxListing: number;
  #pausedUntilMs = 0;
  #listing = 0;
  readonly #queue: (() => void)[] = [];

  constructor(clock: Clock, maxListing = 2, random: () => number = Math.random) {
    this.#clock = clock;
    this.#maxListing = maxListing;
    this.#random = random;
  }

  /** The API asked for this much quiet (Retry-After). */
  pause(delayMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.monotonic() + delayMs);
  }

  /** Resolves when a request may go out, each waiter at a moment of its own; rejects when the signal aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const waitMs = this.#pausedUntilMs - this.#clock.monotonic();
      if (waitMs <= 0) return;
      await sleep(this.#clock, waitMs + this.#random() * Math.min(waitMs, 1_000), signal);
    }
  }

  /** A place among those that list; give it back by calling what comes out. Rejects when the signal aborts. */
  async listing(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#listing >= this.#maxListing) {
      await new Promise<void>((resolve, reject) => {
        const enter = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          this.#queue.splice(this.#queue.indexOf(enter), 1);
          reject(signal.reason);
        };
        this.#queue.push(enter);
        signal.addEventListener('abort', leave, { once: true });
      });
    } else this.#listing += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      // The place goes to the next in line, if there is one.
      const next = this.#queue.shift();
      if (next === undefined) this.#listing -= 1;
      else next();
    };
  }
}
