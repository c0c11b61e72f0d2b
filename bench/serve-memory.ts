/**
 * The pilot under test, in a process of its own (`ServerSettings` as its argument): the inventory, the rule set, the engine, its metrics and
 * the xDS server are the real ones, wired as src/pilot/start.ts wires them; only the source is a cluster in memory, so that what is measured
 * is the pilot's own way from a change to the proxies. Changes come over IPC.
 */

// As `fairway serve` does: before the pilot is loaded.
import './load/young.ts';

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMetrics } from '../src/api/metrics.ts';
import { systemClock } from '../src/core/clock.ts';
import { defaultDebounce } from '../src/core/debounce.ts';
import { eventLoopBusyMs } from '../src/core/event-loop.ts';
import { silentLogger } from '../src/core/logger.ts';
import { shortTypeName, type TypeUrl } from '../src/core/type-urls.ts';
import { defaultMeshSettings } from '../src/model/mesh.ts';
import { connectStages } from '../src/pilot/assembly.ts';
import { Convergence } from '../src/pilot/convergence.ts';
import { Engine } from '../src/pilot/engine.ts';
import { IdleMemory } from '../src/pilot/idle-memory.ts';
import { RuleStatus } from '../src/pilot/status/rule-status.ts';
import { Inventory } from '../src/registry/inventory.ts';
import { MemoryCluster } from '../src/registry/memory/memory-cluster.ts';
import { RuleSet } from '../src/rules/traffic-rule/rule-set.ts';
import { defaultXdsLimits } from '../src/xds/limits.ts';
import { XdsServer } from '../src/xds/server.ts';
import { machineMs } from './load/marks.ts';
import type {
  NumberedChange,
  OnDemandProxy,
  ServerCommand,
  ServerMemory,
  ServerReply,
  ServerReport,
  ServerSettings,
} from './load/messages.ts';
import {
  changedShard,
  clusterName,
  namespace,
  serviceCount,
  syntheticRule,
  syntheticShards,
} from './load/synthetic-mesh.ts';
import { eagerState, onDemandState } from './load/truth.ts';

const { mesh, port, changes, accessLog } = JSON.parse(process.argv[2] ?? '') as ServerSettings;
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
  settings: { ...defaultMeshSettings, accessLog },
  debounce: defaultDebounce,
  busyMs: eventLoopBusyMs,
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

const clusters = new Map<string, MemoryCluster>();
for (let at = 0; at < (mesh.clusters ?? 1); at++) {
  const name = clusterName(at, mesh.clusters ?? 1);
  const cluster = new MemoryCluster({ clock, info: { name } });
  cluster.putNamespace({ cluster: name, name: namespace, labels: {} });
  clusters.set(name, cluster);
}
for (const shard of syntheticShards(mesh)) clusters.get(shard.cluster)?.putService(shard);
for (const change of changes) make(change);
for (const [name, { info, start }] of clusters) inventory.add(name, info.origin, start);
await inventory.whenSettled();
const bound = await xds.listen(`127.0.0.1:${port}`);
engine.open();
lag.enable();

function make({ kind, n, service }: NumberedChange): void {
  if (kind === 'endpoint') {
    const shard = changedShard(mesh, { service, n });
    clusters.get(shard.cluster)?.putService(shard);
  } else {
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
    make({ kind: 'endpoint', n: firstN + at, service: (firstN + at) % serviceCount(mesh) });
    made.push({ n: firstN + at, atMs: dueMs });
  }
  reply({ kind: 'changed', changes: made });
}

function report(): ServerReport {
  const beyondMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - lagResolutionMs);
  const { counters } = xds;
  const figures = {
    states: truth(),
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

/** Node has no other way to ask for it while it runs. */
function collectedMemory(): ServerMemory {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What a first pass lets go of may have held other things.
  for (let pass = 0; pass < 3; pass++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heldBytes: heapUsed + external, residentBytes: rss };
}

/** What the proxies of a cluster hold, all of which are in one scope; of those on demand each holds something else (`expected`). */
function truth(): ReadonlyMap<string, string> {
  const states = new Map<string, string>();
  for (const view of engine.views())
    if (view.users > 0 && view.scope.routes !== 'on-demand') states.set(view.scope.cluster, eagerState(view));
  return states;
}

/** What these proxies are to hold, by what they asked for. */
function expected(proxies: readonly OnDemandProxy[]): readonly string[] {
  const views = new Map([...engine.views()].filter(({ users }) => users > 0).map((view) => [view.scope.cluster, view]));
  return proxies.map((proxy) => {
    const view = views.get(proxy.cluster);
    return view === undefined ? 'nothing' : onDemandState(view, proxy);
  });
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
    case 'expect':
      reply({ kind: 'expected', states: expected(command.proxies) });
      break;
    case 'memory':
      reply({ kind: 'memory', ...collectedMemory() });
      break;
    case 'report':
      reply({ kind: 'report', ...report() });
      break;
  }
});
process.on('disconnect', () => process.exit());
reply({ kind: 'ready', address: `${bound.address}:${bound.port}`, port: bound.port });
