/**
 * From one Service, its EndpointSlices, and the Pods and Nodes they point at, to what the cluster says of that service.
 *
 * Pure: equal objects give equal shards, whatever the order they came in. A shard names its own cluster only, whatever its objects claim.
 * What is left out is said in `skips`, never dropped silently.
 */

import { BlockList, isIP } from 'node:net';
import type { Locality } from '../model/cluster.ts';
import type { Endpoint, NamespaceShard, ServiceExport, ServicePort, ServiceShard } from '../model/service.ts';
import type {
  NamespaceObject,
  NodeObject,
  PodObject,
  ServiceExportObject,
  ServiceObject,
  SliceEndpointObject,
  SliceObject,
} from './derive-objects.ts';
import { appProtocolOf, portMarks } from './protocol.ts';

export interface DeriveSettings {
  readonly cluster: string;
  /** The network of pods that name none. */
  readonly network: string;
  /** The locality of endpoints that name none. */
  readonly locality: Locality;
  /** The labels that may name a version; the first one set wins. */
  readonly versionLabels: readonly string[];
  /** Kubernetes refuses loopback endpoints, and so must a reader of clusters it does not trust; a folder on a laptop needs them. */
  readonly allowLoopback: boolean;
}

export const defaultVersionLabels: readonly string[] = ['version', 'app.kubernetes.io/version'];

export type SkipReason =
  /** The service is a DNS alias without ports, or of no usable name: nothing to send to. */
  | 'external-name'
  /** A slice of DNS names. */
  | 'fqdn-slice'
  /** A slice made out of another cluster's endpoints, which that cluster reports itself. */
  | 'imported-slice'
  /** The object says that it belongs to another cluster. On a pod only the claim is dropped. */
  | 'foreign-claim'
  /** Not an address of the slice's type, or one that no endpoint may have (unspecified, loopback, link-local, multicast). */
  | 'bad-address'
  /** The same address and port are in another slice of the service. */
  | 'duplicate-endpoint'
  /** A dual-stack pod's second address; the service's first family is used. */
  | 'other-family'
  /** The object could not be read. */
  | 'unreadable'
  /** Over the cluster's limit of services or endpoints. */
  | 'over-limit'
  /** A ServiceExport, and no Service of its name in the namespace. */
  | 'export-without-service'
  /** A ServiceExport of an alias (ExternalName): there are no endpoints to export. */
  | 'export-of-alias';

export interface Skip {
  readonly reason: SkipReason;
  /** `EndpointSlice shop/reviews-x7f`. */
  readonly object: string;
  readonly count: number;
}

export interface Lookup {
  pod(namespace: string, name: string): PodObject | undefined;
  node(name: string): NodeObject | undefined;
  /** An equal one that is held already, if there is one. */
  locality(value: Locality): Locality;
}

export interface DerivedService {
  /** undefined where the cluster has nothing to say (ExternalName, a foreign claim). */
  readonly shard: ServiceShard | undefined;
  readonly skips: readonly Skip[];
}

