/**
 * The stages of a pilot, connected and at rest: what a source says runs through to the proxies and the statuses, and nothing has been started.
 *
 *     inventory ┐
 *     rule set ─┴→ engine → xDS server
 *                    └→ rule statuses, metrics
 */

import { join } from 'node:path';
import type { DrainPlanner } from '../api/drain-routes.ts';
import { createMetrics, type Metrics } from '../api/metrics.ts';
import { systemClock } from '../core/clock.ts';
import { defaultDebounce } from '../core/debounce.ts';
import { eventLoopBusyMs } from '../core/event-loop.ts';
import type { Logger } from '../core/logger.ts';
import { shortTypeName, type TypeUrl } from '../core/type-urls.ts';
import { defaultMeshSettings } from '../model/mesh.ts';
import { Inventory } from '../registry/inventory.ts';
import { FolderLastGoodStore } from '../registry/last-good.ts';
import { RuleSet } from '../rules/rule-set.ts';
import { defaultXdsLimits } from '../xds/limits.ts';
import { XdsServer } from '../xds/server.ts';
import type { PilotConfig } from './config.ts';
import { configModes } from './config-mode.ts';
import { Convergence } from './convergence.ts';
import { planDrain } from './drain-plan.ts';
import { judgeDrain } from './drain-verdicts.ts';
import { Drains } from './drains.ts';
import { egressOf } from './egress.ts';
import { Engine } from './engine.ts';
import type { EngineEvents } from './engine-options.ts';
import { judgeExternal } from './external-verdicts.ts';
import { Externals } from './externals.ts';
import { FleetProgress } from './fleet-progress.ts';
import { GatewayRoutes } from './gateway-routes.ts';
import { IdleMemory } from './idle-memory.ts';
import { IstioRules } from './istio-rules.ts';
import { KnownGrants } from './known-grants.ts';
import { Clustersets, clusterWords } from './mcs-clustersets.ts';
import { McsNames } from './mcs-names.ts';
import { MemberRules, memberOfSource } from './member-rules.ts';
import { assembleMembers, type Members } from './members.ts';
import { ObjectRouter } from './object-router.ts';
import { KindStage, type ObjectStage } from './object-stage.ts';
import { PermittedRules } from './permitted-rules.ts';
import { judgePolicy, policyObjects } from './policies.ts';
import type { LivePreviewInputs } from './preview/live.ts';
import { primaryOf } from './primary.ts';
import { RuleInputs } from './rule-inputs.ts';
import { RuleMemory } from './rule-memory.ts';
import { RuleStatus } from './rule-status.ts';
import { RulesInForce } from './rules-in-force.ts';
import { defaultStandards, otherStandardStages } from './standards.ts';
import { readProtos } from './warm-up.ts';

export interface Assembly {
  readonly inventory: Inventory;
  readonly rules: RuleSet;
  readonly inForce: RulesInForce;
  /** The other kinds of objects. */
  readonly stages: readonly ObjectStage[];
  readonly inputs: RuleInputs;
  readonly engine: Engine;
  readonly drainPlan: DrainPlanner;
  /** The sets of kinds that previews compare, besides rules. */
  readonly others: LivePreviewInputs['others'];
  readonly ruleStatus: RuleStatus;
  readonly fleet: FleetProgress;
  readonly xds: XdsServer;
  readonly metrics: Metrics;
  readonly idleMemory: IdleMemory;
  readonly members: Members;
  readonly clustersets: Clustersets;
}

