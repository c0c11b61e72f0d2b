/**
 * Rules (and other kinds that people apply) from one Kubernetes API: objects of all namespaces go to a sink as they are written.
 *
 * What always holds: an object is put again only when something other than its status or bookkeeping changed; nothing is removed because
 * the API cannot be read. A kind whose CRD is not installed has no objects, and is found when it comes; a kind that others define holds up nothing,
 * whether it is missing, goes, or may not be read.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { RuleSink, RuleSource } from '../rule-sink.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { type HeldRule, type RuleView, rawObjectOf, viewOf } from './held-rule.ts';
import { KindReader } from './kind-reader.ts';
import { type KindReading, readingFindings, readingOf } from './kind-reading.ts';
import { defaultWatchSettings, type WatchSettings } from './lister-watcher.ts';
import { RequestBudget } from './request-budget.ts';
import { type RuleKind, trafficRuleKind } from './rule-kind.ts';
import { ServedKinds } from './served-kinds.ts';

export interface KubeRuleSourceOptions {
  readonly access: Access;
  /** The cluster's name, for `where` and `origin`. */
  readonly cluster: string;
  readonly sink: RuleSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: TrafficRule. */
  readonly kinds?: readonly RuleKind[];
  readonly watch?: WatchSettings;
  /** The status of an object is another than it was; whoever writes statuses is told. */
  readonly statusChanged?: (id: string) => void;
}

/** An absent CRD is looked for this often. */
const defaultRuleWatchSettings: WatchSettings = { ...defaultWatchSettings, refusedRetryMs: 10_000 };

export class KubeRuleSource implements RuleSource {
  readonly #options: KubeRuleSourceOptions;
  readonly #api: ApiClient;
  readonly #held = new Map<string, HeldRule>();
  readonly #readers: readonly KindReader[];
  readonly #served: ServedKinds;
  #synced = false;
  #stopped = false;
  #findings = '[]';
  #absent = '';
  /** Of the last word on being synced. */
  #unread: ReadonlySet<string> = new Set();

  constructor(options: KubeRuleSourceOptions) {
    this.#options = options;
    const { clock, watch: settings = defaultRuleWatchSettings, kinds = [trafficRuleKind] } = options;
    const api = new ApiClient(options.access, clock);
    this.#api = api;
    const budget = new RequestBudget(clock);
    const put = (rule: HeldRule): void => this.#put(rule);
    const remove = (id: string): void => this.#remove(id);
    const changed = (): void => this.#checkHealth();
    this.#readers = kinds.map((kind) => new KindReader({ kind, api, budget, clock, settings, put, remove, changed }));
    this.#served = new ServedKinds({
      api,
      kinds: kinds.filter(({ foreign }) => foreign === true),
      clock,
      budget,
      settings,
      changed: () => this.#follow(),
    });
    for (const reader of this.#readers) if (reader.kind.foreign !== true) reader.read(reader.kind.apiVersion);
  }

  /** Every kind has been read at least once, is not installed, or is one that others define and may not be read. */
  get isSynced(): boolean {
    return this.#synced;
  }

  /** What the API holds of an object now, as far as is known. */
  view(id: string): RuleView | undefined {
    const held = this.#held.get(id);
    return held === undefined ? undefined : viewOf(held);
  }

  /** How each kind fares. */
  readings(): readonly KindReading[] {
    return this.#readers.map((reader) => readingOf(reader, this.#served));
  }

  /** The API's credential (or address) is another from now on. What is held stays; what waits tries at once. */
  rotate(access: Access): void {
    this.#api.rotate(access);
    this.#served.look();
    for (const reader of this.#readers) reader.kick(this.#options.clock.monotonic());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#api.close();
    await Promise.all([this.#served.stop(), ...this.#readers.map((reader) => reader.stop())]);
  }

  /** Reads the kinds of others in the versions that are served now. */
  #follow(): void {
    if (this.#stopped) return;
    for (const reader of this.#readers) {
      if (reader.kind.foreign !== true) continue;
      const served = this.#served.of(reader.kind.kind);
      if (served !== undefined) reader.read(served.apiVersion);
      // Discovery is for everybody unless somebody took it away: then the newest version is tried.
      else if (this.#served.error?.kind === 'forbidden') reader.read(reader.kind.apiVersion);
    }
    this.#sayAbsent();
    this.#checkHealth();
  }

  #sayAbsent(): void {
    const absent = this.#readers
      .filter(({ kind: { kind } }) => this.#served.of(kind)?.apiVersion === undefined)
      .flatMap(({ kind: { kind, foreign } }) =>
        foreign === true && this.#served.of(kind) !== undefined ? [kind] : [],
      );
    const text = absent.join(', ');
    if (text === this.#absent) return;
    this.#absent = text;
    const { cluster, logger } = this.#options;
    if (text === '') logger.info('all kinds of the standards are installed now', { cluster });
    else logger.info('kinds are not installed, and are looked for from time to time', { cluster, kinds: text });
  }

  #put(rule: HeldRule): void {
    if (this.#stopped) return;
    const before = this.#held.get(rule.id);
    this.#held.set(rule.id, rule);
    const { statusChanged } = this.#options;
    if (before !== undefined && !isDeepStrictEqual(before.object['status'], rule.object['status']))
      statusChanged?.(rule.id);
    if (before !== undefined && isDeepStrictEqual(before.essence, rule.essence)) return;
    this.#options.sink.put(rawObjectOf(rule, this.#options.cluster), rule.id);
  }

  #remove(id: string): void {
    if (this.#stopped) return;
    this.#held.delete(id);
    this.#options.sink.remove(id);
  }

  #checkHealth(): void {
    if (this.#stopped) return;
    const { sink, cluster } = this.#options;
    const readings = this.readings();
    // Where its CRD went, discovery knows of it before the next try would.
    if (readings.some(({ state, foreign }) => foreign && state === 'missing')) this.#served.look();
    const findings = readingFindings(readings, cluster);
    const text = JSON.stringify(findings);
    if (text !== this.#findings) {
      this.#findings = text;
      sink.problem(findings);
    }
    this.#saySynced(readings);
  }

  #saySynced(readings: readonly KindReading[]): void {
    const isOwnRead = readings.every(({ foreign, isRead, state }) => foreign || isRead || state === 'missing');
    // An API that has just come up refuses everybody; one that lets our own kinds be read means it.
    const isSettled = (reading: KindReading): boolean =>
      reading.isRead || reading.state === 'absent' || reading.state === 'refused' || reading.state === 'missing';
    if (!isOwnRead || !readings.every((reading) => !reading.foreign || isSettled(reading))) return;
    const unread = new Set(readings.flatMap(({ kind, foreign, isKnown }) => (foreign && !isKnown ? [kind] : [])));
    if (this.#synced && [...this.#unread].every((kind) => unread.has(kind))) return;
    this.#synced = true;
    this.#unread = unread;
    this.#options.sink.synced(unread);
  }
}
