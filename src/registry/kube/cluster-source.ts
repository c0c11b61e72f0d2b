/**
 * One registered cluster, read from its Kubernetes API.
 *
 * In: an access. Out, through the sink: its state, one complete statement once all kinds of objects are listed, and changes after
 * that. It gets, lists and watches, and nothing else. An API that cannot be reached, refuses, empties itself or becomes another one makes
 * the cluster stale; it removes nothing.
 */

import type { Clock, Timer } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ClusterInfo, ClusterState } from '../../model/cluster.ts';
import { type ClusterObjectKind, type NamespaceObject } from '../cluster-objects.ts';
import { type DeriveSettings, defaultVersionLabels } from '../derive.ts';
import { ClusterIndex, type SkipSummary } from '../derive-index.ts';
import { type ClusterLimits, defaultClusterLimits } from '../derive-limits.ts';
import type { SkipReason } from '../derive-skips.ts';
import type { OpenMember } from '../member-host.ts';
import type { ClusterSink, ClusterSource, StartSource } from '../source.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { ClusterIdentity } from './cluster-identity.ts';
import { evaluatePhase } from './cluster-phase.ts';
import { ClusterProbe } from './cluster-probe.ts';
import { ExportWatch } from './export-watch.ts';
import { defaultWatchSettings, ListerWatcher, type WatchSettings } from './lister-watcher.ts';
import { KubeMcsWriter } from './mcs-writer.ts';
import { memberSource } from './member-source.ts';
import { RequestBudget } from './request-budget.ts';
import { sourceFindings } from './source-findings.ts';
import type { WatchCounters } from './watch-health.ts';
import { indexTarget, watched } from './watched-objects.ts';

export interface KubeSourceSettings {
  readonly watch: WatchSettings;
  readonly limits: ClusterLimits;
  readonly versionLabels: readonly string[];
  /** How often `/readyz` is asked: watches alone do not show an outage. */
  readonly probeMs: number;
  readonly probeAnswerMs: number;
  readonly probeFailures: number;
  readonly graceMs: number;
}

export const defaultKubeSourceSettings: KubeSourceSettings = {
  watch: defaultWatchSettings,
  limits: defaultClusterLimits,
  versionLabels: defaultVersionLabels,
  probeMs: 10_000,
  probeAnswerMs: 5_000,
  probeFailures: 2,
  graceMs: 3_000,
};

/** What the cluster is called and where it stands; its uid is read from it. */
export type ClusterPlace = Omit<ClusterInfo, 'uid'>;

export interface KubeSourceOptions {
  readonly access: Access;
  readonly place: ClusterPlace;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings?: KubeSourceSettings;
  /** Takes the rules that the cluster holds of its own, if it reads them. */
  readonly openMember?: OpenMember;
  /** Gets a way to look at the counters, once, at the start. */
  readonly observe?: (stats: () => KubeSourceStats) => void;
}

export interface KubeSourceStats {
  readonly watchers: ReadonlyMap<string, WatchCounters>;
  readonly objects: ReadonlyMap<ClusterObjectKind, number>;
  /** What is left out now, by reason. */
  readonly skips: ReadonlyMap<SkipReason, SkipSummary>;
}

export function kubeSource(options: KubeSourceOptions): StartSource {
  const { openMember, access, place, clock, logger } = options;
  if (openMember === undefined) return (sink) => new ClusterSupervisor(options, sink);
  return (sink) => {
    const source = new ClusterSupervisor(options, sink);
    const close = openMember(place.name, {
      start: (sink, isLeader, isGranted) =>
        memberSource({ access, cluster: place.name, sink, isLeader, isGranted, clock, logger }),
      isFree: false,
      writeImports: (host) => new KubeMcsWriter({ access, cluster: place.name, clock, logger, host }),
    });
    return {
      stop() {
        close();
        return source.stop();
      },
    };
  };
}

class ClusterSupervisor implements ClusterSource {
  readonly #options: KubeSourceOptions;
  readonly #settings: KubeSourceSettings;
  readonly #sink: ClusterSink;
  readonly #api: ApiClient;
  readonly #index: ClusterIndex;
  readonly #watchers: readonly ListerWatcher<unknown>[];
  readonly #exports: ExportWatch;
  readonly #identity: ClusterIdentity;
  readonly #probe: ClusterProbe;
  readonly #stop = new AbortController();
  readonly #probing: Promise<void>;
  #synced = false;
  #heard = false;
  #lastNewsMs: number;
  #lastNewsMonotonicMs: number;
  /** As of the last statement of everything. */
  #saidExports: { readonly isKnown: boolean; readonly clusterId: string | undefined } | undefined;
  #state: ClusterState | undefined;
  #findings = '[]';
  #flushScheduled = false;
  #again: Timer | undefined;