/** Throws FW-CLUSTER-016 when the state folder cannot be used. */
export function assemble(config: PilotConfig, logger: Logger, version: string): Assembly {
  const clock = systemClock;
  const metrics = createMetrics();
  const inventory = createInventory(config, logger);
  const rules = new RuleSet(logger);
  const externals = new Externals({ logger, clusterDomain: config.clusterDomain });
  const policies = policyObjects(logger);
  const { standards = defaultStandards } = config;
  const fleet = new FleetProgress(logger, () => engine.proxies.size);
  const gateway = new GatewayRoutes({
    find: (key) => engine.catalog.get(key),
    settings: { detectProtocols: config.detectProtocols === true, merging: config.services ?? 'all' },
    stages: { standards, logger, clock, fleet },
    trafficRules: rules.winners,
    progress: (rule) => engine.reach.ofRule(rule),
    hasExplicit: () => engine.reach.hasMode('explicit'),
    changed: () => engine.externalsChanged(),
    granted: (namespace) => regranted(namespace),
  });
  const grants = new KnownGrants(gateway.permits);
  const { permits } = grants;
  const permitted: PermittedRules = new PermittedRules(rules.winners, permits);
  const istio = new IstioRules({
    ports: (key) => engine.catalog.get(key)?.ports.map(({ port }) => port),
    clusterDomain: config.clusterDomain,
    stages: { standards, logger, clock, fleet },
    before: [rules.winners, gateway.rules],
    progress: (rule) => engine.reach.ofRule(rule),
    externals: externals.objects,
    judgeExternal: (record) => judgeExternal(record, { externals, engine, clusters }),
    changed: () => engine.externalsChanged(),
  });
  const inForce = new RulesInForce([permitted, gateway.rules, istio.rules]);
  const memberRules: MemberRules = new MemberRules({ logger, primary: inForce.table, permits });
  const regranted = (namespace?: string): void => {
    permitted.granted(namespace);
    memberRules.granted(namespace);
    engine.externalsChanged();
  };
  const drains = new Drains({ logger, clock, due: () => engine.drainDue() });
  const idleMemory = new IdleMemory(clock);
  const clustersets = new Clustersets(() => clusterWords(inventory.clusters()));
  const touch = (): void => {
    ruleStatus.touch();
    members.status.touch();
    for (const stage of stages) stage.touch();
  };
  const engine: Engine = new Engine({
    clock,
    logger,
    settings: {
      ...defaultMeshSettings,
      outbound: config.outbound,
      clusterDomain: config.clusterDomain,
      accessLog: config.accessLog,
      detectProtocols: config.detectProtocols === true,
      ...(config.systemCaFile === undefined ? {} : { systemCaFile: config.systemCaFile }),
      ...(config.proxyMark === undefined ? {} : { proxyMark: config.proxyMark }),
    },
    debounce: defaultDebounce,
    busyMs: eventLoopBusyMs,
    shards: (key) => clustersets.see(key, inventory.shards(key)),
    names: new McsNames(clustersets, config.services ?? 'all'),
    rules: inForce.table,
    carrier(rule, holder) {
      const form = permitted.formOf(rule);
      return holder === '' ? inForce.carrier(form) : form;
    },
    memberRules: memberRules.table,
    configMode: configModes(() => inventory.clusters(), config.mode, logger),
    localityOf: (cluster) => inventory.clusters().get(cluster)?.info.locality,
    egress: egressOf(() => inventory.clusters(), logger),
    externals,
    derivedRules(changed) {
      const services = gateway.update(changed).union(istio.update(changed)).union(permitted.takeChanged());
      inForce.changed(services);
      memberRules.primaryChanged(services);
      return services;
    },
    drains,
    events: observe(metrics, idleMemory, touch),
  });
  const clusters = (): ReadonlySet<string> => new Set(inventory.clusters().keys());
  const ruleStatus: RuleStatus = new RuleStatus({ clock, rules, engine, clusters, fleet, permits });
  const externalVerdicts = { externals, engine, clusters };
  const isPrimary = (cluster: string): boolean => cluster === primaryOf(config);
  const policyVerdicts = { objects: policies, grants: () => memberRules.grants, engine, clusters, isPrimary };
  const drainVerdicts = { drains, engine, clusters, nowMs: clock.now };
  const ownStages: readonly ObjectStage[] = [
    new KindStage(externals.objects, (record) => judgeExternal(record, externalVerdicts), clock, fleet),
    new KindStage(policies, (record) => judgePolicy(record, policyVerdicts), clock, fleet),
    new KindStage(drains.objects, (record) => judgeDrain(record, drainVerdicts), clock, fleet),
    ...gateway.stages,
    ...istio.stages,
  ];
  const stages: readonly ObjectStage[] = [
    ...ownStages,
    ...otherStandardStages(ownStages, { standards, logger, clock, fleet }),
  ];
  const limits = { ...defaultXdsLimits, identifier: `fairway ${version}` };
  const xds = new XdsServer({ host: engine, clock, logger, limits });
  connectStages({ inventory, rules, inForce, engine, ruleStatus, xds, stages });
  const byKind = new Map(stages.map(({ head, objects }) => [head.kind, objects]));
  const targets = new ObjectRouter(byKind, rules, {
    target: memberRules,
    isSource: (name) => memberOfSource(name) !== undefined,
  });
  const inputs = new RuleInputs(targets, logger, createRuleMemory(config, logger));
  grants.follow(inputs, () => regranted());
  const members: Members = assembleMembers({
    memberRules,
    policies,
    rules,
    inputs,
    engine,
    inventory,
    clock,
    clusters,
    isPrimary,
    fleet,
    permits,
  });
  const drainPlan: DrainPlanner = (wish) =>
    planDrain(wish, { engine, drains, rules: inForce.table, memberRules: memberRules.table, clusters });
  return {
    inventory,
    rules,
    inForce,
    stages,
    inputs,
    engine,
    drainPlan,
    others: { externals: externals.objects, drains: drains.objects, policies, memberRules, gateway, istio, permitted },
    ruleStatus,
    fleet,
    xds,
    metrics,
    idleMemory,
    members,
    clustersets,
  };
}

