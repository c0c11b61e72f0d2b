/**
 * A pilot, from its configuration to its end: who is started in which order, what being ready means, and how it stops.
 *
 *     discoveries → inventory ┐
 *     rule sources → rule set ┴→ engine → xDS server → proxies
 *                                   └→ admin API, rule statuses
 */

import { join } from 'node:path';
import { startAdminServer } from '../api/admin-server.ts';
import type { Readiness, RuleWriter } from '../api/admin-source.ts';
import { openTokenFile } from '../api/token-file.ts';
import { sleep, systemClock } from '../core/clock.ts';
import { errorMessage, FairwayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { allKinds } from '../kinds/all-kinds.ts';
import { makeFolder } from '../registry/durable-file.ts';
import { FileClusters } from '../registry/file/file-clusters.ts';
import { RulesFolder } from '../registry/file/rules-folder.ts';
import type { Inventory } from '../registry/inventory.ts';
import { ruleObjectId } from '../registry/rule-sink.ts';
import { assemble } from './assembly.ts';
import type { Address, PilotConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { History } from './history.ts';
import { folderHistoryStore, memoryHistoryStore } from './history-store.ts';
import { createInspection } from './inspect/inspection.ts';
import type { KubernetesLink } from './kubernetes.ts';
import type { ProcessLog } from './log.ts';
import { withImports } from './members/mcs-members.ts';
import { readMetrics } from './metrics-reading.ts';
import { livePreviewer } from './preview/live.ts';
import { createAdminSource } from './reports.ts';
import type { RuleInputs } from './rules/rule-inputs.ts';
import { type FindRule, folderRuleWriter, noRuleWriter } from './rules/rule-writer.ts';
import { defaultStandards, kindReports } from './standards/standards.ts';
import { listenForNews, logNews } from './status/news.ts';
import { reconnectGraceMs } from './status/status-gate.ts';

export interface RunningPilot {
  /** Where it listens, `host:port`. */
  readonly xds: string;
  readonly admin: string;
  /**
   * Resolves when every cluster is synced or marked and the rules are read: proxies are answered from here on. Stays open when it is stopped
   * before.
   */
  readonly whenReady: Promise<void>;
  readonly clusterPhases: () => Readonly<Record<string, string>>;
  /** Drains the streams, then ends everything. */
  stop(): Promise<void>;
}

/** What the rules folder is called among the sources of rules. */
const rulesFolderSource = 'rules folder';

interface Stoppable {
  stop(): Promise<void> | void;
}

export async function startPilot(config: PilotConfig, log: ProcessLog, version: string): Promise<RunningPilot> {
  const clock = systemClock;
  const { logger } = log;
  const assembly = assemble(config, logger, version);
  const { inventory, rules, stages, inputs, engine, ruleStatus, fleet, xds, metrics, idleMemory, drainPlan } = assembly;
  const imports = withImports({ ...assembly, isOn: config.mcs === true, clock });
  const { members } = imports;
  const stoppables: Stoppable[] = [];
  let kubernetes: KubernetesLink | undefined;
  const stopped = new AbortController();
  const stop = async (drainMs: number): Promise<void> => {
    stopped.abort();
    assembly.members.stop();
    ruleStatus.stop();
    for (const stage of stages) stage.stop();
    idleMemory.stop();
    // Proxies are served until it is their turn to go, and another replica need not wait to write statuses.
    await Promise.all([xds.drain(drainMs), imports.stop().then(() => kubernetes?.resign())]);
    engine.stop();
    await Promise.all(stoppables.map((part) => part.stop()));
    await inputs.stop();
    await inventory.close();
  };
  try {
    // A pilot that does not know yet what there is must not say that something is missing.
    for (const { gate } of [ruleStatus, ...stages]) gate.hold();
    listenForNews({ ruleStatus, stages, inventory }, logNews(logger));
    const history = keepHistory(config, inputs, clock, logger);
    stoppables.push({ stop: () => history?.close() });
    const writer = attachRulesFolder(config, inputs, clock, history);
    if (config.clustersDir !== undefined) {
      const clusters = new FileClusters({
        folder: config.clustersDir,
        inventory,
        clock,
        logger,
        openMember: members.open,
      });
      clusters.start();
      stoppables.push(clusters);
    }
    if (config.contexts.length > 0 || config.inCluster) {
      // Kubernetes' client is large, and a pilot of files alone does without it.
      const { attachKubernetes } = await import('./kubernetes.ts');
      kubernetes = await attachKubernetes({
        config,
        inventory,
        inputs,
        ruleStatus,
        fleet,
        stages,
        openMember: members.open,
        leadBy: members.leadBy,
        metrics,
        clock,
        logger,
      });
      stoppables.push(kubernetes);
    }

    const bound = await xds.listen(formatAddress(config.xds));
    const admin = await startAdminServer({
      source: createAdminSource({
        inventory,
        engine,
        ruleStatus,
        members,
        fleet,
        stages,
        streamStatus: (streamId) => xds.status(streamId) ?? new Map(),
        version,
        settings: () => shownSettings(config),
        readiness: () => pilotReadiness(engine, inventory, inputs, stopped.signal.aborted),
        drainPlan,
        kindReports: () => kindReports(stages, config.standards ?? defaultStandards, kubernetes?.readings()),
        inspection: createInspection({
          inventory,
          engine,
          rules,
          ruleStatus,
          stages,
          streamStatus: (streamId) => xds.status(streamId) ?? new Map(),
          clock,
          members,
        }),
      }),
      ...(history === undefined ? {} : { history: (kind, namespace, name) => history.of(kind, namespace, name) }),
      writer: writer ?? noRuleWriter(config.contexts.length > 0 || config.inCluster),
      previewer: livePreviewer({
        engine,
        rules,
        inForce: assembly.inForce,
        others: assembly.others,
        clusters: () => new Set(inventory.clusters().keys()),
        source: rulesFolderSource,
        now: clock.now,
      }),
      metrics,
      logLevel: log.level,
      clock,
      logger,
      host: config.admin.host,
      port: config.admin.port,
      ...(config.adminTokenFile === undefined ? {} : { token: openTokenFile(config.adminTokenFile, clock, logger) }),
    });
    metrics.readFrom(() => readMetrics(inventory, engine, xds.counters, clock));

    const everythingRead = untilReady(inventory, inputs, config.syncWaitMs, stopped.signal, logger);
    return {
      xds: formatAddress({ host: bound.address.replace(/^\[|\]$/g, ''), port: bound.port }),
      admin: formatAddress(admin.address),
      whenReady: everythingRead.then(() => {
        if (stopped.signal.aborted) return never;
        engine.open();
        for (const { gate } of [ruleStatus, ...stages]) gate.release(reconnectGraceMs);
        return undefined;
      }),
      clusterPhases: () =>
        Object.fromEntries([...inventory.clusters()].map(([name, { state }]) => [name, state.phase])),
      async stop() {
        await stop(config.drainMs);
        await admin.stop();
      },
    };
  } catch (error) {
    // What was started before would keep the process alive, watching and answering nobody.
    await stop(0);
    throw error;
  }
}

/** A pilot that is stopped before it was ready does not become so. */
const never = new Promise<never>(() => {});

/** The rules folder as a source, and as the place where the admin API writes. */
function attachRulesFolder(
  { rulesDir }: PilotConfig,
  inputs: RuleInputs,
  clock: typeof systemClock,
  history: History | undefined,
): RuleWriter | undefined {
  if (rulesDir === undefined) return undefined;
  makeRulesFolder(rulesDir);
  const find: FindRule = (kind, namespace, name) =>
    inputs.record(`${rulesFolderSource}#${ruleObjectId(kind, namespace, name)}`);
  const folder = inputs.attach(rulesFolderSource, (sink) => {
    const source = new RulesFolder({ folder: rulesDir, sink, clock, clusterScoped: allKinds.clusterScoped() });
    source.start();
    return source;
  });
  return folderRuleWriter(rulesDir, folder, find, clock.now, (ids) => history?.claim(ids, 'admin API') ?? (() => {}));
}

/** The forms of what is in the rules folder: with a state folder, over restarts too. undefined without a rules folder. */
function keepHistory(
  { rulesDir, stateDir }: PilotConfig,
  inputs: RuleInputs,
  clock: typeof systemClock,
  logger: Logger,
): History | undefined {
  if (rulesDir === undefined) return undefined;
  const store = stateDir === undefined ? memoryHistoryStore() : folderHistoryStore(join(stateDir, 'history'), logger);
  const isThere = (id: string): boolean => inputs.record(`${rulesFolderSource}#${id}`) !== undefined;
  const history = new History({ store, clock, logger, isThere });
  inputs.onSeen(({ source, id, raw, generation, valid }) => {
    if (source === rulesFolderSource) history.seen({ id, object: raw.object, origin: raw.origin, generation, valid });
  });
  return history;
}

function makeRulesFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw new FairwayError(
      {
        code: 'FW-PILOT-007',
        message: `the rules folder cannot be used: ${errorMessage(error)}`,
        where: { file: folder },
        hint: 'Give a folder with --rules that this process may create and write to',
      },
      { cause: error },
    );
  }
}

