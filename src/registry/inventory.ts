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
 *
 * Here are the registrations; inventory-hearing.ts weighs what sources say, inventory-in-force.ts shows what is different.
 */

import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ClusterProfileReport } from '../model/report.ts';
import type { ServiceKey, ServiceShard } from '../model/service.ts';
import { malformedName, noPlace } from './inventory-admission.ts';
import { ApiBindings } from './inventory-apis.ts';
import { Board } from './inventory-board.ts';
import { Hearing } from './inventory-hearing.ts';
import { InForce } from './inventory-in-force.ts';
import { Link } from './inventory-link.ts';
import {
  type ClusterRecord,
  defaultInventorySettings,
  type InventoryChange,
  type InventorySettings,
  type Problem,
  type RefusedRecord,
} from './inventory-record.ts';
import { newRegistration, type Registration } from './inventory-registration.ts';
import { Saving } from './inventory-saving.ts';
import { Settling } from './inventory-settling.ts';
import { WaitingList } from './inventory-waiting.ts';
import type { LastGoodStore } from './last-good.ts';
import type { StartSource } from './source.ts';

export interface InventoryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings?: Partial<InventorySettings>;
  /** Without one, nothing outlives the process. */
  readonly lastGood?: LastGoodStore;
}

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
  readonly #settling: Settling;
  readonly #saving: Saving;
  readonly #inForce: InForce;
  readonly #hearing: Hearing;
  readonly #stops = new Set<Promise<void>>();
  readonly #notes = new Map<string, ClusterProfileReport>();
  #sequence = 0;
  #closed = false;

  constructor(options: InventoryOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#settings = { ...defaultInventorySettings, ...options.settings };
    this.#lastGood = options.lastGood;
    this.#board = new Board(options.logger);
    this.#waiting = new WaitingList(options.clock);
    const shared = { clock: options.clock, logger: options.logger, settings: this.#settings };
    const registrations = (): Iterable<Registration> => this.#registrations.values();
    this.#settling = new Settling({
      ...shared,
      registrations,
      missed: (registration) => {
        registration.missed = true;
        this.#inForce.show(registration);
      },
    });
    this.#saving = new Saving({ clock: options.clock, store: options.lastGood, registrations });
    this.#inForce = new InForce({
      ...shared,
      board: this.#board,
      saving: this.#saving,
      holds: (registration) => this.#registrations.get(registration.name) === registration,
    });
    this.#hearing = new Hearing({
      ...shared,
      apis: this.#apis,
      settling: this.#settling,
      inForce: this.#inForce,
      saving: this.#saving,
      stop: (link) => this.#stopLink(link),
      freed: () => queueMicrotask(() => this.#closed || this.#giveChances()),
    });
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

  /** Every discovery has read all that it finds clusters by: whatever is not registered now was unregistered. */
  isWhole(): boolean {
    return this.#settling.isWhole;
  }

  /**
   * Says that clusters are being looked for; until the returned function is called, the inventory does not settle (but for the initial wait). It is
   * called with false by a discovery that could not read what it finds clusters by, and again once it could.
   */
  beginDiscovery(what: string): (isWhole?: boolean) => void {
    return this.#settling.beginDiscovery(what);
  }

  /**
   * Registers a cluster, or, for a name that the same origin has registered already, rotates its source. A name of another origin is
   * refused, visibly, and gets its chance when the first one goes. `origin` is as in `ClusterInfo.origin`.
   */
  add(name: string, origin: string, start: StartSource): void {
    if (this.#closed) return;
    const misnamed = malformedName(name);
    if (misnamed !== undefined) return this.refuse(name, origin, misnamed);
    const held = this.#registrations.get(name);
    const occupied = noPlace(name, origin, held, this.#registrations.size, this.#settings.maxClusters);
    if (occupied !== undefined) return this.#wait(name, origin, start, occupied);
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
    this.#inForce.forget(name);
    this.#saving.forget(name);
    this.#apis.unbind(registration);
    this.#logger.info('cluster unregistered', { cluster: name, origin });
    this.#board.remove(registration);
    this.#giveChances();
    this.#settling.check();
  }

  /** What the registration of this origin says of its cluster, for people; undefined: nothing any more. It changes nothing. */
  note(origin: string, profile: ClusterProfileReport | undefined): void {
    if (profile === undefined) this.#notes.delete(origin);
    else this.#notes.set(origin, profile);
  }

  /** By origin of registrations. */
  get notes(): ReadonlyMap<string, ClusterProfileReport> {
    return this.#notes;
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
    this.#settling.stop();
    this.#inForce.stop();
    this.#saving.stop();
    for (const registration of this.#registrations.values()) {
      this.#stopLink(registration.active);
      this.#stopLink(registration.next);
    }
    await Promise.all(this.#stops);
    await this.#lastGood?.close();
  }

  // ── registration ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #register(name: string, origin: string, start: StartSource | undefined, loaded = this.#lastGood?.load(name)): void {
    const registration = newRegistration(name, origin, this.#sequence++, this.#clock, loaded?.findings ?? []);
    this.#registrations.set(name, registration);
    for (const finding of registration.loadFindings) this.#board.log(finding, name);
    if (loaded?.state !== undefined) this.#hearing.applyLastGood(registration, loaded.state);
    this.#logger.info('cluster registered', { cluster: name, origin });
    // What came from disk, if anything, is news.
    const services = new Set(registration.services.keys());
    this.#inForce.show(registration, { services, namespaces: new Set(registration.namespaces.keys()), force: true });
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
    this.#inForce.show(registration, { force: true });
  }

  #newLink(name: string): Link {
    return new Link({ cluster: name, clock: this.#clock, logger: this.#logger, limits: this.#settings.limits });
  }

  #startLink(registration: Registration, link: Link, start: StartSource): void {
    link.start(start, {
      stateChanged: () => {
        if (link === registration.active) this.#hearing.heardState(registration, link);
        this.#inForce.show(registration);
        this.#settling.check();
      },
      said: (_, keys, namespaces) => this.#hearing.heard(registration, link, keys, namespaces),
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
        if (link?.duplicateOf !== undefined) this.#hearing.heard(registration, link, undefined, undefined);
      }
    }
  }
}
