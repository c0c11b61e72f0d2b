/**
 * Work that only the leader does, one piece after the other: steps go in, and are taken while this replica leads and there is something to do.
 *
 * What always holds: no two steps at a time, and none after the stop; while another leads, or there is nothing to do, it is looked again each second, and
 * at once when something came while this replica leads.
 */

import { type Clock, sleep } from '../../core/clock.ts';

export interface LeaderLoopOptions {
  readonly clock: Clock;
  readonly isLeader: () => boolean;
  /** Resolves to the pause after it, ms; undefined: there was nothing to do. Must not throw. */
  readonly step: (signal: AbortSignal) => Promise<number | undefined>;
  /** It leads from now on. */
  readonly gained?: () => void;
  /** Another leads; called each time that it is looked. */
  readonly followed?: () => void;
}

const lookAgainMs = 1_000;

export class LeaderLoop {
  readonly #options: LeaderLoopOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #wake = new AbortController();

  constructor(options: LeaderLoopOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** There is something to do. */
  wake(): void {
    this.#wake.abort();
  }

  /** Resolves when the step under way has ended; its signal is aborted. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, isLeader, step, gained, followed } = this.#options;
    const { signal } = this.#stop;
    // The owner's constructor is to end before the first step.
    await Promise.resolve();
    let wasLeader = false;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const leads = isLeader();
      if (leads && !wasLeader) gained?.();
      if (!leads) followed?.();
      wasLeader = leads;
      const pauseMs = leads ? await step(signal) : undefined;
      if (pauseMs === 0) continue;
      if (pauseMs !== undefined) await sleep(clock, pauseMs, signal);
      else await sleep(clock, lookAgainMs, leads ? AbortSignal.any([signal, this.#wake.signal]) : signal);
    }
  }
}
