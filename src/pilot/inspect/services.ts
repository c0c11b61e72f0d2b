/** A service as `fairway describe service` shows it: what applies to it, who reports it, and where its requests go. */

import { serviceHost } from '../../envoy/names.ts';
import { countChain, endpointsOf } from '../../mesh/rule-findings.ts';
import { serviceFindings } from '../../mesh/service-findings.ts';
import { clustersetKey, exportedKey } from '../../model/clusterset.ts';
import type {
  DescribedRoute,
  EndpointGroup,
  ReportingCluster,
  RouteTarget,
  ServiceDescription,
} from '../../model/inspection.ts';
import type { MeshService } from '../../model/mesh.ts';
import { destinationName, type OtherService, type RuleRoute } from '../../model/rule.ts';
import { type CatalogService, type Endpoint, type ServiceShard, serviceKey } from '../../model/service.ts';
import { isInForce } from '../../rules/traffic-rule/conditions.ts';
import { serviceReport } from '../reports.ts';
import { expectedByCluster } from './expected-shares.ts';
import { findingsOfExports } from './export-findings.ts';
import { findingsInForce } from './findings.ts';
import { type InspectInputs, isoTime } from './inputs.ts';

export function describeService(
  inputs: InspectInputs,
  namespace: string,
  name: string,
): ServiceDescription | undefined {
  const { engine } = inputs;
  const key = serviceKey(namespace, name);
  const service = engine.catalog.get(key);
  const description = service && describe(inputs, service);
  if (description === undefined) return undefined;
  const exported = engine.exported.get(clustersetKey(key));
  const clusterset = exported && describe(inputs, exported);
  return clusterset === undefined ? description : { ...description, clusterset };
}

function describe(inputs: InspectInputs, service: CatalogService): ServiceDescription | undefined {
  const { engine, rules, ruleStatus, members } = inputs;
  const { namespace, name } = service;
  const compiled = engine.mesh.services.get(service.key);
  if (compiled === undefined) return undefined;
  const { headless, ports, conflicts, clusterset, ownClusterOnly } = serviceReport(service, engine);
  // Rules stand under the name that both parts have.
  const key = exportedKey(service.key);
  const records = rules.recordsOf(key);
  const winner = records.find(isInForce);
  const [rule] = winner === undefined ? [] : ruleStatus.reports([winner]);
  const { policy } = compiled;
  const inForce = engine.ruleInForce(key);
  return {
    namespace,
    name,
    host: serviceHost(service, engine.mesh.settings.clusterDomain),
    headless,
    ports,
    clusters: [...service.shards.values()].map((shard) => reportingCluster(shard, inputs)),
    ...(rule === undefined ? {} : { rule }),
    // The names of rules that are made of other objects hold what no object's name holds.
    ...(inForce?.ref.name.includes(':') === true ? { routedBy: inForce.origin } : {}),
    otherRules: [
      ...ruleStatus.reports(records.filter((record) => record !== winner)),
      ...(members?.status.reports() ?? []).filter(({ service: of }) => of === key),
    ],
    routes: compiled.routes.map((route) => ({
      ...describeRoute(route, compiled),
      expected: expectedByCluster(route, compiled, inputs.inventory.clusters().values()),
    })),
    ...(policy === undefined ? {} : { policy }),
    endpoints: endpointGroups(service),
    conflicts,
    findings: [
      ...(rule?.findings ?? []),
      ...(winner === undefined ? [] : findingsInForce(winner, inputs)),
      ...serviceFindings(service),
      ...findingsOfExports(service, inputs),
    ],
    ...(clusterset === undefined ? {} : { exported: clusterset }),
    ...(ownClusterOnly === undefined ? {} : { ownClusterOnly }),
  };
}

function reportingCluster({ cluster, vips, endpoints }: ServiceShard, { inventory }: InspectInputs): ReportingCluster {
  const record = inventory.clusters().get(cluster);
  const state = record?.state;
  const ready = endpoints.filter((endpoint) => endpoint.ready).length;
  return {
    name: cluster,
    phase: state?.phase ?? 'stale',
    since: isoTime(state?.sinceMs ?? 0),
    ...(record?.lastNewsMs === undefined ? {} : { lastNews: isoTime(record.lastNewsMs) }),
    addresses: vips,
    ready,
    total: endpoints.length,
  };
}

function describeRoute(
  { name, matches, redirect, respond, backends }: RuleRoute,
  service: MeshService,
): Omit<DescribedRoute, 'expected'> {
  const answers = redirect !== undefined ? 'redirect' : respond === undefined ? undefined : `answer ${respond.status}`;
  return { name, matches, ...(answers === undefined ? {} : { answers }), targets: routeTargets(backends, service) };
}

function routeTargets(backends: RuleRoute['backends'], { catalog }: MeshService): RouteTarget[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const endpoints = endpointsOf(catalog);
  return backends.map(({ weight, chain, service, refused }) => ({
    percent: total === 0 ? 0 : (100 * weight) / total,
    ...(service === undefined ? {} : { service: otherText(service) }),
    ...(refused === undefined ? {} : { refused }),
    chain: countChain(chain, service === undefined ? endpoints : []).map(({ destination, ready, total: all }) => ({
      destination: destinationName(destination),
      ready,
      total: all,
    })),
  }));
}

function otherText({ name, namespace, host, port }: OtherService): string {
  return `${host ?? `${name}.${namespace}`}${port === undefined ? '' : `:${port}`}`;
}

function endpointGroups(service: CatalogService): EndpointGroup[] {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of endpointsOf(service)) {
    const { version, cluster, locality } = endpoint;
    const id = JSON.stringify([version, cluster, locality.region, locality.zone]);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [endpoint]);
    else group.push(endpoint);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, endpoints]) => groupOf(endpoints));
}

function groupOf(endpoints: readonly Endpoint[]): EndpointGroup[] {
  const [first] = endpoints;
  if (first === undefined) return [];
  const { version, cluster, locality } = first;
  const count = (isIt: (endpoint: Endpoint) => boolean): number => endpoints.filter(isIt).length;
  return [
    {
      version,
      cluster,
      region: locality.region,
      zone: locality.zone,
      ready: count(({ ready }) => ready),
      notReady: count(({ ready, terminating }) => !ready && !terminating),
      draining: count(({ ready, terminating, serving }) => !ready && terminating && serving),
      terminating: count(({ ready, terminating, serving }) => !ready && terminating && !serving),
    },
  ];
}
