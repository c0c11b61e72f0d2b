/**
 * Who may work next. Streams wait in one queue, first come, first served; after a slice of time or a number of messages the event loop gets
 * its turn. A storm of ten thousand reconnects is worked off evenly, and nothing else in the process is kept waiting for it.
 *
 * Work that many streams wait for, such as a view under construction, has a queue of its own: one such job has a turn before each slice of
 * streams. So neither keeps the other waiting, however many there are.
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
  readonly #work = new Set<Job>();
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

  /** For jobs that streams wait for; each bounds its turn itself, and comes again if it has more to do. */
  enqueueWork(job: Job): void {
    this.#work.add(job);
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
    const [work] = this.#work;
    if (work !== undefined) {
      this.#work.delete(work);
      work.turn();
    }
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
    if (this.#waiting.size > 0 || this.#work.size > 0) this.#schedule();
  }
}
