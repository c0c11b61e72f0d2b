/**
 * A cluster's ServiceExports, where its API has such: listed and watched into the cluster's index; and the cluster's id, beside them.
 *
 * What always holds: an API without them costs a question now and then, and is no error; `isSettled` once it is known what there is, or that it
 * cannot be known; as long as it is not known (`isKnown` false), nobody may conclude that there are none; kinds that were there are believed
 * gone only after several answers that say so.
 */

import type { Clock } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import type { ClusterIndex } from '../derive-index.ts';
import type { ApiClient } from './api-client.ts';
import type { ApiError } from './api-error.ts';
import { ClusterIdWatch } from './cluster-property.ts';
import { ListerWatcher, type WatchSettings } from './lister-watcher.ts';
import { mcsGroup, servedMcsVersion } from './mcs-group.ts';
import { followOptionalKind } from './optional-kind.ts';
import type { RequestBudget } from './request-budget.ts';
import { indexTarget } from './watched-objects.ts';

export interface ExportWatchOptions {
  readonly api: ApiClient;
  readonly index: ClusterIndex;
  readonly settings: WatchSettings;
  readonly clock: Clock;
  readonly budget: RequestBudget;
  readonly verify: (signal: AbortSignal) => Promise<void>;
  readonly heard: () => void;
  /** The index, or anything that is shown here, is another. */
  readonly updated: () => void;
}

/** Whoever cannot be told whether there are any is not waited for longer than this. */
const settleMs = 10_000;

export class ExportWatch {
  readonly #options: ExportWatchOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #startedMs: number;
  readonly #clusterId: ClusterIdWatch;
  #watcher: ListerWatcher<unknown> | undefined;
  #isKnown = false;
  #answered = false;
  #refused: ApiError | undefined;

  constructor(options: ExportWatchOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonic();
    const timer = options.clock.after(settleMs + 1, () => options.updated());
    this.#stop.signal.addEventListener('abort', () => timer.cancel());
    this.#clusterId = new ClusterIdWatch(options);
    const { api, index, settings, clock, budget } = options;
    this.#done = followOptionalKind({
      settings,
      clock,
      budget,
      signal: this.#stop.signal,
      served: (signal) => servedMcsVersion(api, 'serviceexports', signal),
      watch: async (apiVersion) => {
        await this.#watch(apiVersion);
        return true;
      },
      holds: () => index.size('ServiceExport') > 0,
      none: () => this.#none(),
      forbidden: () => this.#setAnswered(),
    });
  }

  /** All of its exports are in the index, or it has none. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get isSettled(): boolean {
    if (this.#answered && this.#clusterId.isKnown) return true;
    return this.#options.clock.monotonic() - this.#startedMs > settleMs;
  }

  /** What the API claims; undefined: nothing. */
  get clusterId(): string | undefined {
    return this.#clusterId.id;
  }

  findings(cluster: string): readonly Finding[] {
    const ofId = this.#clusterId.findings(cluster);
    if (this.#refused === undefined) return ofId;
    return [
      ...ofId,
      {
        code: 'FW-MCS-010',
        severity: 'warning',
        message: `its serviceexports.${mcsGroup} may not be read (${this.#refused.message}); what was read before stays`,
        where: { cluster },
        hint: 'Apply deploy/remote/mcs.yaml in that cluster; without it the cluster exports nothing.',
      },
    ];
  }

  /** As ListerWatcher's. */
  kick(sinceMs: number): void {
    this.#watcher?.kick(sinceMs);
    this.#clusterId.kick(sinceMs);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#done, this.#clusterId.stop()]);
  }

  /** Until the API does not have the kind any more. */
  async #watch(apiVersion: string): Promise<void> {
    const { api, index, settings, clock, budget, verify, heard, updated } = this.#options;
    const over = new AbortController();
    const ended = (): void => over.abort();
    this.#stop.signal.addEventListener('abort', ended, { once: true });
    const watcher = new ListerWatcher<unknown>({
      api,
      resource: { name: 'serviceexports', group: mcsGroup, path: `/apis/${apiVersion}/serviceexports` },
      target: indexTarget(index, 'ServiceExport'),
      settings,
      clock,
      budget,
      empty: 'possible',
      verify,
      heard,
      changed: () => {
        const { listed, error } = watcher.health;
        if (listed) this.#isKnown = true;
        const kind = error?.kind;
        this.#refused = kind === 'forbidden' || kind === 'unauthorized' ? error : undefined;
        if (listed || this.#refused !== undefined) this.#setAnswered();
        if (kind === 'not-found') ended();
        updated();
      },
      updated,
    });
    this.#watcher = watcher;
    await new Promise<void>((resolve) => {
      if (over.signal.aborted) resolve();
      else over.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#watcher = undefined;
    this.#refused = undefined;
    this.#stop.signal.removeEventListener('abort', ended);
    await watcher.stop();
  }

  #none(): void {
    const { index, updated } = this.#options;
    index.retain('ServiceExport', () => false);
    this.#isKnown = true;
    this.#setAnswered();
    updated();
  }

  #setAnswered(): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#options.updated();
  }
}
