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
import { errorMessage, type Finding, formatFinding } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { clusterNamePattern } from '../model/cluster.ts';
import type { NamespaceShard, ServiceKey, ServiceShard } from '../model/service.ts';
import { Link } from './inventory-link.ts';
import {
  type ClusterRecord,
  type InventoryChange,
  type InventorySettings,
  type Problem,
  type RefusedRecord,
  sameState,
} from './inventory-record.ts';
import {
  effectiveState,
  findingsOf,
  infoOf,
  type Registration,
  recordOf,
  rotationState,
} from './inventory-registration.ts';
import type { LastGood, LastGoodStore } from './last-good.ts';
import { sameInfo, sameNamespace, sameShard } from './same-shard.ts';
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

/** Timers take no more than this; a longer wait is taken in pieces. */
const maxTimerMs = 2 ** 31 - 1;

/** How often the file of a fresh cluster is marked as still true. */
const touchEveryMs = 30_000;

interface Waiting extends RefusedRecord {
  /** Absent for what a discovery itself refused. */
  readonly start: StartSource | undefined;
}

export class Inventory {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #settings: InventorySettings;
  readonly #lastGood: LastGoodStore | undefined;
  /** In order of registration. */
  readonly #registrations = new Map<string, Registration>();
  readonly #records = new Map<string, ClusterRecord>();
  /** By name and origin, in order of arrival. */
  readonly #waiting = new Map<string, Waiting>();
  /** Which cluster serves an API, by the API's uid. */
  readonly #holders = new Map<string, Registration>();
  readonly #listeners = new Set<(change: InventoryChange) => void>();
  readonly #discoveries = new Set<string>();
  readonly #expiries = new Map<string, Timer>();
  readonly #stops = new Set<Promise<void>>();
  readonly #timers = new Set<Timer>();
  readonly #startedMs: number;
  readonly #whenSettled: Promise<void>;
  #resolveSettled: () => void = () => undefined;
  #settled = false;
  #sequence = 0;
  #discoverySequence = 0;
  #closed = false;

