/**
 * Gives back the memory that a burst of work (the start above all) leaves behind, and keeps bursts from taking more than they need. V8 keeps a
 * young generation as large as the busiest moment needed, and returns it only at a full collection, which an idle process never has a reason
 * for: an idle pilot would hold a third more than it uses. And it lets that generation grow to 134 MB, which a storm of reconnects fills though
 * it goes no faster by it.
 */

import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock, Timer } from '../core/clock.ts';

/** Quiet for this long counts as idle. */
const quietMs = 5000;

/** A full collection stops the process for about 1 ms per MB in use; above this bound that is worth more than the memory. */
const heapLimitBytes = 96 * 1024 * 1024;

/**
 * The young generation, which doubles each time that it grows, stays as it is from this size on; several collections within one piece of work may
 * make it larger. With 1,000 proxies an endpoint's change cost as much CPU with 34 MB as with 134, and a third more with 2.
 */
const youngMaxBytes = 16 * 1024 * 1024;

type Collect = (options: { readonly type: 'major' }) => void;

export class IdleMemory {
  readonly #clock: Clock;
  readonly #collect: Collect;
  readonly #collections: PerformanceObserver;
  #mayGrow = true;
  #timer: Timer | undefined;
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as Collect;
    this.#collections = new PerformanceObserver(() => this.#boundYoung());
    this.#collections.observe({ entryTypes: ['gc'] });
    this.#boundYoung();
  }

  /** Work was done; when nothing more comes for a while, its memory is given back. Cheap, and called often. */
  worked(): void {
    this.#lastMs = this.#clock.monotonic();
    this.#timer ??= this.#clock.after(quietMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#collections.disconnect();
  }

  /** V8 reads the flag whenever it may grow the young generation. A full collection makes that small again. */
  #boundYoung(): void {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
    const mayGrow = young < youngMaxBytes;
    if (mayGrow === this.#mayGrow) return;
    this.#mayGrow = mayGrow;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  }

  #look(): void {
    const restMs = this.#lastMs + quietMs - this.#clock.monotonic();
    this.#timer = restMs > 0 ? this.#clock.after(restMs, () => this.#look()) : undefined;
    if (this.#timer === undefined && process.memoryUsage().heapUsed < heapLimitBytes) this.#collect({ type: 'major' });
  }
}
