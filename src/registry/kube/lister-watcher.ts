/**
 * Keeps a copy of one resource of one API: lists it, then watches it from there, for as long as it runs.
 *
 * In: a resource and a target that holds the copy. What always holds: the target is given a whole list or single changes, never a part of
 * a list; after anything that may have been missed (410, an unreadable event) a new list is compared with what is held, so deletions are
 * found and nothing comes twice; a list that is suddenly empty is not believed at once; a silent connection is cut and opened again;
 * errors are waited out with growing, jittered pauses, and never end the work.
 */

import { Backoff, type BackoffLimits } from '../../core/backoff.ts';
import { type Clock, sleep, type Timer } from '../../core/clock.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError, networkError } from './api-error.ts';
import { type ListLimits, listAll, type ReadItem, type Resource } from './list.ts';
import type { RequestBudget } from './request-budget.ts';
import { parseWatchEvent } from './watch-event.ts';
import { addCounts, noCounts, sameHealth, untried, type WatchCounters, type WatchHealth } from './watch-health.ts';

export interface Target<T> {
  read(raw: unknown): ReadItem<T>;
  /** How many objects are held. */
  size(): number;
  has(key: string): boolean;
  /** The whole truth: what is held and not in `items` is gone. */
  replace(items: ReadonlyMap<string, T>): void;
  put(key: string, value: T): void;
  remove(key: string): void;
}

export interface WatchSettings {
  readonly list: ListLimits;
  /** No event and no bookmark (the API sends one about each minute) for this long: the connection is dead. */
  readonly idleMs: number;
  /** The API ends a watch by itself after between this and twice this. */
  readonly watchMs: number;
  readonly backoff: BackoffLimits;
  /** What is refused (401, 403) is asked again this seldom. */
  readonly refusedRetryMs: number;
  /** How long to wait before an empty list is asked for again, to believe it or not. */
  readonly emptyConfirmMs: number;
  /** How many lists in a row have to be empty to be believed. */
  readonly emptyConfirmations: number;
  /** After trouble, how long a watch has to be open before it counts as healed: what happened meanwhile comes first. */
  readonly settleMs: number;
}

export const defaultWatchSettings: WatchSettings = {
  list: { page: 500, items: 250_000 },
  idleMs: 100_000,
  watchMs: 300_000,
  backoff: { firstMs: 500, maxMs: 30_000 },
  refusedRetryMs: 30_000,
  emptyConfirmMs: 5_000,
  emptyConfirmations: 3,
  settleMs: 250,
};

export interface ListerWatcherOptions<T> {
  readonly api: ApiClient;
  readonly resource: Resource;
  readonly target: Target<T>;
  readonly settings: WatchSettings;
  readonly clock: Clock;
  readonly budget: RequestBudget;
  /** An empty list of this resource cannot be: it is never believed (`never`), or only when confirmed, even if nothing was held (`confirmed`). */
  readonly empty: 'never' | 'confirmed' | 'possible';
  /**
   * Makes sure that it is still the same cluster that answers; throws an ApiError if not. Asked after every error and before a later list is
   * believed: an address that leads to another cluster now would otherwise remove everything.
   */
  readonly verify: (signal: AbortSignal) => Promise<void>;
  /** The API answered something good. */
  readonly heard: () => void;
  /** `health` is different. `outageMs`: how long the trouble was that has just passed; 0 where none has. */
  readonly changed: (outageMs: number) => void;
  /** The target was changed. */
  readonly updated: () => void;
  readonly random?: () => number;
}

/** Shorter than this and without an event, a watch counts as failed, so that one that is closed at once is not opened in a loop. */
const shortWatchMs = 1_000;

export class ListerWatcher<T> {
  readonly #options: ListerWatcherOptions<T>;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  readonly #random: () => number;
  readonly #done: Promise<void>;
  #current: AbortController | undefined;
  #kicked = false;
  #resourceVersion: string | undefined;
  #emptyLists = 0;
  #lastHeardMs: number;
  #health: WatchHealth = untried;
  #counters: WatchCounters = noCounts;

  constructor(options: ListerWatcherOptions<T>) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(options.settings.backoff, this.#random);
    this.#lastHeardMs = options.clock.monotonic();
    this.#done = this.#run();
  }

  get resource(): Resource {
    return this.#options.resource;
  }

  get health(): WatchHealth {
    return this.#health;
  }

  get counters(): WatchCounters {
    return this.#counters;
  }

