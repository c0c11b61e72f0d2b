/**
 * Who may work next. Jobs wait in one queue, first come, first served; after a slice of time or a number of messages the event loop gets its
 * turn. A storm of ten thousand reconnects is worked off evenly, and nothing else in the process is kept waiting for it.
 */

import type { Clock } from '../core/clock.ts';

export interface Job {
  /** Does one small piece of work. */
  turn(): void;
}

export interface QueueWaits {
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
}

export class Turns {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  readonly #sliceJobs: number;
  /** Job → when it came; a Map keeps the order, and a job is in it once. */
  readonly #waiting = new Map<Job, number>();
  #scheduled = false;
  #count = 0;
  #totalMs = 0;
  #maxMs = 0;

  constructor(clock: Clock, sliceMs: number, sliceJobs: number) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#sliceJobs = sliceJobs;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get waits(): QueueWaits {
    return { count: this.#count, totalMs: this.#totalMs, maxMs: this.#maxMs };
  }

  enqueue(job: Job): void {
    if (!this.#waiting.has(job)) this.#waiting.set(job, this.#clock.monotonic());
    this.#schedule();
  }

  remove(job: Job): void {
    this.#waiting.delete(job);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    const startMs = this.#clock.monotonic();
    let nowMs = startMs;
    let jobs = 0;
    for (const [job, sinceMs] of this.#waiting) {
      if (jobs >= this.#sliceJobs || nowMs - startMs >= this.#sliceMs) break;
      this.#waiting.delete(job);
      const waitedMs = nowMs - sinceMs;
      this.#count++;
      this.#totalMs += waitedMs;
      this.#maxMs = Math.max(this.#maxMs, waitedMs);
      job.turn();
      jobs++;
      nowMs = this.#clock.monotonic();
    }
    if (this.#waiting.size > 0) this.#schedule();
  }
}
