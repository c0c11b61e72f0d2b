/**
 * Explicit mode: the hosts of a headless service's single workloads (`pod-0.db.shop`), each with an Envoy cluster of its own, so that a request
 * reaches that very workload in whichever cluster it runs.
 *
 * In: the service and the proxy's cluster. Which workload a name means where several clusters have one of it: that of the proxy's own cluster,
 * else the one in the cluster that sorts first; `pod-0.west.db.shop.svc` always means the one in west. Bound: the first `podHostsMax` workloads
 * by cluster and name, and only workloads with a hostname (those of StatefulSets have one).
 */

import type { Finding } from '../core/errors.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import { clustersetDomain, type MeshService, type MeshSettings } from '../model/mesh.ts';
import type { CatalogPort, CatalogService, Endpoint } from '../model/service.ts';
import { encodeAssignment } from './assignment-bytes.ts';
import { weighsLocalities } from './cluster-balancing.ts';
import { policyFields } from './cluster-policy.ts';
import { overAds } from './common.ts';
import { mayReach } from './locality-levels.ts';
import { httpProxy, serviceHost } from './names.ts';
import { encodeResource, type Plain } from './proto/encode.ts';
import { connectUpgrade, isHttp, notHttp, type VirtualHostPart, virtualHostPart } from './virtual-hosts.ts';

export const podHostsMax = 256;

export interface PodHosts {
  readonly hosts: readonly VirtualHostPart[];
  readonly clusters: readonly EncodedResource[];
  readonly assignments: readonly EncodedResource[];
  /** Workloads over the bound. */
  readonly dropped: number;
}

interface Pod {
  readonly cluster: string;
  readonly hostname: string;
  readonly endpoints: readonly Endpoint[];
}

export function explicitPodHosts(service: MeshService, ownCluster: string, settings: MeshSettings): PodHosts {
  const { catalog } = service;
  const all = podsOf(catalog).filter(({ cluster }) => catalog.ownClusterOnly !== true || cluster === ownCluster);
  const pods = all.slice(0, podHostsMax);
  const meant = meantBy(pods, ownCluster);
  const hosts: VirtualHostPart[] = [];
  const clusters: EncodedResource[] = [];
  const assignments: EncodedResource[] = [];
  for (const port of catalog.ports.filter(({ transport }) => transport === 'TCP')) {
    for (const pod of pods) {
      const host = `${pod.hostname}.${pod.cluster}.${serviceHost(catalog, settings.clusterDomain)}`;
      const name = `outbound|${port.port}||${host}`;
      const value = podCluster(name, service, port, host, settings);
      clusters.push(encodeResource(typeUrl.cluster, name, value));
      assignments.push(podAssignment(name, pod, port, service, settings));
      const names = namesOf(pod, meant.get(pod.hostname) === pod, catalog, settings);
      hosts.push(podHost(host, name, names, port, catalog, settings));
    }
  }
  return { hosts, clusters, assignments, dropped: all.length - pods.length };
}

/** Sorted by cluster, then hostname. */
function podsOf(catalog: CatalogService): Pod[] {
  return [...catalog.shards].flatMap(([cluster, { endpoints }]) => {
    const named = endpoints.filter(({ hostname }) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(hostname));
    return [...Map.groupBy(named, ({ hostname }) => hostname)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([hostname, group]) => ({ cluster, hostname, endpoints: group }));
  });
}

function meantBy(pods: readonly Pod[], ownCluster: string): ReadonlyMap<string, Pod> {
  const meant = new Map<string, Pod>();
  for (const pod of pods) if (!meant.has(pod.hostname) || pod.cluster === ownCluster) meant.set(pod.hostname, pod);
  return meant;
}

/**
 * The names without a cluster, if this is the one that they mean, and those with one. In a namespace called `svc` the shortest would be
 * another service's name; a cluster's name in capitals is no part of a host.
 */
