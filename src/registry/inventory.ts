/**
 * All registered clusters, and what is in force of each: in come registrations (from folders, kubeconfigs, Secrets) and what their sources
 * say, out goes, per cluster, a record, its shards, and events about what changed.
 *
 * What always holds:
 * - A cluster's shards come from its own source; nothing is removed but by a complete statement, an explicit change, the end of the
 *   registration, or (if so configured) the end of the time for which a stale cluster is kept.
 * - A rotated source takes over only once it has synced, and what it says is then compared with what is held: equal shards stay the same
 *   objects and are not reported.
 * - Of several registrations with one name, or clusters with one API, the first is in force, and the next gets its chance when it goes.
 * - Everything is synchronous: when a source's call returns, the listeners have run.
 */

import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { clusterNamePattern } from '../model/cluster.ts';
import type { ServiceKey, ServiceShard } from '../model/service.ts';
import { ApiBindings } from './inventory-apis.ts';
import { Board, type ShownChange } from './inventory-board.ts';
import { Expiry } from './inventory-expiry.ts';
import { Link } from './inventory-link.ts';
import { bringInLine } from './inventory-publish.ts';
import {
  type ClusterRecord,
  type InventoryChange,
  type InventorySettings,
  type Problem,
  type RefusedRecord,
} from './inventory-record.ts';
import { infoOf, type Registration } from './inventory-registration.ts';
import { Settling } from './inventory-settling.ts';
import { WaitingList } from './inventory-waiting.ts';
import type { LastGood, LastGoodStore } from './last-good.ts';
import { sameInfo } from './same-shard.ts';
import type { StartSource } from './source.ts';
import { defaultStatementLimits } from './statement.ts';

export const defaultInventorySettings: InventorySettings = {
  limits: defaultStatementLimits,
  maxClusters: 2000,
  initialWaitMs: 30_000,
  unreachableWaitMs: 5_000,
  lastGoodWaitMs: 2_000,
  staleKeepMs: Number.POSITIVE_INFINITY,
};

export interface InventoryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings?: Partial<InventorySettings>;
  /** Without one, nothing outlives the process. */
  readonly lastGood?: LastGoodStore;
}

/** How often the file of a fresh cluster is marked as still true. */
const touchEveryMs = 30_000;

export class Inventory {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #settings: InventorySettings;
  readonly #lastGood: LastGoodStore | undefined;
  /** In order of registration. */
  readonly #registrations = new Map<string, Registration>();
  readonly #board: Board;
  readonly #waiting: WaitingList;
  readonly #apis = new ApiBindings();
  readonly #expiry: Expiry;
  readonly #settling: Settling;
  readonly #stops = new Set<Promise<void>>();
  #touching: Timer | undefined;
  #sequence = 0;
  #closed = false;

