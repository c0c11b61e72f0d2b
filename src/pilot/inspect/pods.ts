/** A pod as `fairway describe pod` shows it: what clusters say of it, and its proxy. */

import { fittingSources } from '../../envoy/sources.ts';
import type { PodDescription, PodProxy, PodService, PodWorkload, SourceRule } from '../../model/inspection.ts';
import type { MeshService } from '../../model/mesh.ts';
import { ruleId } from '../../model/rule.ts';
import type { CatalogService, Endpoint } from '../../model/service.ts';
import { externalOfForm } from '../external-history.ts';
import { type Proxy, ruleForm } from '../proxies/proxies.ts';
import { proxyReport } from '../reports.ts';
import { type InspectInputs, isoTime } from './inputs.ts';

/** Rules for the requests of certain proxies; the rest is counted. */
const sourceRulesMax = 100;

export function describePod(inputs: InspectInputs, namespace: string, name: string): PodDescription | undefined {
  const { engine } = inputs;
  const workloads = podWorkloads(inputs, namespace, name);
  const proxies = [...engine.proxies.all()]
    .filter(({ identity }) => identity.namespace === namespace && identity.workload === name)
    .map((proxy) => podProxy(proxy, inputs))
    .sort((a, b) => (a.identity.nodeId < b.identity.nodeId ? -1 : 1));
  return workloads.length + proxies.length === 0 ? undefined : { namespace, name, workloads, proxies };
}

interface Seen {
  readonly endpoint: Endpoint;
  readonly addresses: Set<string>;
  readonly services: PodService[];
}

/** A pod stands behind services of its own namespace alone. */
function podWorkloads({ engine }: InspectInputs, namespace: string, name: string): PodWorkload[] {
  const byCluster = new Map<string, Seen>();
  for (const service of engine.catalog.values()) {
    if (service.namespace !== namespace) continue;
    for (const [cluster, { endpoints }] of service.shards) {
      const own = endpoints.filter(({ workload }) => workload === name);
      const [endpoint] = own;
      if (endpoint === undefined) continue;
      let seen = byCluster.get(cluster);
      if (seen === undefined) byCluster.set(cluster, (seen = { endpoint, addresses: new Set(), services: [] }));
      for (const { address } of own) seen.addresses.add(address);
      seen.services.push(podService(service, endpoint, engine.meshOf(cluster).services.get(service.key)));
    }
  }
  return [...byCluster].sort(([a], [b]) => (a < b ? -1 : 1)).map(([cluster, seen]) => podWorkload(cluster, seen));
}

function podWorkload(cluster: string, { endpoint, addresses, services }: Seen): PodWorkload {
  const { node, version, serviceAccount, locality, labels, ready, serving, terminating } = endpoint;
  return {
    cluster,
    addresses: [...addresses].sort(),
    node,
    version,
    serviceAccount,
    locality,
    labels,
    ready,
    serving,
    terminating,
    services: services.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function podService(service: CatalogService, endpoint: Endpoint, compiled: MeshService | undefined): PodService {
  const { namespace, name, shards } = service;
  const ports = (shards.get(endpoint.cluster)?.ports ?? []).flatMap(({ name: port, port: number, protocol }) => {
    const targetPort = endpoint.ports.get(port);
    return targetPort === undefined ? [] : [{ name: port, port: number, targetPort, protocol }];
  });
  return { namespace, name, ports, ...(compiled?.rule === undefined ? {} : { rule: ruleId(compiled.rule) }) };
}

function podProxy(proxy: Proxy, inputs: InspectInputs): PodProxy {
  const { quarantine, view } = proxy;
  const { scope } = view;
  const rules = sourceRules(proxy, inputs);
  return {
    ...proxyReport(proxy, inputs.streamStatus),
    config: scope.routes === 'on-demand' ? 'on-demand' : 'eager',
    interception: scope.mode,
    inbound: scope.inbound,
    setAside: setAside(inputs, quarantine),
    sourceRules: rules.slice(0, sourceRulesMax),
    sourceRulesOmitted: Math.max(0, rules.length - sourceRulesMax),
  };
}

function setAside({ rules }: InspectInputs, quarantine: Proxy['quarantine']): PodProxy['setAside'] {
  if (quarantine.rejected.size === 0) return [];
  const ofRules = rules.records().flatMap(({ lastGood }) => {
    const form = lastGood === undefined ? '' : ruleForm(lastGood);
    const error = quarantine.rejected.get(form);
    const sinceMs = quarantine.sinceMs(form);
    if (lastGood === undefined || error === undefined) return [];
    return [{ rule: ruleId(lastGood.ref), ...(sinceMs === undefined ? {} : { since: isoTime(sinceMs) }), error }];
  });
  const outside = [...quarantine.rejected].flatMap(([form, error]) => {
    const rule = externalOfForm(form);
    const sinceMs = quarantine.sinceMs(form);
    return rule === undefined ? [] : [{ rule, ...(sinceMs === undefined ? {} : { since: isoTime(sinceMs) }), error }];
  });
  return [...ofRules, ...outside];
}

function sourceRules({ view }: Proxy, { engine }: InspectInputs): SourceRule[] {
  const found: SourceRule[] = [];
  for (const service of engine.meshOf(view.scope.cluster).services.values()) {
    const { rule, routes, asks, catalog } = service;
    if (rule === undefined || asks?.sources !== true) continue;
    const fits = fittingSources(service, view.scope);
    let at = 0;
    const names = routes
      .filter(({ matches }) => matches.filter(({ source }) => source !== undefined && fits[at++] === '1').length > 0)
      .map(({ name }) => name);
    if (names.length > 0) found.push({ rule: ruleId(rule), service: catalog.key, routes: names });
  }
  return found.sort((a, b) => (a.rule < b.rule ? -1 : 1));
}