function namesOf(
  { hostname, cluster }: Pod,
  isMeant: boolean,
  catalog: CatalogService,
  settings: MeshSettings,
): string[] {
  const { name, namespace } = catalog;
  const full = serviceHost(catalog, settings.clusterDomain);
  const imported = clustersetNames(hostname, cluster, catalog);
  if (catalog.clusterset?.names === 'only') return [...(isMeant ? [`${hostname}.${full}`] : []), ...imported];
  const short = namespace === 'svc' ? [] : [`${hostname}.${name}.${namespace}`];
  return [
    ...imported,
    ...(isMeant ? [...short, `${hostname}.${name}.${namespace}.svc`, `${hostname}.${full}`] : []),
    ...(/^[a-z0-9-]+$/.test(cluster)
      ? [`${hostname}.${cluster}.${name}.${namespace}.svc`, `${hostname}.${cluster}.${full}`]
      : []),
  ];
}

/** The standard's: with the id of the cluster that exports the workload. */
function clustersetNames(hostname: string, cluster: string, { name, namespace, clusterset }: CatalogService): string[] {
  const id = clusterset?.ids.get(cluster);
  return id === undefined ? [] : [`${hostname}.${id}.${name}.${namespace}.svc.${clustersetDomain}`];
}

function podCluster(
  name: string,
  service: MeshService,
  port: CatalogPort,
  host: string,
  settings: MeshSettings,
): Plain {
  const { policy } = service;
  return {
    name,
    type: 'EDS',
    eds_cluster_config: { eds_config: overAds },
    ...policyFields(policy, port.protocol, host, settings),
    ignore_health_on_host_removal: true,
  };
}

/** A workload that terminates still serves those who name it. */
function podAssignment(
  name: string,
  pod: Pod,
  port: CatalogPort,
  { placement, policy }: MeshService,
  settings: MeshSettings,
): EncodedResource {
  const portName = port.otherNames.get(pod.cluster) ?? port.name;
  const targets = (port.clusters.includes(pod.cluster) ? pod.endpoints : []).flatMap((endpoint) => {
    const number = endpoint.ports.get(portName);
    const takes = endpoint.ready || (endpoint.serving && endpoint.terminating);
    return number === undefined || !takes || !mayReach(placement, endpoint) ? [] : [{ endpoint, port: number }];
  });
  return encodeAssignment(name, targets.length === 0 ? [] : [{ targets, priority: 0 }], {
    weighsLocalities: weighsLocalities(policy),
    tellsWho: settings.accessLog,
  });
}

function podHost(
  host: string,
  cluster: string,
  names: readonly string[],
  port: CatalogPort,
  catalog: CatalogService,
  settings: MeshSettings,
): VirtualHostPart {
  const name = `${host}:${port.port}`;
  const http = catalog.ports.filter((one) => isHttp(one, settings));
  const bare = http.find((one) => one.port === 80) ?? http[0];
  const route = { cluster, timeout: '0s' };
  return virtualHostPart(httpProxy, {
    name,
    domains: [...(port === bare ? names : []), ...names.map((one) => `${one}:${port.port}`)],
    routes: [
      { name: 'connect', match: { connect_matcher: {} }, route: { ...route, ...connectUpgrade } },
      isHttp(port, settings) ? { name: 'workload', match: { prefix: '/' }, route } : notHttp(name),
    ],
  });
}

/** `dropped`: by service, the workloads over the bound. */
export function podFindings(dropped: Iterable<readonly [service: string, count: number]>, cluster: string): Finding[] {
  return [...dropped]
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([service, count]) => ({
      code: 'FW-ENVOY-006' as const,
      severity: 'warning' as const,
      message: `${count} workloads of the headless service ${service} are over the ${podHostsMax} that have a host of their own; their hosts are treated as unknown`,
      where: { cluster, object: `Service ${service}` },
      hint: 'split the service, or reach its workloads by the service’s name',
    }));
}