  constructor(options: InventoryOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#settings = { ...defaultInventorySettings, ...options.settings };
    this.#lastGood = options.lastGood;
    this.#board = new Board(options.logger);
    this.#waiting = new WaitingList(options.clock);
    this.#expiry = new Expiry(options.clock);
    this.#settling = new Settling({
      clock: options.clock,
      logger: options.logger,
      settings: this.#settings,
      registrations: () => this.#registrations.values(),
      missed: (registration) => {
        registration.missed = true;
        this.#show(registration);
      },
    });
    if (this.#lastGood !== undefined) this.#touchFresh();
  }

  /** Live: by name, in order of registration. A record is replaced, never changed; its maps are live. */
  clusters(): ReadonlyMap<string, ClusterRecord> {
    return this.#board.records;
  }

  /** Registrations that are not in force, each with its reason. */
  refused(): readonly RefusedRecord[] {
    return this.#waiting.all();
  }

  /** What every cluster says of a service, in order of registration. */
  shards(key: ServiceKey): ServiceShard[] {
    const shards: ServiceShard[] = [];
    for (const { services } of this.#registrations.values()) {
      const shard = services.get(key);
      if (shard !== undefined) shards.push(shard);
    }
    return shards;
  }

  /** Returns how to stop listening. */
  onChange(listener: (change: InventoryChange) => void): () => void {
    return this.#board.listen(listener);
  }

  /**
   * Whether streams may be answered: every discovery has looked once, and every cluster has synced or is marked (stale, refused, or the
   * wait for it is over). Once true it stays true.
   */
  settled(): boolean {
    return this.#settling.settled;
  }

  /** Resolves when `settled` becomes true; never rejects, and never resolves after `close`. */
  whenSettled(): Promise<void> {
    return this.#settling.whenSettled;
  }

  /** Says that clusters are being looked for; until the returned function is called, the inventory does not settle (but for the initial wait). */
  beginDiscovery(what: string): () => void {
    return this.#settling.beginDiscovery(what);
  }

  /**
   * Registers a cluster, or, for a name that the same origin has registered already, rotates its source. A name of another origin is
   * refused, visibly, and gets its chance when the first one goes. `origin` is as in `ClusterInfo.origin`.
   */
  add(name: string, origin: string, start: StartSource): void {
    if (this.#closed) return;
    if (!clusterNamePattern.test(name)) {
      this.refuse(name, origin, {
        code: 'FW-CLUSTER-001',
        message: `${JSON.stringify(name.slice(0, 80))} cannot be a cluster's name`,
        hint: 'Use letters, digits, - and _, at most 63, with a letter or digit at both ends.',
      });
      return;
    }
    const held = this.#registrations.get(name);
    if (held !== undefined && held.origin !== origin) {
      this.#wait(name, origin, start, {
        code: 'FW-CLUSTER-002',
        message: `the name ${name} is taken by ${held.origin}`,
        hint: 'Give one of the two another name, or unregister the first.',
      });
      return;
    }
    if (held === undefined && this.#registrations.size >= this.#settings.maxClusters) {
      this.#wait(name, origin, start, {
        code: 'FW-CLUSTER-010',
        message: `there are ${this.#registrations.size} clusters already`,
        hint: 'Unregister some, or raise the limit.',
      });
      return;
    }
    this.#waiting.delete(name, origin);
    if (held === undefined) this.#register(name, origin, start);
    else this.#rotate(held, start);
  }

  /** Ends a registration: the cluster's endpoints go away, and its last good state on disk with them. */
  remove(name: string, origin: string): void {
    this.#waiting.delete(name, origin);
    const registration = this.#registrations.get(name);
    if (registration === undefined || registration.origin !== origin) return;
    this.#registrations.delete(name);
    this.#stopLink(registration.active);
    this.#stopLink(registration.next);
    this.#expiry.cancel(name);
    this.#lastGood?.remove(name);
    this.#apis.unbind(registration);
    this.#logger.info('cluster unregistered', { cluster: name, origin });
    this.#board.remove(registration);
    this.#giveChances();
    this.#settling.check();
  }

  /** Shows something that a discovery found and cannot use. What is registered under this name, of whatever origin, stays as it is. */
  refuse(name: string, origin: string, problem: Problem): void {
    this.#wait(name, origin, undefined, problem);
  }

  /**
   * Puts the clusters in force that were known before the restart and whose origin `mine` accepts, from their last good state alone: for a
   * discovery that cannot look yet (the API that holds the registrations is itself out of reach). Each is stale until `add` brings its source,
   * or `remove` ends it. Returns what was restored.
   */
  restore(mine: (origin: string) => boolean): readonly { readonly name: string; readonly origin: string }[] {
    const restored: { name: string; origin: string }[] = [];
    for (const name of this.#lastGood?.names() ?? []) {
      if (this.#closed || this.#registrations.has(name) || this.#registrations.size >= this.#settings.maxClusters)
        continue;
      const loaded = this.#lastGood?.load(name);
      if (loaded?.state === undefined || !mine(loaded.state.info.origin)) continue;
      this.#register(name, loaded.state.info.origin, undefined, loaded);
      restored.push({ name, origin: loaded.state.info.origin });
    }
    return restored;
  }

  /** Ends all sources, and writes what has not been written yet. Nothing is emitted any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#board.close();
    this.#touching?.cancel();
    this.#settling.stop();
    this.#expiry.cancelAll();
    for (const registration of this.#registrations.values()) {
      if (this.#isCurrent(registration)) this.#lastGood?.touch(registration.name);
      this.#stopLink(registration.active);
      this.#stopLink(registration.next);
    }
    await Promise.all(this.#stops);
    await this.#lastGood?.close();
  }

  // ── registration ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #register(name: string, origin: string, start: StartSource | undefined, loaded = this.#lastGood?.load(name)): void {
    const registration: Registration = {
      name,
      origin,
      sequence: this.#sequence++,
      addedMonotonicMs: this.#clock.monotonic(),
      active: undefined,
      next: undefined,
      info: undefined,
      services: new Map(),
      namespaces: new Map(),
      endpointCount: 0,
      fromLastGood: false,
      lastNewsMs: undefined,
      excess: undefined,
      expired: false,
      missed: false,
      uid: '',
      boundFromDisk: false,
      loadFindings: loaded?.findings ?? [],
      shown: {
        state: { phase: 'connecting', sinceMs: this.#clock.now() },
        info: undefined,
        findings: [],
        rotation: undefined,
      },
    };
    this.#registrations.set(name, registration);
    for (const finding of registration.loadFindings) this.#board.log(finding, name);
    if (loaded?.state !== undefined) this.#applyLastGood(registration, loaded.state);
    this.#logger.info('cluster registered', { cluster: name, origin });
    // What came from disk, if anything, is news.
    const services = new Set(registration.services.keys());
    this.#show(registration, { services, namespaces: new Set(registration.namespaces.keys()), force: true });
    if (registration.fromLastGood) this.#settling.lookAgainAfter(this.#settings.lastGoodWaitMs);
    if (start !== undefined && this.#registrations.get(name) === registration) {
      registration.active = this.#newLink(name);
      this.#startLink(registration, registration.active, start);
    }
    this.#settling.check();
  }

  #rotate(registration: Registration, start: StartSource): void {
    this.#stopLink(registration.next);
    const link = this.#newLink(registration.name);
    if (registration.active === undefined) registration.active = link;
    else registration.next = link;
    this.#logger.info('cluster gets a new source; it takes over once it has synced', { cluster: registration.name });
    this.#startLink(registration, link, start);
    this.#show(registration, { force: true });
  }

  #newLink(name: string): Link {
    return new Link({ cluster: name, clock: this.#clock, logger: this.#logger, limits: this.#settings.limits });
  }

  #startLink(registration: Registration, link: Link, start: StartSource): void {
    link.start(start, {
      stateChanged: () => {
        if (link === registration.active) this.#heardState(registration, link);
        this.#show(registration);
        this.#settling.check();
      },
      said: (_, keys, namespaces) => this.#heard(registration, link, keys, namespaces),
      held: () => registration,
    });
  }

  #stopLink(link: Link | undefined): void {
    if (link === undefined) return;
    const stopped = link.stop().finally(() => this.#stops.delete(stopped));
    this.#stops.add(stopped);
  }

  #wait(name: string, origin: string, start: StartSource | undefined, problem: Problem): void {
    if (!this.#waiting.put(name, origin, start, problem)) return;
    this.#board.log({ ...problem, severity: 'error', where: { cluster: name, object: origin } }, name);
    this.#board.emit({ cluster: name, services: new Set(), namespaces: new Set(), stateChanged: true });
  }

  /** Something was freed: a name, a place or an API. */
  #giveChances(): void {
    for (const { name, origin, start } of this.#waiting.all()) {
      const free = !this.#registrations.has(name) && this.#registrations.size < this.#settings.maxClusters;
      if (start !== undefined && free) this.add(name, origin, start);
    }
    for (const registration of [...this.#registrations.values()]) {
      for (const link of [registration.active, registration.next]) {
        if (link?.duplicateOf !== undefined) this.#heard(registration, link, undefined, undefined);
      }
    }
  }

  // ── what sources say ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #heardState(registration: Registration, link: Link): void {
    const { phase, sinceMs } = link.state;
    if (!link.synced) return;
    const now = this.#clock.now();
    const before = registration.lastNewsMs ?? 0;
    if (phase === 'fresh') {
      registration.lastNewsMs = now;
      // The source may come back without a word about what did not change.
      if (registration.expired) this.#heard(registration, link, undefined, undefined);
    } else if (registration.shown.state.phase === 'fresh') {
      registration.lastNewsMs = phase === 'stale' ? Math.max(before, Math.min(now, sinceMs)) : now;
    }
  }

  #heard(
    registration: Registration,
    link: Link,
    keys: Iterable<ServiceKey> | undefined,
    namespaces: Iterable<string> | undefined,
  ): void {
    // A new source that says too much does not take over.
    if (link === registration.next && link.said.excess() !== undefined) return this.#show(registration);
    if (!this.#mayServe(registration, link)) {
      if (link === registration.active) this.#publish(registration);
      else this.#show(registration);
      this.#settling.check();
      return;
    }
    if (link === registration.next) this.#takeOver(registration, link);
    else if (link !== registration.active) return;
    const whole = registration.expired || registration.excess !== undefined || registration.fromLastGood;
    registration.lastNewsMs = this.#clock.now();
    registration.expired = false;
    registration.fromLastGood = false;
    registration.missed = false;
    registration.loadFindings = [];
    const excess = link.said.excess();
    registration.excess =
      excess === undefined
        ? undefined
        : { sinceMs: registration.excess?.sinceMs ?? this.#clock.now(), message: excess };
    if (whole) this.#publish(registration);
    else this.#publish(registration, keys, namespaces);
    this.#settling.check();
  }

  #takeOver(registration: Registration, link: Link): void {
    this.#stopLink(registration.active);
    registration.active = link;
    registration.next = undefined;
    registration.excess = undefined;
    this.#logger.info('the new source of the cluster has synced and taken over', { cluster: registration.name });
  }

  /** Binds the cluster to its API; false (and marked so) when another cluster serves that API. */
  #mayServe(registration: Registration, link: Link): boolean {
    const uid = link.said.info?.uid ?? '';
    const holder = this.#apis.otherHolder(uid, registration);
    if (holder !== undefined) {
      // Before anything has been served, order of registration decides rather than who was quicker.
      const first = !this.#settling.settled && registration.sequence < holder.sequence && !holder.boundFromDisk;
      if (!first) {
        link.duplicateOf = holder.name;
        if (link === registration.active) this.#dispossess(registration);
        return false;
      }
      if (holder.active !== undefined) holder.active.duplicateOf = registration.name;
      this.#dispossess(holder);
      this.#apis.bind(registration, uid, false);
      this.#publish(holder);
    }
    link.duplicateOf = undefined;
    if (registration.uid !== uid) {
      const freed = registration.uid !== '';
      if (freed) this.#logger.warn('the cluster is another API than before', { cluster: registration.name, uid });
      this.#apis.bind(registration, uid, false);
      if (freed) queueMicrotask(() => this.#closed || this.#giveChances());
    }
    return true;
  }

  /** Another cluster serves its API: what it said last must not come back after a restart either. */
  #dispossess(registration: Registration): void {
    this.#apis.unbind(registration);
    this.#lastGood?.remove(registration.name);
  }

  #applyLastGood(registration: Registration, state: LastGood): void {
    const { name } = registration;
    const ageMs = Math.max(0, this.#clock.now() - state.lastNewsMs);
    if (ageMs > this.#settings.staleKeepMs) {
      this.#logger.warn('the last good state on disk is older than it may be kept; it is not used', {
        cluster: name,
        age_ms: ageMs,
        code: 'FW-CLUSTER-006',
      });
      this.#lastGood?.remove(name);
      return;
    }
    const holder = this.#apis.otherHolder(state.info.uid, registration);
    if (holder !== undefined) {
      if (this.#settling.settled || holder.boundFromDisk) return;
      if (holder.active !== undefined) holder.active.duplicateOf = name;
      this.#dispossess(holder);
      this.#publish(holder);
    }
    this.#apis.bind(registration, state.info.uid, true);
    registration.info = state.info;
    registration.fromLastGood = true;
    registration.lastNewsMs = Math.min(state.lastNewsMs, this.#clock.now());
    for (const [key, shard] of state.services) registration.services.set(key, shard);
    for (const [key, shard] of state.namespaces) registration.namespaces.set(key, shard);
    for (const shard of state.services.values()) registration.endpointCount += shard.endpoints.length;
  }

  // ── what is in force ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Brings what is held in line with what was said, for the given keys (undefined: all), and tells the listeners what became different. */
  #publish(registration: Registration, keys?: Iterable<ServiceKey>, names?: Iterable<string>): void {
    const { services, namespaces } = bringInLine(registration, keys, names);
    const { info } = registration.shown;
    const infoChanged = info === undefined || !sameInfo(info, infoOf(registration));
    if (services.size > 0 || namespaces.size > 0 || infoChanged) this.#save(registration);
    this.#show(registration, { services, namespaces });
  }

  #show(registration: Registration, change?: ShownChange): void {
    const { name } = registration;
    if (this.#registrations.get(name) !== registration) return;
    const { stateMoved, tell } = this.#board.renew(registration, this.#clock.now(), change);
    if (stateMoved && registration.shown.state.phase === 'fresh') this.#expiry.cancel(name);
    else if (stateMoved && !registration.expired && registration.services.size > 0) {
      const now = this.#clock.now();
      const ageMs = Math.max(0, now - (registration.lastNewsMs ?? now));
      this.#expiry.start(name, Math.max(0, this.#settings.staleKeepMs - ageMs), () => this.#expire(registration));
    }
    tell();
  }

  #expire(registration: Registration): void {
    const { name } = registration;
    if (this.#registrations.get(name) !== registration || registration.shown.state.phase === 'fresh') return;
    registration.expired = true;
    this.#logger.error(
      'no news of the cluster for longer than its last good state is kept; its endpoints are taken away',
      {
        cluster: name,
        code: 'FW-CLUSTER-006',
        endpoints: registration.endpointCount,
        last_news: new Date(registration.lastNewsMs ?? 0).toISOString(),
      },
    );
    this.#lastGood?.remove(name);
    this.#publish(registration);
  }

  // ── saving ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #isCurrent(registration: Registration): boolean {
    const { active, excess, shown } = registration;
    return (
      active?.synced === true &&
      active.duplicateOf === undefined &&
      excess === undefined &&
      shown.state.phase === 'fresh'
    );
  }

  #save(registration: Registration): void {
    const { active, name, services, namespaces } = registration;
    // What came from disk is there already.
    if (active?.synced !== true) return;
    this.#lastGood?.save(name, () => {
      // What is withheld must not replace what was good.
      if (registration.active?.duplicateOf !== undefined || registration.expired) return undefined;
      const now = this.#clock.now();
      const lastNewsMs = this.#isCurrent(registration) ? now : (registration.lastNewsMs ?? now);
      return { info: { ...infoOf(registration), origin: registration.origin }, lastNewsMs, services, namespaces };
    });
  }

  #touchFresh(): void {
    this.#touching = this.#clock.after(touchEveryMs, () => {
      for (const registration of this.#registrations.values()) {
        if (this.#isCurrent(registration)) this.#lastGood?.touch(registration.name);
      }
      this.#touchFresh();
    });
  }
}
