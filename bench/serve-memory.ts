/**
 * The pilot under test, in a process of its own (`ServerSettings` as its argument): the inventory, the rule set, the engine, its metrics and
 * the xDS server are the real ones, wired as src/pilot/start.ts wires them; only the source is a cluster in memory, so that what is measured
 * is the pilot's own way from a change to the proxies. Changes come over IPC.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createMetrics } from '../src/api/metrics.ts';
import { systemClock } from '../src/core/clock.ts';
import { defaultDebounce } from '../src/core/debounce.ts';
import { silentLogger } from '../src/core/logger.ts';
import { shortTypeName, type TypeUrl } from '../src/core/type-urls.ts';
import { defaultMeshSettings } from '../src/model/mesh.ts';
import { connectStages } from '../src/pilot/assembly.ts';
import { Convergence } from '../src/pilot/convergence.ts';
import { Engine } from '../src/pilot/engine.ts';
import { IdleMemory } from '../src/pilot/idle-memory.ts';
import { RuleStatus } from '../src/pilot/rule-status.ts';
import { Inventory } from '../src/registry/inventory.ts';
import { MemoryCluster } from '../src/registry/memory/memory-cluster.ts';
import { RuleSet } from '../src/rules/rule-set.ts';
import { defaultXdsLimits } from '../src/xds/limits.ts';
import { XdsServer } from '../src/xds/server.ts';
import { machineMs } from './load/marks.ts';
import type { NumberedChange, ServerCommand, ServerReply, ServerReport, ServerSettings } from './load/messages.ts';
import { contentHash, sidecarTypes, stateHash } from './load/state-hash.ts';
import { clusterName, namespace, syntheticRule, syntheticService } from './load/synthetic-mesh.ts';

const { mesh, port, changes } = JSON.parse(process.argv[2] ?? '') as ServerSettings;
const clock = systemClock;
const logger = silentLogger;
const lagResolutionMs = 10;
const lag = monitorEventLoopDelay({ resolution: lagResolutionMs });
let debounceMaxMs = 0;

const metrics = createMetrics();
const inventory = new Inventory({ clock, logger });
const rules = new RuleSet(logger);
const ruleSource = rules.source('bench');
const idleMemory = new IdleMemory(clock);
const convergence = new Convergence(() => clock.monotonic(), metrics.converged);
const engine: Engine = new Engine({
  clock,
  logger,
  settings: defaultMeshSettings,
  debounce: defaultDebounce,
  shards: (key) => inventory.shards(key),
  rules: rules.winners,
  events: {
    batch({ services, waitedMs, tookMs }) {
      debounceMaxMs = Math.max(debounceMaxMs, waitedMs);
      metrics.debounced(waitedMs);
      if (services.size > 0) convergence.changed(waitedMs + tookMs);
      ruleStatus.touch();
      idleMemory.worked();
    },
    progress(event) {
      idleMemory.worked();
      if (event === undefined) return ruleStatus.touch();
      const type = shortTypeName[event.typeUrl as TypeUrl] ?? 'other';
      if (event.kind === 'sent') return metrics.pushed(type, convergence.sent(event.streamId, event.typeUrl));
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
  limits: { ...defaultXdsLimits, identifier: 'fairway bench' },
});
connectStages({ inventory, rules, engine, ruleStatus, xds });

const cluster = new MemoryCluster({ clock, info: { name: clusterName } });
for (let service = 0; service < mesh.services; service++) cluster.putService(syntheticService(service, mesh.endpoints));
cluster.putNamespace({ cluster: clusterName, name: namespace, labels: {} });
for (const change of changes) make(change);
inventory.add(clusterName, cluster.info.origin, cluster.start);
await inventory.whenSettled();
const bound = await xds.listen(`127.0.0.1:${port}`);
engine.open();
lag.enable();

function make({ kind, n, service }: NumberedChange): void {
  if (kind === 'endpoint') cluster.putService(syntheticService(service, mesh.endpoints, n));
  else {
    const name = `svc-${service}`;
    const raw = { object: syntheticRule({ service, n }), origin: 'bench', where: () => ({ object: name }) };
    ruleSource.put(raw, name);
  }
}

/** A change that comes late because the process was busy counts from when it was due: a watch event would have waited as long. */
async function churn({ perSecond, count, firstN }: Extract<ServerCommand, { kind: 'churn' }>): Promise<void> {
  const beganMs = machineMs();
  const made: { n: number; atMs: number }[] = [];
  for (let at = 0; at < count; at++) {
    const dueMs = beganMs + (at * 1000) / perSecond;
    for (let restMs = dueMs - machineMs(); restMs > 0; restMs = dueMs - machineMs()) {
      const waitMs = restMs;
      await new Promise((next) => setTimeout(next, waitMs));
    }
    make({ kind: 'endpoint', n: firstN + at, service: (firstN + at) % mesh.services });
    made.push({ n: firstN + at, atMs: dueMs });
  }
  reply({ kind: 'changed', changes: made });
}

function report(): ServerReport {
  const beyondMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - lagResolutionMs);
  const { counters } = xds;
  const figures = {
    stateHash: stateHash(truth()),
    heapUsedBytes: process.memoryUsage().heapUsed,
    eventLoopLagP99Ms: lag.count > 0 ? beyondMs(lag.percentile(99)) : 0,
    eventLoopLagMaxMs: lag.count > 0 ? beyondMs(lag.max) : 0,
    debounceMaxMs,
    droppedSlowReaders: counters.droppedSlowReadersTotal,
    nacks: counters.nacksByType.values().reduce((sum, count) => sum + count, 0),
  };
  debounceMaxMs = 0;
  lag.reset();
  return figures;
}

/** Of the one scope that all proxies are in. */
function* truth(): Generator<[string, string, string]> {
  const [view] = engine.views();
  for (const url of sidecarTypes)
    for (const { name, body } of view?.resources(url).values() ?? []) yield [url, name, contentHash(body)];
}

function reply(message: ServerReply): void {
  process.send?.(message);
}

process.on('message', (command: ServerCommand) => {
  switch (command.kind) {
    case 'change': {
      const atMs = machineMs();
      make(command.change);
      reply({ kind: 'changed', changes: [{ n: command.change.n, atMs }] });
      break;
    }
    case 'churn':
      void churn(command);
      break;
    case 'report':
      reply({ kind: 'report', ...report() });
      break;
  }
});
process.on('disconnect', () => process.exit());
reply({ kind: 'ready', address: `${bound.address}:${bound.port}`, port: bound.port });