  constructor(options: KubeSourceOptions, sink: ClusterSink) {
    this.#options = options;
    this.#settings = options.settings ?? defaultKubeSourceSettings;
    this.#sink = sink;
    const { clock, place } = options;
    this.#lastNewsMs = clock.now();
    this.#lastNewsMonotonicMs = clock.monotonic();
    this.#api = new ApiClient(options.access, clock);
    this.#identity = new ClusterIdentity(this.#api, clock, () => this.#evaluate());
    const derive: DeriveSettings = {
      cluster: place.name,
      network: place.network,
      locality: place.locality,
      versionLabels: this.#settings.versionLabels,
      allowLoopback: false,
    };
    this.#index = new ClusterIndex(derive, this.#settings.limits);
    const budget = new RequestBudget(clock);
    this.#watchers = watched.map(
      (resource) =>
        new ListerWatcher<unknown>({
          api: this.#api,
          resource,
          target: indexTarget(this.#index, resource.kind),
          settings: this.#settings.watch,
          clock,
          budget,
          empty: resource.empty,
          verify: (signal) => this.#identity.verify(signal),
          heard: () => this.#news(),
          changed: (outageMs) => {
            this.#evaluate();
            this.#wakeOthers(outageMs);
          },
          updated: () => this.#scheduleFlush(),
        }),
    );
    this.#exports = new ExportWatch({
      api: this.#api,
      index: this.#index,
      settings: this.#settings.watch,
      clock,
      budget,
      verify: (signal) => this.#identity.verify(signal),
      heard: () => this.#news(),
      updated: () => this.#scheduleFlush(),
    });
    this.#probe = new ClusterProbe({
      api: this.#api,
      clock,
      probeMs: this.#settings.probeMs,
      answerMs: this.#settings.probeAnswerMs,
      lastNewsMs: () => this.#lastNewsMonotonicMs,
      heard: () => this.#news(),
      recovered: (sinceMs) => this.#kick(sinceMs),
      version: (version) => sink.version?.(version),
      looked: () => this.#evaluate(),
    });
    options.observe?.(() => this.#stats());
    this.#evaluate();
    this.#probing = this.#probe.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#again?.cancel();
    this.#api.close();
    await Promise.all([this.#probing, this.#exports.stop(), ...this.#watchers.map((watcher) => watcher.stop())]);
  }

  #stats(): KubeSourceStats {
    return {
      watchers: new Map(this.#watchers.map((watcher) => [watcher.resource.name, watcher.counters])),
      objects: new Map(watched.map(({ kind }) => [kind, this.#index.size(kind)])),
      skips: this.#index.skips(),
    };
  }

  #news(): void {
    this.#heard = true;
    this.#lastNewsMs = this.#options.clock.now();
    this.#lastNewsMonotonicMs = this.#options.clock.monotonic();
  }

  /**
   * What one kind of object can be read again after, the others can too, though `/readyz` was well all the while and so told nobody. Short
   * outages wake nobody: of watches that break as soon as they are open, each would set off the rest.
   */
  #wakeOthers(outageMs: number): void {
    if (outageMs < this.#settings.probeMs) return;
    this.#kick(Number.NEGATIVE_INFINITY);
  }

  #kick(sinceMs: number): void {
    for (const watcher of [...this.#watchers, this.#exports]) watcher.kick(sinceMs);
  }

  /** All changes of one turn of the event loop go out together. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      if (!this.#stop.signal.aborted) this.#flush();
    });
  }

  #flush(): void {
    if (this.#identity.impostor !== undefined) return;
    const { isKnown, clusterId } = this.#exports;
    const isAsSaid = this.#saidExports?.isKnown === isKnown && this.#saidExports.clusterId === clusterId;
    if (this.#synced && isAsSaid) {
      const change = this.#index.flush();
      if (change !== undefined) this.#sink.change(isKnown ? change : { ...change, exportsUnknown: true });
    } else if (this.#synced) {
      this.#syncAll();
    } else {
      if (!this.#watchers.every(({ health }) => health.listed) || !this.#exports.isSettled) return;
      const system = this.#index.get('Namespace', 'kube-system') as NamespaceObject | undefined;
      this.#identity.learn(system?.uid ?? '');
      this.#synced = true;
      this.#syncAll();
      this.#evaluate();
    }
    this.#sayFindings();
  }

  #syncAll(): void {
    const { isKnown, clusterId } = this.#exports;
    this.#saidExports = { isKnown, clusterId };
    const info = { ...this.#options.place, uid: this.#identity.uid, ...(clusterId === undefined ? {} : { clusterId }) };
    this.#sink.sync({ info, ...this.#index.snapshot(), ...(isKnown ? {} : { exportsUnknown: true }) });
  }

  #sayFindings(): void {
    const truncated = this.#watchers.filter(({ health }) => health.truncated).map(({ resource }) => resource.name);
    const { name } = this.#options.place;
    const findings: readonly Finding[] = [
      ...sourceFindings(name, this.#index.skips(), truncated, this.#settings),
      ...this.#exports.findings(name),
    ];
    const text = JSON.stringify(findings);
    if (text === this.#findings) return;
    this.#findings = text;
    this.#sink.findings?.(findings);
  }

  #evaluate(): void {
    if (this.#stop.signal.aborted) return;
    const { clock, logger, place } = this.#options;
    const output = evaluatePhase({
      nowMs: clock.now(),
      server: this.#api.server,
      synced: this.#synced,
      heard: this.#heard,
      lastNewsMs: this.#lastNewsMs,
      watchers: this.#watchers.map(({ resource, health }) => ({
        resource: resource.group === '' ? resource.name : `${resource.name}.${resource.group}`,
        health,
      })),
      probe: this.#probe.outcome,
      impostor: this.#identity.impostor,
      graceMs: this.#settings.graceMs,
      probeFailures: this.#settings.probeFailures,
    });
    this.#again?.cancel();
    this.#again = output.againMs === undefined ? undefined : clock.after(output.againMs + 1, () => this.#evaluate());
    const { phase, problem } = output;
    const before = this.#state;
    if (
      before?.phase === phase &&
      before.problem?.code === problem?.code &&
      before.problem?.message === problem?.message
    )
      return;
    const sinceMs = before?.phase === phase ? before.sinceMs : phase === 'stale' ? output.staleSinceMs : clock.now();
    this.#state = { phase, sinceMs, ...(problem === undefined ? {} : { problem }) };
    const fields = {
      cluster: place.name,
      phase,
      ...(problem === undefined ? {} : { code: problem.code, problem: problem.message }),
    };
    // The inventory tells people, once it takes over what is said here.
    logger.debug(`cluster is ${phase}`, fields);
    this.#sink.state(this.#state);
  }
}
