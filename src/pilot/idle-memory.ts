/**
 * Gives back the memory that a burst of work (the start above all) leaves behind. V8 keeps what the busiest moment needed, and returns it only at a
 * full collection, which an idle process never has a reason for: an idle pilot would hold a third more than it uses. It also keeps bursts from
 * taking more than they need (src/core/young-generation.ts).
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock, Timer } from '../core/clock.ts';
import { boundYoung, unboundYoung } from '../core/young-generation.ts';

/** Quiet for this long counts as idle. */
const quietMs = 5000;

/** A full collection stops the process for about 1 ms per MB in use; above this bound that is worth more than the memory. */
const heapLimitBytes = 96 * 1024 * 1024;

type Collect = (options: { readonly type: 'major' }) => void;

export class IdleMemory {
  readonly #clock: Clock;
  readonly #collect: Collect;
  #timer: Timer | undefined;
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as Collect;
    boundYoung();
  }

  /** Work was done; when nothing more comes for a while, its memory is given back. Cheap, and called often. */
  worked(): void {
    this.#lastMs = this.#clock.monotonic();
    this.#timer ??= this.#clock.after(quietMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    unboundYoung();
  }

  #look(): void {
    const restMs = this.#lastMs + quietMs - this.#clock.monotonic();
    this.#timer = restMs > 0 ? this.#clock.after(restMs, () => this.#look()) : undefined;
    if (this.#timer === undefined && process.memoryUsage().heapUsed < heapLimitBytes) this.#collect({ type: 'major' });
  }
}
