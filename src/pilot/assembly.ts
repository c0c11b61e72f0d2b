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
import { type Clock, systemClock } from '../core/clock.ts';
import { defaultDebounce } from '../core/debounce.ts';
import { eventLoopBusyMs } from '../core/event-loop.ts';
import type { Logger } from '../core/logger.ts';
import { shortTypeName, type TypeUrl } from '../core/type-urls.ts';
import { defaultMeshSettings } from '../model/mesh.ts';
import { Inventory } from '../registry/inventory.ts';
import { FolderLastGoodStore } from '../registry/last-good.ts';
import { RuleSet } from '../rules/traffic-rule/rule-set.ts';
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
import { IdleMemory } from './idle-memory.ts';
import { Clustersets, clusterWords } from './mcs/clustersets.ts';
import { McsNames } from './mcs/names.ts';
import { KnownGrants } from './members/known-grants.ts';
import { MemberRules, memberOfSource } from './members/member-rules.ts';
import { assembleMembers, type Members } from './members/members.ts';
import { judgePolicy, policyObjects } from './members/policies.ts';
import type { LivePreviewInputs } from './preview/live.ts';
import { primaryOf } from './primary.ts';
import { ObjectRouter } from './rules/object-router.ts';
import { PermittedRules } from './rules/permitted-rules.ts';
import { RuleInputs } from './rules/rule-inputs.ts';
import { RuleMemory } from './rules/rule-memory.ts';
import { RulesInForce } from './rules/rules-in-force.ts';
import { GatewayRoutes } from './standards/gateway-routes.ts';
import { IstioRules } from './standards/istio-rules.ts';
import { defaultStandards, otherStandardStages } from './standards/standards.ts';
import { FleetProgress } from './status/fleet-progress.ts';
import { KindStage, type ObjectStage } from './status/object-stage.ts';
import { grantsLink, RuleStatus } from './status/rule-status.ts';
import { TouchedStatuses } from './status/touched-statuses.ts';
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
export function assemble(config: PilotConfig, logger: Logger, version: string, clock: Clock = systemClock): Assembly {
  const metrics = createMetrics();
  const inventory = createInventory(config, logger, clock);
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
    if (namespace === undefined) touched.all();
    else touched.note([grantsLink(namespace)]);
    permitted.granted(namespace);
    memberRules.granted(namespace);
    engine.externalsChanged();
  };
  const drains = new Drains({ logger, clock, due: () => engine.drainDue() });
  const idleMemory = new IdleMemory(clock);
  const clustersets = new Clustersets(() => clusterWords(inventory.clusters()));
  const touched: TouchedStatuses = new TouchedStatuses({
    keepers: () => [ruleStatus, members.status, ...stages],
    takeApart: () => engine.proxies.takeApart(),
    serviceOf: (key) => engine.mesh.services.get(key)?.catalog,
  });
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
      touched.note(gateway.takeCompiled());
      touched.note(istio.takeMoved());
      touched.note(externals.takeJudged());
      return services;
    },
    drains,
    events: observe(clock, metrics, idleMemory, touched),
  });
  const clusters = (): ReadonlySet<string> => new Set(inventory.clusters().keys());
  const ruleStatus: RuleStatus = new RuleStatus({ clock, rules, engine, clusters, fleet, permits });
  const externalVerdicts = { externals, engine, clusters };
  const isPrimary = (cluster: string): boolean => cluster === primaryOf(config);
  const policyVerdicts = { objects: policies, grants: () => memberRules.grants, engine, clusters, isPrimary };
  const drainVerdicts = { drains, engine, clusters, nowMs: clock.now };
  const ownStages: readonly ObjectStage[] = [
    new KindStage(
      externals.objects,
      (record) => judgeExternal(record, externalVerdicts),
      clock,
      fleet,
      // What it is among the others is looked at under its own name.
      ({ key }) => [key],
    ),
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
  const inputs = new RuleInputs(targets, logger, createRuleMemory(config, logger, clock));
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
    touched: (services) => touched.note(services),
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
    opened: () => xds.opened(),
    changed: (view, changes) => xds.changed(view, changes),
    reassign: (id, view) => xds.reassign(id, view),
    status: (id) => xds.status(id) ?? new Map(),
    ackedFloor: (id, types) => xds.ackedFloor(id, types),
    work: (job) => xds.work(job),
  });
  let clusters = '';
  inventory.onChange(({ cluster, services, namespaces, stateChanged }) => {
    engine.shardsChanged(services);
    engine.namespacesChanged(cluster, namespaces);
    if (!stateChanged) return;
    engine.placesChanged();
    engine.clusterIdsChanged();
    // Statuses go by which clusters there are, not by how these are.
    const names = [...inventory.clusters().keys()].sort().join();
    if (names === clusters) return;
    clusters = names;
    for (const keeper of [ruleStatus, ...stages]) keeper.touch();
  });
  rules.onChange(({ services, records }) => {
    inForce?.changed(services);
    engine.rulesChanged(services);
    ruleStatus.touchRecords(records);
  });
  for (const stage of stages) {
    stage.objects.onChange((key) => {
      if (stage.head.statusShape === undefined) engine.externalsChanged();
      stage.touchRecords([key]);
    });
  }
}

function createInventory({ syncWaitMs, staleKeepMs, stateDir }: PilotConfig, logger: Logger, clock: Clock): Inventory {
  const settings = { initialWaitMs: syncWaitMs, ...(staleKeepMs === undefined ? {} : { staleKeepMs }) };
  if (stateDir === undefined) return new Inventory({ clock, logger, settings });
  return new Inventory({
    clock,
    logger,
    settings,
    lastGood: new FolderLastGoodStore({ folder: stateDir, clock, logger }),
  });
}

function createRuleMemory({ stateDir }: PilotConfig, logger: Logger, clock: Clock): RuleMemory | undefined {
  if (stateDir === undefined) return undefined;
  return new RuleMemory({ folder: join(stateDir, 'rules'), clock, logger });
}

/** What the engine does, measured; and `touched` told of whatever a status may depend on. */
function observe(clock: Clock, metrics: Metrics, idleMemory: IdleMemory, touched: TouchedStatuses): EngineEvents {
  const convergence = new Convergence(() => clock.monotonic(), metrics.converged);
  return {
    batch({ services, looked, waitedMs, tookMs }) {
      metrics.debounced(waitedMs);
      if (services.size > 0) convergence.changed(waitedMs + tookMs);
      touched.batch(services, looked);
      idleMemory.worked();
    },
    connected() {
      touched.all();
      idleMemory.worked();
    },
    disconnected(streamId) {
      convergence.gone(streamId);
      touched.all();
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
      if (kind === 'nacked') touched.all();
      else touched.acknowledged();
    },
  };
}