/** How often the start looks whether everything is known. */
const lookMs = 20;

/** Routing without the rules would be worse than waiting for them; but a lost source is not waited for for ever. */
async function untilReady(
  inventory: Inventory,
  inputs: RuleInputs,
  waitMs: number,
  stopped: AbortSignal,
  logger: Logger,
): Promise<void> {
  const started = systemClock.monotonic();
  await Promise.race([inventory.whenSettled(), aborted(stopped)]);
  const waits = { recalledMs: Math.min(2000, waitMs), unreachableMs: Math.min(5000, waitMs), silentMs: waitMs };
  while (!stopped.aborted && !inputs.settled(systemClock.monotonic() - started, waits))
    await sleep(systemClock, lookMs, stopped);
  const unread = inputs.reports().filter(({ synced }) => !synced);
  const lost = [...inventory.clusters()].filter(([, { state }]) => state.phase !== 'fresh');
  if (stopped.aborted || unread.length + lost.length === 0) return;
  logger.error('proxies are served although not everything could be read', {
    code: 'FW-PILOT-004',
    clusters: lost.map(([name, { state }]) => `${name} ${state.phase}`),
    rules: unread.map(({ name }) => name),
    hint: 'Bring these back: they join as soon as they can be read; `fairway get clusters` says what holds them up.',
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function pilotReadiness(engine: Engine, inventory: Inventory, inputs: RuleInputs, isEnding: boolean): Readiness {
  const clusters = [...inventory.clusters().values()];
  const fresh = clusters.filter(({ state }) => state.phase === 'fresh').length;
  return {
    ready: engine.ready && !isEnding,
    checks: [
      { name: 'running', ok: !isEnding, message: isEnding ? 'it ends, and its proxies go to others' : 'it runs' },
      // A lost cluster is marked and its last good state served; it does not make the pilot unready.
      { name: 'clusters', ok: engine.ready || inventory.settled(), message: `${fresh} of ${clusters.length} fresh` },
      {
        name: 'rules',
        ok: engine.ready || inputs.synced,
        message: inputs.synced ? 'all sources read' : 'not all sources read',
      },
    ],
  };
}

function shownSettings(config: PilotConfig): Readonly<Record<string, unknown>> {
  return { ...config, xds: formatAddress(config.xds), admin: formatAddress(config.admin) };
}

function formatAddress({ host, port }: Address): string {
  const name = host === '' ? '[::]' : host.includes(':') ? `[${host}]` : host;
  return `${name}:${port}`;
}