/** News runs from the inventory and the rule set through the engine to the proxies, and touches the rules' statuses. */
export function connectStages({
  inventory,
  rules,
  inForce,
  engine,
  ruleStatus,
  xds,
  stages = [],
}: Pick<Assembly, 'inventory' | 'rules' | 'engine' | 'ruleStatus' | 'xds'> &
  Partial<Pick<Assembly, 'stages' | 'inForce'>>): void {
  readProtos();
  engine.attach({
    changed: (view, changes) => xds.changed(view, changes),
    reassign: (id, view) => xds.reassign(id, view),
    status: (id) => xds.status(id) ?? new Map(),
    ackedFloor: (id, types) => xds.ackedFloor(id, types),
    work: (job) => xds.work(job),
  });
  inventory.onChange(({ cluster, services, namespaces, stateChanged }) => {
    engine.shardsChanged(services);
    engine.namespacesChanged(cluster, namespaces);
    if (!stateChanged) return;
    engine.placesChanged();
    engine.clusterIdsChanged();
    ruleStatus.touch();
    for (const stage of stages) stage.touch();
  });
  rules.onChange(({ services }) => {
    inForce?.changed(services);
    engine.rulesChanged(services);
    ruleStatus.touch();
  });
  for (const stage of stages) {
    stage.objects.onChange(() => {
      if (stage.head.statusShape === undefined) engine.externalsChanged();
      stage.touch();
    });
  }
}

function createInventory({ syncWaitMs, staleKeepMs, stateDir }: PilotConfig, logger: Logger): Inventory {
  const clock = systemClock;
  const settings = { initialWaitMs: syncWaitMs, ...(staleKeepMs === undefined ? {} : { staleKeepMs }) };
  if (stateDir === undefined) return new Inventory({ clock, logger, settings });
  return new Inventory({
    clock,
    logger,
    settings,
    lastGood: new FolderLastGoodStore({ folder: stateDir, clock, logger }),
  });
}

function createRuleMemory({ stateDir }: PilotConfig, logger: Logger): RuleMemory | undefined {
  if (stateDir === undefined) return undefined;
  return new RuleMemory({ folder: join(stateDir, 'rules'), clock: systemClock, logger });
}

/** What the engine does, measured; and `touch` called for whatever a rule's status may depend on. */
function observe(metrics: Metrics, idleMemory: IdleMemory, touch: () => void): EngineEvents {
  const convergence = new Convergence(() => systemClock.monotonic(), metrics.converged);
  return {
    batch({ services, waitedMs, tookMs }) {
      metrics.debounced(waitedMs);
      if (services.size > 0) convergence.changed(waitedMs + tookMs);
      touch();
      idleMemory.worked();
    },
    connected() {
      touch();
      idleMemory.worked();
    },
    disconnected(streamId) {
      convergence.gone(streamId);
      touch();
      idleMemory.worked();
    },
    progress({ kind, streamId, typeUrl }) {
      idleMemory.worked();
      const type = shortTypeName[typeUrl as TypeUrl] ?? 'other';
      if (kind === 'sent') {
        metrics.pushed(type, convergence.sent(streamId, typeUrl));
        return;
      }
      if (kind === 'nacked') metrics.nacked(type);
      convergence.answered(streamId, typeUrl);
      touch();
    },
  };
}
