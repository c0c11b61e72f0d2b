/**
 * Asks a cluster's API again and again whether it is well (`/readyz`): watches alone do not show an outage. In: the API, and when there was news
 * of it. Out: how it answered last, and calls to whoever goes by it.
 *
 * What always holds: one request at a time; while the API does not answer, the pauses grow up to the usual one.
 */

import { Backoff } from '../../core/backoff.ts';
import { type Clock, sleep } from '../../core/clock.ts';
import type { ApiClient } from './api-client.ts';
import type { ApiError } from './api-error.ts';
import { probeOnce, readVersion } from './probe.ts';

export interface ClusterProbeOptions {
  readonly api: ApiClient;
  readonly clock: Clock;
  /** Between two questions, about. */
  readonly probeMs: number;
  /** How long an answer may take. */
  readonly answerMs: number;
  /** When there was news of the cluster last, by whatever way; monotonic. */
  readonly lastNewsMs: () => number;
  /** It answered, and is well. */
  readonly heard: () => void;
  /** It is well again after it was not; there had been no news since `sinceMs` (monotonic). After `heard`. */
  readonly recovered: (sinceMs: number) => void;
  /** `v1.36.1`, when it is first known, and when it is another after an outage. */
  readonly version: (version: string) => void;
  /** `outcome` is of now. Last of all. */
  readonly looked: () => void;
}

export interface ProbeOutcome {
  /** One after the other, up to now. */
  readonly failures: number;
  readonly error: ApiError | undefined;
}

export class ClusterProbe {
  readonly #options: ClusterProbeOptions;
  #outcome: ProbeOutcome = { failures: 0, error: undefined };
  #version = '';

  constructor(options: ClusterProbeOptions) {
    this.#options = options;
  }

  get outcome(): ProbeOutcome {
    return this.#outcome;
  }

  /** Asks until `signal`. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, probeMs } = this.#options;
    const backoff = new Backoff({ firstMs: Math.min(1_000, probeMs), maxMs: Math.max(probeMs, 1_000) });
    // Not all thousand clusters at the same moment.
    let waitMs = probeMs * Math.random();
    for (;;) {
      await sleep(clock, waitMs, signal);
      if (signal.aborted) return;
      const isWell = await this.#look(signal);
      if (signal.aborted) return;
      if (isWell) backoff.reset();
      waitMs = isWell ? probeMs * (0.8 + Math.random() * 0.4) : backoff.next();
    }
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const { api, answerMs, lastNewsMs, heard, recovered, version, looked } = this.#options;
    const sinceMs = lastNewsMs();
    const error = await probeOnce(api, answerMs, signal);
    if (signal.aborted) return false;
    const hadFailed = this.#outcome.failures > 0;
    if (error === undefined && (hadFailed || this.#version === '')) {
      const read = await readVersion(api, answerMs, signal);
      if (read !== this.#version && !signal.aborted) version((this.#version = read));
    }
    this.#outcome = { failures: error === undefined ? 0 : this.#outcome.failures + 1, error };
    if (error === undefined) {
      heard();
      if (hadFailed) recovered(sinceMs);
    }
    looked();
    return error === undefined;
  }
}
