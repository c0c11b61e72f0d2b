/**
 * From one Service, its EndpointSlices, and the Pods and Nodes they point at, to what the cluster says of that service.
 *
 * Pure: equal objects give equal shards, whatever the order they came in. A shard names its own cluster only, whatever its objects claim.
 * What is left out is said in `skips`, never dropped silently.
 */

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
} from './cluster-objects.ts';
import { dropOtherFamily, type FoundEndpoint, mergeDuplicates } from './derive-endpoints.ts';
import { type Skip, SkipList } from './derive-skips.ts';
import { endpointAddress } from './endpoint-address.ts';
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

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/** A pod that has been replaced by another of the same name (a StatefulSet's) is not the one that the slice means. */
function podOf(endpoint: SliceEndpointObject, namespace: string, lookup: Lookup): PodObject | undefined {
  const pod = lookup.pod(namespace, endpoint.pod);
  if (pod === undefined) return undefined;
  const replaced = pod.uid !== '' && endpoint.podUid !== '' && pod.uid !== endpoint.podUid;
  return replaced ? undefined : pod;
}
