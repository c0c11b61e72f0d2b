/**
 * The running pilot as the admin API shows it: plain values, made when somebody asks.
 */

import type { AdminSource, Readiness, ReportFilter } from '../api/admin-source.ts';
import type { DrainPlanner } from '../api/drain-routes.ts';
import type { InspectionSource } from '../api/inspection-source.ts';
import { shortTypeName } from '../core/type-urls.ts';
import { unknownLocality } from '../model/cluster.ts';
import type {
  ClusterReport,
  EndpointReport,
  KindReport,
  ProxyReport,
  ServiceReport,
  VersionReport,
} from '../model/report.ts';
import { ruleId } from '../model/rule.ts';
import type { CatalogService, Endpoint } from '../model/service.ts';
import type { Inventory } from '../registry/inventory.ts';
import type { ClusterRecord } from '../registry/inventory-record.ts';
import type { StreamTypeStatus } from '../xds/view.ts';
import type { Engine } from './engine.ts';
import { clustersetReport } from './mcs/clusterset-report.ts';
import type { Members } from './members/members.ts';
import { profileFindings } from './profile-findings.ts';
import type { Proxy } from './proxies/proxies.ts';
import { proxyTypes } from './proxies/proxy-types.ts';
import type { FleetProgress } from './status/fleet-progress.ts';
import type { ObjectStage } from './status/object-stage.ts';
import type { RuleStatus } from './status/rule-status.ts';

export interface ReportInputs {
  readonly inventory: Inventory;
  readonly engine: Engine;
  readonly ruleStatus: RuleStatus;
  /** What member clusters hold of their own. */
  readonly members: Pick<Members, 'status' | 'findings'>;
  readonly fleet: FleetProgress;
  /** The other kinds of objects. */
  readonly stages: readonly ObjectStage[];
  readonly streamStatus: (streamId: number) => ReadonlyMap<string, StreamTypeStatus>;
  readonly version: string;
  readonly settings: () => Readonly<Record<string, unknown>>;
  readonly readiness: () => Readiness;
  readonly inspection: InspectionSource;
  readonly drainPlan: DrainPlanner;
  /** How the kinds that others define are read. */
  readonly kindReports: () => readonly KindReport[];
}

export function createAdminSource(inputs: ReportInputs): AdminSource {
  const { inventory, engine } = inputs;
  return {
    clusters: () =>
      clusterReports(inventory, engine).map((report) => ({
        ...report,
        findings: [...report.findings, ...inputs.members.findings(report.name)],
      })),
    services: (filter) => selectServices(engine, filter).map((service) => serviceReport(service, engine)),
    endpoints: (filter) =>
      selectServices(engine, withoutName(filter)).flatMap((service) => endpointReports(service, inventory)),
    rules: () => [...inputs.ruleStatus.reports(), ...inputs.members.status.reports()],
    kinds: inputs.stages.map(({ head }) => head),
    objects: (kind) => inputs.stages.find(({ head }) => head.kind === kind)?.reports() ?? [],
    kindReports: inputs.kindReports,
    proxies: () => [...engine.proxies.all()].map((proxy) => proxyReport(proxy, inputs.streamStatus)).sort(byNode),
    configDump: (nodeId) => configDump(engine, nodeId),
    catalog: () =>
      [...engine.catalog.values()].map((service) => ({ ...service, shards: Object.fromEntries(service.shards) })),
    version: (): VersionReport => ({
      version: inputs.version,
      node: process.version,
      ready: engine.ready,
      ...pilotsReport(inputs.fleet),
    }),
    readiness: inputs.readiness,
    settings: inputs.settings,
    inspection: inputs.inspection,
    drainPlan: inputs.drainPlan,
  };
}

function pilotsReport({ name, isShared, peers }: FleetProgress): Pick<VersionReport, 'pilot' | 'peers'> {
  if (!isShared) return {};
  const others = [...peers].map(([pilot, { proxies }]) => ({ pilot, proxies }));
  return { pilot: name, peers: others.sort((a, b) => (a.pilot < b.pilot ? -1 : 1)) };
}

