/**
 * A pilot, from its configuration to its end: who is started in which order, what being ready means, and how it stops.
 *
 *     discoveries → inventory ┐
 *     rule sources → rule set ┴→ engine → xDS server → proxies
 *                                   └→ admin API, rule statuses
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startAdminServer } from '../api/admin-server.ts';
import type { Readiness, RuleWriter } from '../api/admin-source.ts';
import { createMetrics } from '../api/metrics.ts';
import { openTokenFile } from '../api/token-file.ts';
import { sleep, systemClock } from '../core/clock.ts';
import { defaultDebounce } from '../core/debounce.ts';
import { errorMessage, FairwayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { shortTypeName, type TypeUrl } from '../core/type-urls.ts';
import { defaultMeshSettings } from '../model/mesh.ts';
import { FileClusters } from '../registry/file/file-clusters.ts';
import { RulesFolder } from '../registry/file/rules-folder.ts';
import { Inventory } from '../registry/inventory.ts';
import { FolderLastGoodStore } from '../registry/last-good.ts';
import { ruleObjectId } from '../registry/rule-sink.ts';
import { RuleSet } from '../rules/rule-set.ts';
import { defaultXdsLimits } from '../xds/limits.ts';
import { XdsServer } from '../xds/server.ts';
import type { Address, PilotConfig } from './config.ts';
import { configModes } from './config-mode.ts';
import { Convergence } from './convergence.ts';
import { Engine } from './engine.ts';
import { IdleMemory } from './idle-memory.ts';
import type { ProcessLog } from './log.ts';
import { readMetrics } from './metrics-reading.ts';
import { createAdminSource } from './reports.ts';
import { RuleInputs } from './rule-inputs.ts';
import { RuleMemory } from './rule-memory.ts';
import { RuleStatus } from './rule-status.ts';
import { type FindRule, folderRuleWriter, noRuleWriter } from './rule-writer.ts';

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
  const metrics = createMetrics();
  const inventory = new Inventory({
    clock,
    logger,
    settings: {
      initialWaitMs: config.syncWaitMs,
      ...(config.staleKeepMs === undefined ? {} : { staleKeepMs: config.staleKeepMs }),
    },
    ...(config.stateDir === undefined
      ? {}
      : { lastGood: new FolderLastGoodStore({ folder: config.stateDir, clock, logger }) }),
  });
  const rules = new RuleSet(logger);
  const memory =
    config.stateDir === undefined
      ? undefined
      : new RuleMemory({ folder: join(config.stateDir, 'rules'), clock, logger });
  const memoryOfBursts = new IdleMemory(clock);
  const convergence = new Convergence(() => clock.monotonic(), metrics.converged);
  const engine: Engine = new Engine({
    clock,
    logger,
    settings: {
      ...defaultMeshSettings,
      outbound: config.outbound,
      clusterDomain: config.clusterDomain,
      accessLog: config.accessLog,
    },
    debounce: defaultDebounce,
    shards: (key) => inventory.shards(key),
    rules: rules.winners,
    configMode: configModes(() => inventory.clusters(), config.mode, logger),
    events: {
      batch({ services, waitedMs, tookMs }) {
        metrics.debounced(waitedMs);
        if (services.size > 0) convergence.changed(waitedMs + tookMs);
        ruleStatus.touch();
        memoryOfBursts.worked();
      },
      progress(event) {
        memoryOfBursts.worked();
        if (event === undefined) return ruleStatus.touch();
        const type = shortTypeName[event.typeUrl as TypeUrl] ?? 'other';
        if (event.kind === 'sent') {
          metrics.pushed(type, convergence.sent(event.streamId, event.typeUrl));
          return;
        }
        if (event.kind === 'nacked') metrics.nacked(type);
        convergence.answered(event.streamId, event.typeUrl);
        ruleStatus.touch();
      },
    },
  });
  const ruleStatus: RuleStatus = new RuleStatus({
    clock,
    rules,
    engine,
    clusters: () => new Set(inventory.clusters().keys()),
  });
  const xds = new XdsServer({
    host: engine,
    clock,
    logger,
    limits: { ...defaultXdsLimits, identifier: `fairway ${version}` },
  });
  const streamStatus = (streamId: number): ReturnType<Engine['streamStatus']> => xds.status(streamId) ?? new Map();
  engine.attach({
    changed: (view, changes) => xds.changed(view, changes),
    reassign: (id, view) => xds.reassign(id, view),
    status: streamStatus,
  });

  inventory.onChange(({ services, stateChanged }) => {
    engine.shardsChanged(services);
    if (stateChanged) ruleStatus.touch();
  });
  rules.onChange(({ services }) => {
    engine.rulesChanged(services);
    ruleStatus.touch();
  });

  const inputs = new RuleInputs(rules, logger, memory);
  const stoppables: Stoppable[] = [];
  const stopped = new AbortController();
  const stop = async (drainMs: number): Promise<void> => {
    stopped.abort();
    engine.stop();
    ruleStatus.stop();
    memoryOfBursts.stop();
    await xds.drain(drainMs);
    await Promise.all(stoppables.map((part) => part.stop()));
    await inputs.stop();
    await inventory.close();
  };
  try {
    const writer = attachRulesFolder(config, inputs, rules, clock);
    if (config.clustersDir !== undefined) {
      const clusters = new FileClusters({ folder: config.clustersDir, inventory, clock, logger });
      clusters.start();
      stoppables.push(clusters);
    }
    if (config.contexts.length > 0 || config.inCluster) {
      // Kubernetes' client is large, and a pilot of files alone does without it.
      const { attachKubernetes } = await import('./kubernetes.ts');
      stoppables.push(await attachKubernetes({ config, inventory, inputs, ruleStatus, clock, logger }));
    }

    const bound = await xds.listen(formatAddress(config.xds));
    const admin = await startAdminServer({
      source: createAdminSource({
        inventory,
        engine,
        ruleStatus,
        streamStatus,
        version,
        settings: () => shownSettings(config),
        readiness: () => pilotReadiness(engine, inventory, inputs),
      }),
      writer: writer ?? noRuleWriter(config.contexts.length > 0 || config.inCluster),
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
      whenReady: everythingRead.then(() => (stopped.signal.aborted ? never : engine.open())),
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
  rules: RuleSet,
  clock: typeof systemClock,
): RuleWriter | undefined {
  if (rulesDir === undefined) return undefined;
  makeRulesFolder(rulesDir);
  const find: FindRule = (kind, namespace, name) =>
    rules.record(`${rulesFolderSource}#${ruleObjectId(kind, namespace, name)}`);
  const folder = inputs.attach(rulesFolderSource, (sink) => {
    const source = new RulesFolder({ folder: rulesDir, sink, clock });
    source.start();
    return source;
  });
  return folderRuleWriter(rulesDir, folder, find, clock.now);
}

function makeRulesFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
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
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function pilotReadiness(engine: Engine, inventory: Inventory, inputs: RuleInputs): Readiness {
  const clusters = [...inventory.clusters().values()];
  const fresh = clusters.filter(({ state }) => state.phase === 'fresh').length;
  return {
    ready: engine.ready,
    checks: [
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