/** What the API itself refuses as endpoints: https://github.com/kubernetes/kubernetes/blob/v1.36.1/pkg/apis/core/validation/validation.go (ValidateEndpointIP). */
const forbidden = new BlockList();
forbidden.addAddress('0.0.0.0');
forbidden.addSubnet('169.254.0.0', 16);
forbidden.addSubnet('224.0.0.0', 4);
forbidden.addAddress('255.255.255.255');
forbidden.addAddress('::', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addSubnet('ff00::', 8, 'ipv6');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');
/** Private IPv4, which is what nearly all endpoints have, and none of which is on a list: 10.0.0.0/8, in the one form that it may be written in. */
const commonAddress = /^10(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
/** IPv4 in IPv6's clothes: would get round the lists above. */
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

/** The address in its one canonical form, or undefined if no endpoint may have it. */
export function endpointAddress(
  address: string,
  addressType: 'IPv4' | 'IPv6',
  allowLoopback: boolean,
): string | undefined {
  if (addressType === 'IPv4' && commonAddress.test(address)) return address;
  const family = addressType === 'IPv4' ? 'ipv4' : 'ipv6';
  if (isIP(address) !== (addressType === 'IPv4' ? 4 : 6) || address.includes('%')) return undefined;
  if (forbidden.check(address, family)) return undefined;
  if (!allowLoopback && loopback.check(address, family)) return undefined;
  if (family === 'ipv4') return address;
  if (mapped.check(address, 'ipv6')) return undefined;
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

export function versionOf(labels: Readonly<Record<string, string>>, versionLabels: readonly string[]): string {
  for (const name of versionLabels) {
    const version = Object.hasOwn(labels, name) ? labels[name] : undefined;
    if (version !== undefined && version !== '') return version;
  }
  return '';
}

/** An endpoint's own zone first, then its node's labels, then the cluster's locality where the endpoint has none at all. */
export function localityOf(zone: string, node: NodeObject | undefined, cluster: Locality): Locality {
  const own = { region: node?.region ?? '', zone: zone || (node?.zone ?? ''), subzone: node?.subzone ?? '' };
  if (own.region === '' && own.zone === '' && own.subzone === '') return cluster;
  // A zone lies in a region; one that is not said is the cluster's.
  return own.region === '' ? { ...own, region: cluster.region } : own;
}

export function deriveNamespace(object: NamespaceObject, cluster: string): NamespaceShard {
  return Object.freeze({ cluster, name: object.name, labels: object.labels });
}

/**
 * `slices` are all slices of the service's namespace that carry its name; their order does not matter. `exported`: the ServiceExport of the
 * service's name, if there is one.
 */
export function deriveService(
  service: ServiceObject,
  slices: Iterable<SliceObject>,
  lookup: Lookup,
  settings: DeriveSettings,
  exported?: ServiceExportObject,
): DerivedService {
  const skips = new SkipList();
  const subject = `Service ${service.namespace}/${service.name}`;
  const foreign = (claim: string): boolean => claim !== '' && claim !== settings.cluster;
  if (foreign(service.claimedCluster)) skips.add('foreign-claim', subject);
  else if (service.externalName !== undefined && !isUsableAlias(service)) skips.add('external-name', subject);
  if (exported !== undefined && service.externalName !== undefined)
    skips.add('export-of-alias', `ServiceExport ${service.namespace}/${service.name}`);
  const isNothing = foreign(service.claimedCluster) || (service.externalName !== undefined && !isUsableAlias(service));
  if (isNothing) return { shard: undefined, skips: skips.list() };

  const found: FoundEndpoint[] = [];
  for (const slice of slices) {
    const name = `EndpointSlice ${slice.namespace}/${slice.name}`;
    if (slice.importedFrom !== '') skips.add('imported-slice', name);
    else if (foreign(slice.claimedCluster)) skips.add('foreign-claim', name);
    else if (slice.addressType === 'FQDN') skips.add('fqdn-slice', name, slice.endpoints.length);
    else for (const raw of slice.endpoints) collect(raw, slice, slice.addressType);
  }

  function collect(raw: SliceEndpointObject, slice: SliceObject, family: 'IPv4' | 'IPv6'): void {
    const address = endpointAddress(raw.address, family, settings.allowLoopback);
    if (address === undefined) {
      skips.add('bad-address', `EndpointSlice ${slice.namespace}/${slice.name}`);
      return;
    }
    const pod = raw.pod === '' ? undefined : podOf(raw, slice.namespace, lookup);
    if (pod !== undefined && foreign(pod.claimedCluster)) {
      skips.add('foreign-claim', `Pod ${pod.namespace}/${pod.name}`);
    }
    const nodeName = raw.node || (pod?.node ?? '');
    const labels = pod?.labels ?? noLabels;
    const endpoint: Endpoint = {
      address,
      ports: slice.ports,
      cluster: settings.cluster,
      network: pod?.network || settings.network,
      locality: lookup.locality(
        localityOf(raw.zone, nodeName === '' ? undefined : lookup.node(nodeName), settings.locality),
      ),
      version: versionOf(labels, settings.versionLabels),
      labels,
      ready: raw.ready || service.publishNotReady,
      serving: raw.serving,
      terminating: raw.terminating,
      serviceAccount: pod?.serviceAccount ?? '',
      workload: raw.pod,
      node: nodeName,
      hostname: raw.hostname,
    };
    found.push({ endpoint, family, slice: slice.name });
  }

  const oneFamily = dropOtherFamily(found, service.primaryFamily, skips, subject);
  const endpoints = mergeDuplicates(oneFamily, skips);
  const others = exported === undefined || oneFamily === found ? [] : found.filter((item) => !oneFamily.includes(item));
  return {
    shard: Object.freeze({
      cluster: settings.cluster,
      namespace: service.namespace,
      name: service.name,
      createdAtMs: service.createdAtMs,
      headless: service.headless,
      vips: service.clusterIps,
      ...(service.externalName === undefined ? {} : { externalName: service.externalName.toLowerCase() }),
      ...(service.nodeLocal ? { internalTrafficPolicy: 'Local' as const } : {}),
      ...(service.trafficDistribution === '' ? {} : { trafficDistribution: service.trafficDistribution }),
      ...(exported === undefined
        ? {}
        : { export: exportOf(service, exported, mergeDuplicates(others, new SkipList())) }),
      ...(service.importOf === undefined ? {} : { importOf: service.importOf }),
      ports: service.ports.map(
        (port): ServicePort => ({
          name: port.name,
          port: port.port,
          transport: port.transport,
          protocol: appProtocolOf(port),
          ...portMarks(port),
        }),
      ),
      endpoints,
    }),
    skips: skips.list(),
  };
}

function exportOf(
  service: ServiceObject,
  { createdAtMs, labels, annotations }: ServiceExportObject,
  otherFamily: readonly Endpoint[],
): ServiceExport {
  const { affinity, primaryFamily, secondFamily, writtenDistribution } = service;
  const distribution = writtenDistribution ?? service.trafficDistribution;
  return Object.freeze({
    createdAtMs,
    labels,
    annotations,
    sessionAffinity: affinity === undefined ? 'None' : 'ClientIP',
    ...(affinity?.seconds === undefined ? {} : { affinitySeconds: affinity.seconds }),
    internalTrafficPolicy: service.nodeLocal ? 'Local' : 'Cluster',
    ...(distribution === '' ? {} : { trafficDistribution: distribution }),
    ipFamilies: [
      ...(primaryFamily === '' ? [] : [primaryFamily]),
      ...(secondFamily === undefined ? [] : [secondFamily]),
    ],
    appProtocols: service.ports.map(({ appProtocol }) => appProtocol),
    otherFamily,
  } satisfies ServiceExport);
}

/** Kubernetes takes an address as an ExternalName and looks it up as a name, which no name server knows. */
function isUsableAlias({ externalName = '' }: ServiceObject): boolean {
  return externalName.length <= 253 && /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z][a-z0-9-]*$/i.test(externalName);
}

interface FoundEndpoint {
  readonly endpoint: Endpoint;
  readonly family: 'IPv4' | 'IPv6';
  readonly slice: string;
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/** A pod that has been replaced by another of the same name (a StatefulSet's) is not the one that the slice means. */
function podOf(endpoint: SliceEndpointObject, namespace: string, lookup: Lookup): PodObject | undefined {
  const pod = lookup.pod(namespace, endpoint.pod);
  if (pod === undefined) return undefined;
  const replaced = pod.uid !== '' && endpoint.podUid !== '' && pod.uid !== endpoint.podUid;
  return replaced ? undefined : pod;
}

/** A dual-stack pod stands in a slice of each family; counted twice it would get twice the load of a single-stack one elsewhere. */
function dropOtherFamily(
  found: readonly FoundEndpoint[],
  primary: 'IPv4' | 'IPv6' | '',
  skips: SkipList,
  subject: string,
): readonly FoundEndpoint[] {
  const wanted = primary || 'IPv4';
  const inWanted = new Set<string>();
  let others = 0;
  for (const { endpoint, family } of found) {
    if (family !== wanted) others += 1;
    else if (endpoint.workload !== '') inWanted.add(endpoint.workload);
  }
  if (others === 0 || inWanted.size === 0) return found;
  const kept = found.filter((item) => item.family === wanted || !inWanted.has(item.endpoint.workload));
  if (kept.length < found.length) skips.add('other-family', subject, found.length - kept.length);
  return kept;
}

/**
 * An address may stand in several slices, for a moment while the controller moves it or for good with other ports. Every (address, port
 * name, number) is kept once, from the best entry: ready before serving before the rest; then by slice name, so that the order of events
 * does not matter.
 */
function mergeDuplicates(found: readonly FoundEndpoint[], skips: SkipList): readonly Endpoint[] {
  const byAddress = new Map<string, FoundEndpoint[]>();
  for (const item of found) {
    const same = byAddress.get(item.endpoint.address);
    if (same === undefined) byAddress.set(item.endpoint.address, [item]);
    else same.push(item);
  }
  const merged: Endpoint[] = [];
  for (const same of byAddress.values()) {
    if (same.length === 1) {
      for (const { endpoint } of same) merged.push(Object.freeze(endpoint));
      continue;
    }
    const taken = new Set<string>();
    let portless = false;
    for (const { endpoint, slice } of same.toSorted(byPreference)) {
      const fresh = [...endpoint.ports].filter(([name, port]) => !taken.has(`${name}:${port}`));
      const keep = endpoint.ports.size === 0 ? !portless && taken.size === 0 : fresh.length > 0;
      if (!keep) {
        skips.add('duplicate-endpoint', `EndpointSlice ${slice}`);
        continue;
      }
      portless ||= endpoint.ports.size === 0;
      for (const [name, port] of fresh) taken.add(`${name}:${port}`);
      const ports = fresh.length === endpoint.ports.size ? endpoint.ports : new Map(fresh);
      merged.push(Object.freeze({ ...endpoint, ports }));
    }
  }
  return Object.freeze(merged.sort(byPlace));
}

function byPreference(a: FoundEndpoint, b: FoundEndpoint): number {
  const rank = ({ endpoint }: FoundEndpoint): number =>
    endpoint.ready && !endpoint.terminating ? 0 : endpoint.ready ? 1 : endpoint.serving ? 2 : 3;
  return (
    rank(a) - rank(b) ||
    compare(a.slice, b.slice) ||
    compare(a.endpoint.workload, b.endpoint.workload) ||
    comparePorts(a.endpoint, b.endpoint)
  );
}

function byPlace(a: Endpoint, b: Endpoint): number {
  return compare(a.address, b.address) || compare(a.workload, b.workload) || comparePorts(a, b);
}

function comparePorts(a: Endpoint, b: Endpoint): number {
  if (a.ports === b.ports) return 0;
  return compare(JSON.stringify([...a.ports]), JSON.stringify([...b.ports]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sums skips by (reason, object). */
class SkipList {
  readonly #counts = new Map<string, Skip>();

  get size(): number {
    return this.#counts.size;
  }

  add(reason: SkipReason, object: string, count = 1): void {
    if (count === 0) return;
    const key = `${reason} ${object}`;
    this.#counts.set(key, { reason, object, count: (this.#counts.get(key)?.count ?? 0) + count });
  }

  list(): readonly Skip[] {
    return [...this.#counts.values()];
  }
}