  /**
   * The API is back after an outage: what waits tries now, and a watch that has heard nothing since `sinceMs` (monotonic) is opened again,
   * since its connection may be dead without either side knowing.
   */
  kick(sinceMs: number): void {
    const waiting = this.#health.error !== undefined;
    if (!waiting && this.#lastHeardMs > sinceMs) return;
    this.#kicked = true;
    this.#backoff.reset();
    this.#current?.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const current = new AbortController();
      this.#current = current;
      this.#kicked = false;
      const signal = AbortSignal.any([this.#stop.signal, current.signal]);
      try {
        await this.#options.budget.turn(signal);
        if (this.#health.listed && this.#health.error !== undefined) await this.#options.verify(signal);
        if (this.#resourceVersion === undefined) await this.#list(signal);
        else await this.#watch(this.#resourceVersion, signal);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (!this.#kicked) await this.#recover(networkError(error), current.signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { api, resource, target, settings, budget } = this.#options;
    const release = await budget.listing(signal);
    let list: Awaited<ReturnType<typeof listAll<T>>>;
    try {
      list = await listAll(
        api,
        resource,
        (raw) => target.read(raw),
        settings.list,
        signal,
        () => this.#heard(),
      );
    } finally {
      release();
    }
    this.#count({ lists: 1 });
    if (list.items.size === 0 && !this.#believesEmpty()) {
      await this.#doubt();
      return;
    }
    this.#emptyLists = 0;
    this.#resourceVersion = list.resourceVersion;
    target.replace(list.items);
    this.#backoff.reset();
    this.#setHealth({
      listed: true,
      error: undefined,
      failingSinceMs: undefined,
      suspicion: undefined,
      truncated: list.truncated,
    });
    this.#options.updated();
  }

  #believesEmpty(): boolean {
    const { empty, target, settings } = this.#options;
    if (empty === 'never') return false;
    // Nothing is held, so nothing can be lost; where that has to be confirmed, it was when it was first listed.
    if (target.size() === 0 && (empty === 'possible' || this.#health.listed)) return true;
    return this.#emptyLists + 1 >= settings.emptyConfirmations;
  }

  async #doubt(): Promise<void> {
    const { target, settings, clock } = this.#options;
    this.#emptyLists += 1;
    const sinceMs = this.#health.suspicion?.sinceMs ?? clock.now();
    this.#setHealth({ ...this.#health, suspicion: { held: target.size(), sinceMs } });
    await sleep(clock, settings.emptyConfirmMs * (0.75 + this.#random() / 2), this.#stop.signal);
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { api, resource, settings, clock } = this.#options;
    const openedMs = clock.monotonic();
    let events = 0;
    const query: Record<string, string> = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(Math.ceil((settings.watchMs * (1 + this.#random())) / 1000)),
    };
    if (resource.labelSelector !== undefined) query['labelSelector'] = resource.labelSelector;
    if (resource.fieldSelector !== undefined) query['fieldSelector'] = resource.fieldSelector;
    let healing: Timer | undefined;
    const opened = (): void => {
      this.#heard();
      this.#count({ watches: 1 });
      if (this.#health.error === undefined) return;
      healing = clock.after(settings.settleMs, () => {
        this.#setHealth({ ...this.#health, error: undefined, failingSinceMs: undefined });
      });
    };
    try {
      for await (const line of api.lines({ path: resource.path, query, signal, idleMs: settings.idleMs, opened })) {
        const event = parseWatchEvent(line);
        this.#heard();
        events += 1;
        this.#count({ events: 1 });
        if (event.type === 'put') this.#put(event.object);
        else if (event.type === 'delete') this.#options.target.remove(this.#options.target.read(event.object).key);
        // Only now: had reading the object thrown, it would have to come again.
        this.#resourceVersion = event.resourceVersion;
        if (event.type !== 'bookmark') this.#options.updated();
      }
    } finally {
      healing?.cancel();
    }
    if (events === 0 && clock.monotonic() - openedMs < shortWatchMs) {
      throw new ApiError('unreachable', `the watch on ${resource.name} was closed at once`);
    }
    this.#backoff.reset();
  }

  #put(raw: unknown): void {
    const { target, settings } = this.#options;
    const { key, value } = target.read(raw);
    if (target.size() >= settings.list.items && !target.has(key)) {
      this.#count({ excess: 1 });
      this.#setHealth({ ...this.#health, truncated: true });
      return;
    }
    target.put(key, value);
  }

  async #recover(error: ApiError, kick: AbortSignal): Promise<void> {
    const { clock, settings, budget } = this.#options;
    const silent = error.kind === 'unreachable' && error.message.startsWith('nothing was heard');
    this.#count({
      expired: error.kind === 'expired' ? 1 : 0,
      malformed: error.kind === 'malformed' ? 1 : 0,
      silences: silent ? 1 : 0,
    });
    // Where the watch stands is not known any more, or is not worth keeping: list again.
    if (error.kind === 'expired' || error.kind === 'malformed' || error.kind === 'invalid')
      this.#resourceVersion = undefined;
    // It answers again: how long it was out of reach says nothing about how soon it may be asked. (An API that was restarted has forgotten
    // where the watches stood, and so answers 410.)
    if (this.#health.error?.kind === 'unreachable' && error.kind !== 'unreachable') this.#backoff.reset();
    if (error.kind === 'expired' && this.#health.error?.kind !== 'expired') this.#backoff.reset();
    const failingSinceMs = this.#health.failingSinceMs ?? clock.now();
    this.#setHealth({ ...this.#health, error, failingSinceMs });
    if (error.retryAfterMs !== undefined) budget.pause(error.retryAfterMs);
    const refused = error.kind === 'unauthorized' || error.kind === 'forbidden' || error.kind === 'not-found';
    // An API that has just come up refuses everybody until it has read its own roles: a refusal is believed once it has lasted.
    const lasting = refused && clock.now() - failingSinceMs >= settings.refusedRetryMs;
    const waitMs = lasting ? settings.refusedRetryMs * (0.75 + this.#random() / 2) : this.#backoff.next();
    await sleep(clock, waitMs, AbortSignal.any([this.#stop.signal, kick]));
  }

  #heard(): void {
    this.#lastHeardMs = this.#options.clock.monotonic();
    this.#options.heard();
  }

  #setHealth(health: WatchHealth): void {
    const same = sameHealth(this.#health, health);
    const { failingSinceMs } = this.#health;
    this.#health = health;
    if (same) return;
    const healed = failingSinceMs !== undefined && health.failingSinceMs === undefined;
    this.#options.changed(healed ? Math.max(0, this.#options.clock.now() - failingSinceMs) : 0);
  }

  #count(more: Partial<WatchCounters>): void {
    this.#counters = addCounts(this.#counters, more);
  }
}
