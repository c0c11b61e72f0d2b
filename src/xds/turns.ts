/**
 * Who may work next. Streams wait in one queue, first come, first served; after a slice of time, a number of messages or of bytes the event loop
 * gets its turn. A storm of ten thousand reconnects is worked off evenly, and nothing else in the process is kept waiting for it.
 *
 * Work that many streams wait for, such as a view under construction, has a queue of its own: one such job has a turn before each slice of
 * streams. So neither keeps the other waiting, however many there are.
 */

import type { Clock } from '../core/clock.ts';
import { Pace, type PaceOptions } from './pace.ts';

export interface Job {
  /** Does one small piece of work. Returns how many bytes it handed to a socket. */
  turn(): number;
}

export interface Work {
  /** Does one small piece of work, smaller where `share` is below 1 and it brings more work with it. */
  turn(share: number): void;
}

export interface TurnsOptions {
  readonly clock: Clock;
  readonly sliceMs: number;
  readonly sliceJobs: number;
  readonly pace: PaceOptions;
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
  readonly #pace: Pace;
  /** Job → when it came; a Map keeps the order, and a job is in it once. */
  readonly #waiting = new Map<Job, number>();
  readonly #work = new Set<Work>();
  #scheduled = false;
  #scheduledMs = 0;
  #count = 0;
  #totalMs = 0;
  #maxMs = 0;

  constructor({ clock, sliceMs, sliceJobs, pace }: TurnsOptions) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#sliceJobs = sliceJobs;
    this.#pace = new Pace(pace);
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
  enqueueWork(job: Work): void {
    this.#work.add(job);
    this.#schedule();
  }

  remove(job: Job): void {
    this.#waiting.delete(job);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#scheduledMs = this.#clock.monotonic();
    setImmediate(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    this.#pace.cameBack(this.#clock.monotonic() - this.#scheduledMs);
    const [work] = this.#work;
    if (work !== undefined) {
      this.#work.delete(work);
      work.turn(this.#pace.share);
    }
    const startMs = this.#clock.monotonic();
    let nowMs = startMs;
    let jobs = 0;
    let bytes = 0;
    for (const [job, sinceMs] of this.#waiting) {
      if (jobs >= this.#sliceJobs || bytes >= this.#pace.bytes || nowMs - startMs >= this.#sliceMs) break;
      this.#waiting.delete(job);
      const waitedMs = nowMs - sinceMs;
      this.#count++;
      this.#totalMs += waitedMs;
      this.#maxMs = Math.max(this.#maxMs, waitedMs);
      bytes += job.turn();
      jobs++;
      nowMs = this.#clock.monotonic();
    }
    if (this.#waiting.size > 0 || this.#work.size > 0) this.#schedule();
  }
}
