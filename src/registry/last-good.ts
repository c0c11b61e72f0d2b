/**
 * Last good state on disk: one file per cluster in one folder, so that a pilot that starts while a cluster is out of reach serves what it
 * served before.
 *
 * What always holds: a file that cannot be used is set aside and reported, and touches no other cluster's; saves of one cluster are coalesced,
 * never run at the same time, and are spaced so that they take a small share of the time.
 */

import { rm, utimes } from 'node:fs/promises';
import type { Clock, Timer } from '../core/clock.ts';
import { errorMessage, FairwayError, type Finding } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { makeFolder } from './durable-file.ts';
import {
  lastGoodClusters,
  lastGoodPath,
  readWhole,
  removeOrphans,
  setAside,
  writeLastGood,
} from './last-good-files.ts';
import { decodeLastGood, type LastGood } from './last-good-format.ts';

export type { LastGood } from './last-good-format.ts';

export interface LastGoodStore {
  /** The clusters that have a file, sorted. */
  names(): readonly string[];
  /** What was saved of a cluster; without `state` there is nothing that can be used, and the findings say why if there was something. */
  load(name: string): { readonly state: LastGood | undefined; readonly findings: readonly Finding[] };
  /** Saves soon. `state` is asked for when the time has come; undefined then means that there is nothing to save. */
  save(name: string, state: () => LastGood | undefined): void;
  /** Says that what was saved last is still true now. */
  touch(name: string): void;
  /** Forgets a cluster. */
  remove(name: string): void;
  /** Writes what is waiting, then ends. */
  close(): Promise<void>;
}

export interface LastGoodLimits {
  /** The least time from a change to its save, ms: what comes in between goes in the same save. */
  readonly saveDelayMs: number;
  /** After a save of t ms the next one waits at least t × this. */
  readonly restFactor: number;
  /** The wait after a failed save, ms. */
  readonly retryMs: number;
  readonly maxFileBytes: number;
}

export const defaultLastGoodLimits: LastGoodLimits = {
  saveDelayMs: 1000,
  restFactor: 20,
  retryMs: 30_000,
  maxFileBytes: 1024 ** 3,
};

export interface FolderLastGoodOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<LastGoodLimits>;
}

interface Job {
  state: () => LastGood | undefined;
  timer: Timer | undefined;
  running: Promise<void> | undefined;
  /** Asked for again while a save runs. */
  again: boolean;
  removed: boolean;
}

const diskHint = 'See whether the disk of the state folder is full or read-only; what was saved before is still there.';

export class FolderLastGoodStore implements LastGoodStore {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: LastGoodLimits;
  readonly #jobs = new Map<string, Job>();
  readonly #restUntil = new Map<string, number>();
  /** File operations of one cluster happen one after the other. */
  readonly #chains = new Map<string, Promise<void>>();
  #failures = 0;
  #closed = false;