function clusterReports(inventory: Inventory, engine: Engine): ClusterReport[] {
  const noteOf = (origin: string): Pick<ClusterReport, 'profile'> => {
    const profile = inventory.notes.get(origin);
    return profile === undefined ? {} : { profile };
  };
  const proxies = new Map<string, number>();
  for (const { identity } of engine.proxies.all())
    proxies.set(identity.cluster, (proxies.get(identity.cluster) ?? 0) + 1);
  const registered = [...inventory.clusters().values()].map((record) =>
    clusterReport(record, proxies.get(record.info.name) ?? 0, inventory),
  );
  const refused = inventory.refused().map(
    ({ name, origin, sinceMs, problem }): ClusterReport => ({
      name,
      phase: 'refused',
      since: time(sinceMs),
      origin,
      network: '',
      locality: unknownLocality,
      uid: '',
      services: 0,
      endpoints: 0,
      proxies: 0,
      version: '',
      problem,
      findings: [],
      ...noteOf(origin),
      dropped: 0,
    }),
  );
  return [...registered, ...refused].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function clusterReport(record: ClusterRecord, proxies: number, { notes }: Inventory): ClusterReport {
  const { info, state, rotation } = record;
  const profile = notes.get(info.origin);
  return {
    name: info.name,
    phase: state.phase,
    since: time(state.sinceMs),
    origin: info.origin,
    network: info.network,
    locality: info.locality,
    uid: info.uid,
    version: record.version,
    services: record.services.size,
    endpoints: record.endpointCount,
    proxies,
    ...(record.lastNewsMs === undefined ? {} : { lastNews: time(record.lastNewsMs) }),
    ...(state.problem === undefined ? {} : { problem: state.problem }),
    ...(rotation === undefined
      ? {}
      : {
          rotation: {
            phase: rotation.phase,
            since: time(rotation.sinceMs),
            ...(rotation.problem === undefined ? {} : { problem: rotation.problem }),
          },
        }),
    findings: [...record.findings, ...profileFindings(record, notes)],
    ...(profile === undefined ? {} : { profile }),
    dropped: record.droppedTotal,
  };
}

function selectServices(engine: Engine, filter: ReportFilter): CatalogService[] {
  return [...engine.catalog.values(), ...engine.exported.values()]
    .filter(
      (service) =>
        (filter.namespace === undefined || service.namespace === filter.namespace) &&
        (filter.name === undefined || service.name === filter.name) &&
        (filter.cluster === undefined || service.shards.has(filter.cluster)),
    )
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** An endpoint's `name` is not its service's. */
function withoutName({ name: _name, ...rest }: ReportFilter): ReportFilter {
  return rest;
}

export function serviceReport(service: CatalogService, engine: Engine): ServiceReport {
  const endpoints = [...service.shards.values()].flatMap((shard) => shard.endpoints);
  const { rule, catalog = service } = engine.mesh.services.get(service.key) ?? {};
  const clusterset = clustersetReport(catalog);
  return {
    namespace: service.namespace,
    name: service.name,
    headless: service.headless,
    ports: service.ports.map(({ name, port, transport, protocol, clusters }) => ({
      name,
      port,
      transport,
      protocol,
      clusters,
    })),
    clusters: [...service.shards.keys()],
    versions: [...new Set(endpoints.map(({ version }) => version).filter((version) => version !== ''))].sort(),
    endpoints: { ready: endpoints.filter(({ ready }) => ready).length, total: endpoints.length },
    ...(rule === undefined ? {} : { rule: ruleId(rule) }),
    conflicts: service.conflicts,
    ...(clusterset === undefined ? {} : { clusterset }),
    ...(catalog.ownClusterOnly === true ? { ownClusterOnly: true } : {}),
  };
}

function endpointReports(service: CatalogService, inventory: Inventory): EndpointReport[] {
  return [...service.shards].flatMap(([cluster, shard]) => {
    const state = inventory.clusters().get(cluster)?.state;
    const stale = state?.phase === 'stale' ? { staleSince: time(state.sinceMs) } : {};
    return shard.endpoints.map((endpoint) => ({ ...endpointReport(service, endpoint), ...stale }));
  });
}

function endpointReport(service: CatalogService, endpoint: Endpoint): EndpointReport {
  const { address, ports, cluster, network, locality, version, workload, serviceAccount, ready, serving, terminating } =
    endpoint;
  return {
    namespace: service.namespace,
    service: service.name,
    ...(service.clusterset?.names === 'only' ? { clusterset: true as const } : {}),
    address,
    ports: Object.fromEntries(ports),
    cluster,
    network,
    locality,
    version,
    workload,
    serviceAccount,
    ready,
    serving,
    terminating,
  };
}

export function proxyReport(proxy: Proxy, streamStatus: ReportInputs['streamStatus']): ProxyReport {
  return {
    identity: proxy.identity,
    connectedSince: time(proxy.connectedSinceMs),
    peer: proxy.peer,
    transport: proxy.transport,
    types: proxyTypes([...proxy.streams].map(streamStatus)),
    findings: proxy.view.findings(),
  };
}

/** Names and versions by type; the bytes themselves are what the proxy's own /config_dump shows. */
function configDump(engine: Engine, nodeId: string): unknown {
  const proxy = engine.proxies.ofNode(nodeId);
  if (proxy === undefined) return undefined;
  const types = Object.entries(shortTypeName).map(([typeUrl, short]) => [
    short,
    [...proxy.view.resources(typeUrl).values()].map(({ name, version, body }) => ({
      name,
      version,
      bytes: body.length,
    })),
  ]);
  return { node: nodeId, scope: proxy.view.scope, revision: proxy.view.revision, resources: Object.fromEntries(types) };
}

function byNode(a: ProxyReport, b: ProxyReport): number {
  return a.identity.nodeId < b.identity.nodeId ? -1 : 1;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
