/**
 * Deep equality of what a cluster says, field by field. Storing an equal value must cost nothing downstream, so this decides what counts as
 * news. Shared parts (one ports map for a whole slice, one labels object for a deployment) are compared by identity first.
 */

import type { ClusterInfo, Locality } from '../model/cluster.ts';
import type { Endpoint, NamespaceShard, ServicePort, ServiceShard } from '../model/service.ts';

export function sameShard(a: ServiceShard, b: ServiceShard): boolean {
  if (a === b) return true;
  return (
    a.cluster === b.cluster &&
    a.namespace === b.namespace &&
    a.name === b.name &&
    a.createdAtMs === b.createdAtMs &&
    a.headless === b.headless &&
    sameList(a.vips, b.vips, Object.is) &&
    sameList(a.ports, b.ports, samePort) &&
    sameList(a.endpoints, b.endpoints, sameEndpoint)
  );
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
    sameLocality(a.locality, b.locality)
  );
}

function sameLocality(a: Locality, b: Locality): boolean {
  return a === b || (a.region === b.region && a.zone === b.zone && a.subzone === b.subzone);
}

function samePort(a: ServicePort, b: ServicePort): boolean {
  return a.name === b.name && a.port === b.port && a.transport === b.transport && a.protocol === b.protocol;
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