  /** Makes the folder. Throws FW-CLUSTER-016 when it cannot be used. */
  constructor(options: FolderLastGoodOptions) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#limits = { ...defaultLastGoodLimits, ...options.limits };
    try {
      makeFolder(this.#folder, 0o700);
      removeOrphans(this.#folder, this.#clock.now());
    } catch (error) {
      throw new FairwayError(
        {
          code: 'FW-CLUSTER-016',
          message: `the state folder cannot be used: ${errorMessage(error)}`,
          where: { file: this.#folder },
          hint: 'Give a folder that this process may create and write to.',
        },
        { cause: error },
      );
    }
  }

  /** Saves that failed since the start. */
  get failures(): number {
    return this.#failures;
  }

  names(): readonly string[] {
    try {
      return lastGoodClusters(this.#folder);
    } catch (error) {
      this.#report('FW-CLUSTER-013', '', `the state folder could not be listed: ${errorMessage(error)}`, diskHint);
      return [];
    }
  }

  load(name: string): { readonly state: LastGood | undefined; readonly findings: readonly Finding[] } {
    const path = lastGoodPath(this.#folder, name);
    let bytes: Buffer | undefined;
    let modifiedMs = 0;
    let reason: string;
    try {
      const read = readWhole(path, this.#limits.maxFileBytes);
      if (read === undefined) return { state: undefined, findings: [] };
      ({ bytes, modifiedMs } = read);
      const state = decodeLastGood(name, bytes);
      if (typeof state !== 'string') {
        const lastNewsMs = Math.max(state.lastNewsMs, Math.min(modifiedMs, this.#clock.now()));
        return { state: { ...state, lastNewsMs }, findings: [] };
      }
      reason = state;
    } catch (error) {
      reason = errorMessage(error);
    }
    return {
      state: undefined,
      findings: [
        {
          code: 'FW-CLUSTER-011',
          severity: 'warning',
          message: `the last good state on disk cannot be used: ${reason}; ${setAside(path)}`,
          where: { file: path, cluster: name },
          hint: 'Nothing needs to be done: it is written anew once the cluster has synced. If it happens again, check the disk.',
        },
      ],
    };
  }

  save(name: string, state: () => LastGood | undefined): void {
    if (this.#closed) return;
    const job = this.#jobs.get(name);
    if (job === undefined) {
      const fresh: Job = { state, timer: undefined, running: undefined, again: false, removed: false };
      this.#jobs.set(name, fresh);
      this.#schedule(name, fresh, this.#limits.saveDelayMs);
      return;
    }
    job.state = state;
    if (job.running !== undefined) job.again = true;
  }

  touch(name: string): void {
    if (this.#closed || this.#jobs.has(name)) return;
    const now = new Date(this.#clock.now());
    // A file that is not there yet, or was removed meanwhile, has nothing to be marked.
    void this.#inTurn(name, () => utimes(lastGoodPath(this.#folder, name), now, now).catch(() => undefined));
  }

  remove(name: string): void {
    const job = this.#jobs.get(name);
    if (job !== undefined) {
      job.removed = true;
      job.timer?.cancel();
      this.#jobs.delete(name);
    }
    this.#restUntil.delete(name);
    void this.#inTurn(name, async () => {
      try {
        await rm(lastGoodPath(this.#folder, name), { force: true });
      } catch (error) {
        this.#report(
          'FW-CLUSTER-013',
          name,
          `its last good state could not be removed: ${errorMessage(error)}`,
          diskHint,
        );
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const [name, job] of this.#jobs) {
      job.timer?.cancel();
      if (job.running === undefined || job.again) void this.#run(name, job);
    }
    while (this.#chains.size > 0) await Promise.all(this.#chains.values());
  }

  // ── saving ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #schedule(name: string, job: Job, delayMs: number): void {
    const rest = (this.#restUntil.get(name) ?? 0) - this.#clock.monotonic();
    job.timer = this.#clock.after(Math.max(delayMs, rest), () => {
      job.running = this.#run(name, job);
    });
  }

  async #run(name: string, job: Job): Promise<void> {
    let failed = false;
    await this.#inTurn(name, async () => {
      job.again = false;
      const state = job.removed ? undefined : job.state();
      if (state === undefined) return;
      const began = this.#clock.monotonic();
      try {
        await writeLastGood(this.#folder, name, state, this.#limits.maxFileBytes, () => job.removed);
      } catch (error) {
        failed = true;
        this.#failures += 1;
        this.#report(
          'FW-CLUSTER-012',
          name,
          `its last good state could not be written: ${errorMessage(error)}`,
          diskHint,
        );
      }
      const ended = this.#clock.monotonic();
      if (!job.removed) this.#restUntil.set(name, ended + (ended - began) * this.#limits.restFactor);
    });
    job.running = undefined;
    if (job.removed) return;
    const { saveDelayMs, retryMs } = this.#limits;
    if (!this.#closed && failed) this.#schedule(name, job, retryMs);
    else if (!this.#closed && job.again) this.#schedule(name, job, saveDelayMs);
    else if (this.#jobs.get(name) === job) this.#jobs.delete(name);
  }

  #inTurn(name: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#chains.get(name) ?? Promise.resolve()).then(work).finally(() => {
      if (this.#chains.get(name) === turn) this.#chains.delete(name);
    });
    this.#chains.set(name, turn);
    return turn;
  }

  #report(code: 'FW-CLUSTER-012' | 'FW-CLUSTER-013', name: string, message: string, hint: string): void {
    this.#logger.warn(message, { cluster: name, code, hint });
  }
}