  constructor(options: InventoryOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#settings = { ...defaultInventorySettings, ...options.settings };
    this.#lastGood = options.lastGood;
    this.#startedMs = options.clock.monotonic();
    this.#whenSettled = new Promise((resolve) => {
      this.#resolveSettled = resolve;
    });
    const { initialWaitMs, unreachableWaitMs } = this.#settings;
    for (const waitMs of new Set([initialWaitMs, unreachableWaitMs])) {
      if (waitMs !== Number.POSITIVE_INFINITY) this.#after(waitMs, () => this.#checkSettled());
    }
    if (this.#lastGood !== undefined) this.#touchFresh();
  }

  /** Live: by name, in order of registration. A record is replaced, never changed; its maps are live. */
  clusters(): ReadonlyMap<string, ClusterRecord> {
    return this.#records;
  }

  /** Registrations that are not in force, each with its reason. */
  refused(): readonly RefusedRecord[] {
    return [...this.#waiting.values()];
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
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Whether streams may be answered: every discovery has looked once, and every cluster has synced or is marked (stale, refused, or the
   * wait for it is over). Once true it stays true.
   */
  settled(): boolean {
    return this.#settled;
  }

  /** Resolves when `settled` becomes true; never rejects, and never resolves after `close`. */
  whenSettled(): Promise<void> {
    return this.#whenSettled;
  }

  /** Says that clusters are being looked for; until the returned function is called, the inventory does not settle (but for the initial wait). */
  beginDiscovery(what: string): () => void {
    const id = `${what}#${this.#discoverySequence++}`;
    this.#discoveries.add(id);
    return () => {
      if (this.#discoveries.delete(id)) this.#checkSettled();
    };
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
    this.#waiting.delete(waitingKey(name, origin));
    if (held === undefined) this.#register(name, origin, start);
    else this.#rotate(held, start);
  }

  /** Ends a registration: the cluster's endpoints go away, and its last good state on disk with them. */
  remove(name: string, origin: string): void {
    this.#waiting.delete(waitingKey(name, origin));
    const registration = this.#registrations.get(name);
    if (registration === undefined || registration.origin !== origin) return;
    this.#registrations.delete(name);
    this.#records.delete(name);
    this.#stopLink(registration.active);
    this.#stopLink(registration.next);
    this.#expiries.get(name)?.cancel();
    this.#expiries.delete(name);
    this.#lastGood?.remove(name);
    this.#unbind(registration);
    this.#logger.info('cluster unregistered', { cluster: name, origin });
    this.#emit({
      cluster: name,
      services: new Set(registration.services.keys()),
      namespaces: new Set(registration.namespaces.keys()),
      stateChanged: true,
    });
    this.#giveChances();
    this.#checkSettled();
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
    this.#listeners.clear();
    for (const timer of [...this.#timers, ...this.#expiries.values()]) timer.cancel();
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
    for (const finding of registration.loadFindings) this.#logFinding(finding, name);
    if (loaded?.state !== undefined) this.#applyLastGood(registration, loaded.state);
    this.#logger.info('cluster registered', { cluster: name, origin });
    this.#publish(registration, [], [], true);
    if (registration.fromLastGood) this.#after(this.#settings.lastGoodWaitMs, () => this.#checkSettled());
    if (start !== undefined && this.#registrations.get(name) === registration) {
      registration.active = this.#newLink(name);
      this.#startLink(registration, registration.active, start);
    }
    this.#checkSettled();
  }

  #rotate(registration: Registration, start: StartSource): void {
    this.#stopLink(registration.next);
    const link = this.#newLink(registration.name);
    if (registration.active === undefined) registration.active = link;
    else registration.next = link;
    this.#logger.info('cluster gets a new source; it takes over once it has synced', { cluster: registration.name });
    this.#startLink(registration, link, start);
    this.#show(registration, true);
  }

  #newLink(name: string): Link {
    return new Link({ cluster: name, clock: this.#clock, logger: this.#logger, limits: this.#settings.limits });
  }

  #startLink(registration: Registration, link: Link, start: StartSource): void {
    link.start(start, {
      stateChanged: () => {
        if (link === registration.active) this.#heardState(registration, link);
        this.#show(registration);
        this.#checkSettled();
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
    const key = waitingKey(name, origin);
    const before = this.#waiting.get(key);
    const same =
      before !== undefined && before.problem.code === problem.code && before.problem.message === problem.message;
    // Kept in place, so that whoever came first stays first.
    this.#waiting.set(key, { name, origin, start, problem, sinceMs: same ? before.sinceMs : this.#clock.now() });
    if (same) return;
    this.#logFinding({ ...problem, severity: 'error', where: { cluster: name, object: origin } }, name);
    this.#emit({ cluster: name, services: new Set(), namespaces: new Set(), stateChanged: true });
  }

  /** Something was freed: a name, a place or an API. */
  #giveChances(): void {
    for (const { name, origin, start } of [...this.#waiting.values()]) {
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
    if (!this.#mayServe(registration, link)) {
      if (link === registration.active) this.#publish(registration, undefined, undefined);
      else this.#show(registration);
      this.#checkSettled();
      return;
    }
    if (link === registration.next) {
      if (link.said.excess() !== undefined) return this.#show(registration);
      this.#takeOver(registration, link);
    } else if (link !== registration.active) return;
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
    if (whole) this.#publish(registration, undefined, undefined);
    else this.#publish(registration, keys, namespaces);
    this.#checkSettled();
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
    const holder = uid === '' ? undefined : this.#holders.get(uid);
    if (holder !== undefined && holder !== registration) {
      // Before anything has been served, order of registration decides rather than who was quicker.
      const first = !this.#settled && registration.sequence < holder.sequence && !holder.boundFromDisk;
      if (!first) {
        link.duplicateOf = holder.name;
        if (link === registration.active) this.#dispossess(registration);
        return false;
      }
      if (holder.active !== undefined) holder.active.duplicateOf = registration.name;
      this.#dispossess(holder);
      this.#bind(registration, uid);
      this.#publish(holder, undefined, undefined);
    }
    link.duplicateOf = undefined;
    if (registration.uid !== uid) {
      const freed = registration.uid !== '';
      if (freed) this.#logger.warn('the cluster is another API than before', { cluster: registration.name, uid });
      this.#unbind(registration);
      this.#bind(registration, uid);
      if (freed) queueMicrotask(() => this.#closed || this.#giveChances());
    }
    return true;
  }

  #bind(registration: Registration, uid: string, fromDisk = false): void {
    registration.uid = uid;
    registration.boundFromDisk = fromDisk;
    if (uid !== '') this.#holders.set(uid, registration);
  }

  #unbind(registration: Registration): void {
    if (this.#holders.get(registration.uid) === registration) this.#holders.delete(registration.uid);
    registration.uid = '';
    registration.boundFromDisk = false;
  }

  /** Another cluster serves its API: what it said last must not come back after a restart either. */
  #dispossess(registration: Registration): void {
    this.#unbind(registration);
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
    const holder = this.#holders.get(state.info.uid);
    if (holder !== undefined) {
      if (this.#settled || holder.boundFromDisk) return;
      if (holder.active !== undefined) holder.active.duplicateOf = name;
      this.#dispossess(holder);
      this.#publish(holder, undefined, undefined);
    }
    this.#bind(registration, state.info.uid, true);
    registration.info = state.info;
    registration.fromLastGood = true;
    registration.lastNewsMs = Math.min(state.lastNewsMs, this.#clock.now());
    for (const [key, shard] of state.services) registration.services.set(key, shard);
    for (const [key, shard] of state.namespaces) registration.namespaces.set(key, shard);
    this.#publish(registration, [], [], true, new Set(state.services.keys()), new Set(state.namespaces.keys()));
  }

  // ── what is in force ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Brings what is held in line with what was said, for the given keys (undefined: all), and tells the listeners what became different. */
  #publish(
    registration: Registration,
    keys: Iterable<ServiceKey> | undefined,
    names: Iterable<string> | undefined,
    force = false,
    services = new Set<ServiceKey>(),
    namespaces = new Set<string>(),
  ): void {
    const { active } = registration;
    const withheld = registration.expired || active?.duplicateOf !== undefined;
    const said = active?.synced === true && !withheld ? active.said : undefined;
    if (withheld || (said !== undefined && registration.excess === undefined)) {
      const saidServices = said?.services ?? new Map<ServiceKey, ServiceShard>();
      const saidNamespaces = said?.namespaces ?? new Map<string, NamespaceShard>();
      for (const key of keys ?? [...registration.services.keys(), ...saidServices.keys()]) {
        const held = registration.services.get(key);
        const now = saidServices.get(key);
        if (held === now) continue;
        if (held !== undefined && now !== undefined && sameShard(held, now)) {
          said?.intern(key, held);
          continue;
        }
        if (now === undefined) registration.services.delete(key);
        else registration.services.set(key, now);
        services.add(key);
      }
      for (const name of names ?? [...registration.namespaces.keys(), ...saidNamespaces.keys()]) {
        const held = registration.namespaces.get(name);
        const now = saidNamespaces.get(name);
        if (held === now || (held !== undefined && now !== undefined && sameNamespace(held, now))) continue;
        if (now === undefined) registration.namespaces.delete(name);
        else registration.namespaces.set(name, now);
        namespaces.add(name);
      }
      if (said?.info !== undefined) registration.info = said.info;
      registration.endpointCount = said?.endpointCount ?? 0;
    } else if (services.size > 0) {
      registration.endpointCount = 0;
      for (const shard of registration.services.values()) registration.endpointCount += shard.endpoints.length;
    }
    const infoChanged = !sameInfo(
      infoOf(registration),
      registration.shown.info ?? { ...infoOf(registration), name: '' },
    );
    if (services.size > 0 || namespaces.size > 0 || infoChanged) this.#save(registration);
    this.#show(registration, force, services, namespaces);
  }

  /** Renews the record, and emits if anything is different. */
  #show(
    registration: Registration,
    force = false,
    services: ReadonlySet<ServiceKey> = new Set(),
    namespaces: ReadonlySet<string> = new Set(),
  ): void {
    if (this.#registrations.get(registration.name) !== registration) return;
    const before = registration.shown;
    const info = infoOf(registration);
    const findings = findingsOf(registration);
    const state = effectiveState(registration, this.#clock.now());
    const rotation = rotationState(registration);
    const stateMoved = !sameState(before.state, state);
    const rotationMoved = !sameState(before.rotation, rotation);
    const findingsMoved = !sameFindings(before.findings, findings);
    const infoMoved = before.info === undefined || !sameInfo(before.info, info);
    registration.shown = {
      state: stateMoved ? state : before.state,
      rotation: rotationMoved ? rotation : before.rotation,
      findings: findingsMoved ? findings : before.findings,
      info,
    };
    this.#records.set(registration.name, recordOf(registration));
    if (stateMoved) this.#stateMoved(registration, before.state.phase, before.state.problem?.code);
    if (rotationMoved && rotation?.problem !== undefined && rotation.problem.code !== before.rotation?.problem?.code) {
      this.#logFinding(
        { ...rotation.problem, severity: 'warning', where: { cluster: registration.name } },
        registration.name,
      );
    }
    if (findingsMoved) {
      const known = new Set(before.findings.map((finding) => formatFinding(finding)));
      for (const finding of findings)
        if (!known.has(formatFinding(finding))) this.#logFinding(finding, registration.name);
    }
    const stateChanged = force || stateMoved || rotationMoved || findingsMoved || infoMoved;
    if (stateChanged || services.size > 0 || namespaces.size > 0) {
      this.#emit({ cluster: registration.name, services, namespaces, stateChanged });
    }
  }

  /** Logs a transition once, and starts or ends the time for which a cluster without news is kept. */
  #stateMoved(registration: Registration, phaseBefore: string, codeBefore: string | undefined): void {
    const { name } = registration;
    const { phase, problem, sinceMs } = registration.shown.state;
    if (phase !== phaseBefore || problem?.code !== codeBefore) {
      const fields = {
        cluster: name,
        phase,
        since: new Date(sinceMs).toISOString(),
        ...(problem === undefined ? {} : { code: problem.code, err: problem.message, hint: problem.hint }),
      };
      if (phase === 'stale' || phase === 'refused' || problem !== undefined)
        this.#logger.warn(`cluster is ${phase}`, fields);
      else this.#logger.info(`cluster is ${phase}`, fields);
    }
    if (phase === 'fresh') {
      this.#expiries.get(name)?.cancel();
      this.#expiries.delete(name);
    } else if (!registration.expired && !this.#expiries.has(name) && registration.services.size > 0) {
      const age = Math.max(0, this.#clock.now() - (registration.lastNewsMs ?? this.#clock.now()));
      this.#expireAt(registration, this.#clock.monotonic() + Math.max(0, this.#settings.staleKeepMs - age));
    }
  }

  #expireAt(registration: Registration, deadlineMs: number): void {
    const { name } = registration;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    const timer = this.#clock.after(Math.min(maxTimerMs, Math.max(0, deadlineMs - this.#clock.monotonic())), () => {
      this.#expiries.delete(name);
      if (this.#registrations.get(name) !== registration || registration.shown.state.phase === 'fresh') return;
      if (this.#clock.monotonic() < deadlineMs) return this.#expireAt(registration, deadlineMs);
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
      this.#publish(registration, undefined, undefined);
    });
    this.#expiries.set(name, timer);
  }

  #emit(change: InventoryChange): void {
    if (this.#closed) return;
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#logger.error('a listener of the inventory failed', {
          cluster: change.cluster,
          err: errorMessage(error),
          code: 'FW-CLUSTER-008',
        });
      }
    }
  }

  // ── settling and saving ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #checkSettled(): void {
    if (this.#settled || this.#closed) return;
    const now = this.#clock.monotonic();
    const { initialWaitMs, unreachableWaitMs, lastGoodWaitMs } = this.#settings;
    const over = now - this.#startedMs >= initialWaitMs;
    if (!over && this.#discoveries.size > 0) return;
    const missing: Registration[] = [];
    for (const registration of this.#registrations.values()) {
      const { active, shown, fromLastGood, addedMonotonicMs } = registration;
      if (active?.synced === true || shown.state.phase === 'refused') continue;
      const troubled = active?.state.problem !== undefined || active?.state.phase === 'stale';
      if (fromLastGood && (troubled || over || now - addedMonotonicMs >= lastGoodWaitMs)) continue;
      if (!over && !(troubled && !fromLastGood && now - this.#startedMs >= unreachableWaitMs)) return;
      missing.push(registration);
    }
    this.#settled = true;
    if (over && this.#discoveries.size > 0) {
      this.#logger.error(
        'the initial wait is over before all clusters were looked for; streams are answered with what there is',
        {
          code: 'FW-CLUSTER-007',
          waited_ms: initialWaitMs,
          looking_for: [...this.#discoveries],
        },
      );
    }
    for (const registration of missing) {
      registration.missed = true;
      this.#logger.error('the wait for the cluster is over before its first sync; streams are answered without it', {
        cluster: registration.name,
        code: 'FW-CLUSTER-007',
      });
      this.#show(registration);
    }
    this.#resolveSettled();
  }

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
    this.#after(touchEveryMs, () => {
      for (const registration of this.#registrations.values()) {
        if (this.#isCurrent(registration)) this.#lastGood?.touch(registration.name);
      }
      this.#touchFresh();
    });
  }

  #after(delayMs: number, callback: () => void): void {
    const timer = this.#clock.after(Math.min(delayMs, maxTimerMs), () => {
      this.#timers.delete(timer);
      if (!this.#closed) callback();
    });
    this.#timers.add(timer);
  }

  #logFinding(finding: Finding, cluster: string): void {
    const fields = { cluster, code: finding.code, where: finding.where, hint: finding.hint };
    if (finding.severity === 'error') this.#logger.error(finding.message, fields);
    else this.#logger.warn(finding.message, fields);
  }
}

function waitingKey(name: string, origin: string): string {
  return `${name}\n${origin}`;
}

function sameFindings(a: readonly Finding[], b: readonly Finding[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every((finding, index) => formatFinding(finding) === formatFinding(b[index] as Finding)))
  );
}
