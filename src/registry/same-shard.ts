/**
 * Deep equality of what a cluster says, field by field. Storing an equal value must cost nothing downstream, so this decides what counts as
 * news. Shared parts (one ports map for a whole slice, one labels object for a deployment) are compared by identity first.
 */

import type { ClusterInfo, Locality } from '../model/cluster.ts';
import type { Endpoint, NamespaceShard, ServiceExport, ServicePort, ServiceShard } from '../model/service.ts';

export function sameShard(a: ServiceShard, b: ServiceShard): boolean {
  if (a === b) return true;
  return (
    a.cluster === b.cluster &&
    a.namespace === b.namespace &&
    a.name === b.name &&
    a.createdAtMs === b.createdAtMs &&
    a.headless === b.headless &&
    a.internalTrafficPolicy === b.internalTrafficPolicy &&
    a.trafficDistribution === b.trafficDistribution &&
    a.externalName === b.externalName &&
    a.importOf === b.importOf &&
    sameExport(a.export, b.export) &&
    sameList(a.vips, b.vips, Object.is) &&
    sameList(a.ports, b.ports, samePort) &&
    sameList(a.endpoints, b.endpoints, sameEndpoint)
  );
}

function sameExport(a: ServiceExport | undefined, b: ServiceExport | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.createdAtMs === b.createdAtMs &&
    a.sessionAffinity === b.sessionAffinity &&
    a.affinitySeconds === b.affinitySeconds &&
    a.internalTrafficPolicy === b.internalTrafficPolicy &&
    a.trafficDistribution === b.trafficDistribution &&
    sameLabels(a.labels, b.labels) &&
    sameLabels(a.annotations, b.annotations) &&
    sameList(a.ipFamilies, b.ipFamilies, Object.is) &&
    sameList(a.appProtocols, b.appProtocols, Object.is) &&
    sameList(a.otherFamily, b.otherFamily, sameEndpoint)
  );
}

/**
 * `now` with those of its endpoints that `before` has too as the very objects of `before`: so that identity tells which are different, and one
 * change among thousands leaves one new object behind. Both are sorted, as shards are.
 */
export function shareEndpoints(now: ServiceShard, before: ServiceShard): ServiceShard {
  if (now.endpoints === before.endpoints) return now;
  const old = before.endpoints;
  let at = 0;
  let shared = 0;
  const endpoints = now.endpoints.map((endpoint) => {
    while (at < old.length && (old[at] as Endpoint).address < endpoint.address) at += 1;
    for (let same = at; old[same]?.address === endpoint.address; same++) {
      const candidate = old[same] as Endpoint;
      if (!sameEndpoint(candidate, endpoint)) continue;
      shared += 1;
      return candidate;
    }
    return endpoint;
  });
  if (shared === 0) return now;
  return Object.freeze({ ...now, endpoints: Object.freeze(endpoints) });
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  if (a === b) return true;
  return (
    a.address === b.address &&
    a.cluster === b.cluster &&
    a.network === b.network &&
    a.version === b.version &&
    a.ready === b.ready &&
    a.serving === b.serving &&
    a.terminating === b.terminating &&
    a.serviceAccount === b.serviceAccount &&
    a.workload === b.workload &&
    a.node === b.node &&
    a.hostname === b.hostname &&
    sameLocality(a.locality, b.locality) &&
    samePortMap(a.ports, b.ports) &&
    sameLabels(a.labels, b.labels)
  );
}

export function sameNamespace(a: NamespaceShard, b: NamespaceShard): boolean {
  return a === b || (a.cluster === b.cluster && a.name === b.name && sameLabels(a.labels, b.labels));
}

export function sameInfo(a: ClusterInfo, b: ClusterInfo): boolean {
  if (a === b) return true;
  return (
    a.name === b.name &&
    a.network === b.network &&
    a.uid === b.uid &&
    a.origin === b.origin &&
    a.clusterId === b.clusterId &&
    sameLocality(a.locality, b.locality)
  );
}

function sameLocality(a: Locality, b: Locality): boolean {
  return a === b || (a.region === b.region && a.zone === b.zone && a.subzone === b.subzone);
}

function samePort(a: ServicePort, b: ServicePort): boolean {
  return (
    a.name === b.name &&
    a.port === b.port &&
    a.transport === b.transport &&
    a.protocol === b.protocol &&
    a.tls === b.tls &&
    a.undeclared === b.undeclared
  );
}

/** Order counts for neither: a port map is looked up by name, labels by key. */
function samePortMap(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, port] of a) if (b.get(name) !== port) return false;
  return true;
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

function sameList<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((item, index) => same(item, b[index] as T));
}
