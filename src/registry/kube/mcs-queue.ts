/**
 * Work on keys: each is worked on by one at a time, a few at once; what is asked for meanwhile is done again afterwards; what fails is tried again
 * after growing pauses of its own, and holds up nobody else.
 */

import { Backoff } from '../../core/backoff.ts';
import type { Clock, Timer } from '../../core/clock.ts';

export interface QueueOptions<K> {
  readonly clock: Clock;
  readonly parallel: number;
  /** Resolves to whether all is done; `isRetry`: the last try of this key was not. Must not throw. */
  readonly work: (key: K, isRetry: boolean) => Promise<boolean>;
}

const retry = { firstMs: 500, maxMs: 60_000 };

export class WorkQueue<K> {
  readonly #options: QueueOptions<K>;
  readonly #waiting = new Set<K>();
  readonly #running = new Map<K, Promise<void>>();
  readonly #retries = new Map<K, { readonly backoff: Backoff; timer: Timer | undefined }>();
  #stopped = false;

  constructor(options: QueueOptions<K>) {
    this.#options = options;
  }

  add(key: K): void {
    if (this.#stopped) return;
    this.#waiting.add(key);
    this.#next();
  }

  /** Ends with what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    for (const { timer } of this.#retries.values()) timer?.cancel();
    await Promise.all(this.#running.values());
  }

  #next(): void {
    for (const key of this.#waiting) {
      if (this.#stopped || this.#running.size >= this.#options.parallel) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#retries.get(key)?.timer?.cancel();
      // In another turn, so that a crowd of changes is one piece of work.
      const run = Promise.resolve().then(() => this.#work(key));
      this.#running.set(key, run);
    }
  }

  async #work(key: K): Promise<void> {
    const isDone = await this.#options.work(key, this.#retries.has(key));
    this.#running.delete(key);
    if (isDone) this.#retries.delete(key);
    else this.#later(key);
    this.#next();
  }

  #later(key: K): void {
    if (this.#stopped) return;
    const entry = this.#retries.get(key) ?? { backoff: new Backoff(retry), timer: undefined };
    this.#retries.set(key, entry);
    entry.timer = this.#options.clock.after(entry.backoff.next(), () => this.add(key));
  }
}
