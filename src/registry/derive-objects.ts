/**
 * Reads the Kubernetes objects of a cluster, cut down to what is used of them (cluster-objects.ts).
 *
 * In: parsed JSON or YAML, untrusted. Out: small, frozen values with the API's defaults filled in, or a reason why the object cannot be
 * read. Nothing here throws, keeps a reference into its input, or follows a prototype.
 */

import { importOfLabel } from '../model/import-labels.ts';
import type { TrafficDistribution } from '../model/service.ts';
import {
  type ClusterObject,
  type ClusterObjectKind,
  type NamespaceObject,
  type NodeObject,
  objectKey,
  type PodObject,
  type ServiceExportObject,
  type ServiceObject,
  type ServicePortObject,
  type SliceEndpointObject,
  type SliceObject,
} from './cluster-objects.ts';
import {
  checkNames,
  type Fields,
  fields,
  labelNames,
  list,
  metaOf,
  own,
  portNumber,
  stringMap,
  text,
  transportOf,
  type Unreadable,
  unreadable,
} from './object-fields.ts';

/** What is not known here is a preference, and is not followed. */
function distributionOf(value: unknown): TrafficDistribution | '' {
  if (value === 'PreferClose' || value === 'PreferSameZone') return 'PreferSameZone';
  return value === 'PreferSameNode' ? value : '';
}

export function readService(raw: unknown): ServiceObject | Unreadable {
  const meta = metaOf(raw);
  const bad = checkNames(meta, true);
  if (bad !== undefined) return bad;
  const spec = fields(fields(raw)['spec']);
  const ips = list(spec['clusterIPs']).length > 0 ? list(spec['clusterIPs']) : [spec['clusterIP']];
  const clusterIps = ips.map(text).filter((ip) => ip !== '' && ip !== 'None');
  const ports: ServicePortObject[] = [];
  for (const [index, item] of list(spec['ports']).entries()) {
    const port = fields(item);
    const number = portNumber(port['port']);
    if (number === undefined) return unreadable(`spec.ports[${index}].port: not a port number`);
    ports.push({
      name: text(port['name']),
      port: number,
      transport: transportOf(port['protocol']),
      appProtocol: text(port['appProtocol']),
    });
  }
  const [family, second] = list(spec['ipFamilies']);
  const distribution = text(spec['trafficDistribution']);
  const importOf = text(own(meta.labels, importOfLabel));
  return Object.freeze({
    kind: 'Service',
    namespace: meta.namespace,
    name: meta.name,
    createdAtMs: meta.createdAtMs,
    externalName: spec['type'] === 'ExternalName' ? text(spec['externalName']).replace(/\.$/, '') : undefined,
    headless: ips.includes('None'),
    clusterIps,
    primaryFamily: family === 'IPv4' || family === 'IPv6' ? family : '',
    publishNotReady: spec['publishNotReadyAddresses'] === true,
    nodeLocal: spec['internalTrafficPolicy'] === 'Local',
    trafficDistribution: distributionOf(spec['trafficDistribution']),
    ports,
    ...(spec['sessionAffinity'] === 'ClientIP' ? { affinity: { seconds: affinitySeconds(spec) } } : {}),
    ...(second === 'IPv4' || second === 'IPv6' ? { secondFamily: second } : {}),
    ...(distribution === 'PreferClose' ? { writtenDistribution: distribution } : {}),
    ...(importOf === '' ? {} : { importOf }),
    claimedCluster: meta.claimedCluster,
  } satisfies ServiceObject);
}

function affinitySeconds(spec: Fields): number | undefined {
  const seconds = fields(fields(spec['sessionAffinityConfig'])['clientIP'])['timeoutSeconds'];
  return typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0 ? seconds : undefined;
}

/** Conditions default as the API says: ready unset means true, serving unset means ready, terminating unset means false. */
function readSliceEndpoint(raw: unknown): SliceEndpointObject {
  const endpoint = fields(raw);
  const conditions = fields(endpoint['conditions']);
  const target = fields(endpoint['targetRef']);
  const isPod = target['kind'] === 'Pod';
  const ready = conditions['ready'] !== false;
  const serving = conditions['serving'];
  return {
    address: text(list(endpoint['addresses'])[0]),
    ready,
    serving: typeof serving === 'boolean' ? serving : ready,
    terminating: conditions['terminating'] === true,
    pod: isPod ? text(target['name']) : '',
    podUid: isPod ? text(target['uid']) : '',
    node: text(endpoint['nodeName']),
    zone: text(endpoint['zone']),
    hostname: text(endpoint['hostname']),
  };
}

export function readSlice(raw: unknown): SliceObject | Unreadable {
  const meta = metaOf(raw);
  const bad = checkNames(meta, true);
  if (bad !== undefined) return bad;
  const object = fields(raw);
  const addressType = object['addressType'];
  if (addressType !== 'IPv4' && addressType !== 'IPv6' && addressType !== 'FQDN') {
    return unreadable('addressType: must be IPv4, IPv6 or FQDN');
  }
  const ports = new Map<string, number>();
  for (const item of list(object['ports'])) {
    const port = fields(item);
    const number = portNumber(port['port']);
    // A port without a number means "all ports" and has nothing to connect to.
    if (number !== undefined) ports.set(text(port['name']), number);
  }
  return Object.freeze({
    kind: 'EndpointSlice',
    namespace: meta.namespace,
    name: meta.name,
    service: text(own(meta.labels, labelNames.service)),
    addressType,
    ports,
    endpoints: list(object['endpoints']).map(readSliceEndpoint),
    importedFrom: text(own(meta.labels, labelNames.sourceCluster)),
    claimedCluster: meta.claimedCluster,
  } satisfies SliceObject);
}

export function readPod(raw: unknown): PodObject | Unreadable {
  const meta = metaOf(raw);
  const bad = checkNames(meta, true);
  if (bad !== undefined) return bad;
  const spec = fields(fields(raw)['spec']);
  return Object.freeze({
    kind: 'Pod',
    namespace: meta.namespace,
    name: meta.name,
    uid: meta.uid,
    // A pod cannot say that it lives in another cluster: the claim is kept apart, to be counted.
    labels: stringMap(meta.labels, labelNames.claimedCluster),
    serviceAccount: text(spec['serviceAccountName']),
    node: text(spec['nodeName']),
    network: text(own(meta.labels, labelNames.network)),
    claimedCluster: meta.claimedCluster,
  } satisfies PodObject);
}

export function readNode(raw: unknown): NodeObject | Unreadable {
  const meta = metaOf(raw);
  const bad = checkNames(meta, false);
  if (bad !== undefined) return bad;
  return Object.freeze({
    kind: 'Node',
    name: meta.name,
    region: text(own(meta.labels, labelNames.region)),
    zone: text(own(meta.labels, labelNames.zone)),
    subzone: text(own(meta.labels, labelNames.subzone)),
  } satisfies NodeObject);
}

export function readNamespace(raw: unknown): NamespaceObject | Unreadable {
  const meta = metaOf(raw);
  const bad = checkNames(meta, false);
  if (bad !== undefined) return bad;
  return Object.freeze({
    kind: 'Namespace',
    name: meta.name,
    uid: meta.uid,
    labels: stringMap(meta.labels),
  } satisfies NamespaceObject);
}

export function readServiceExport(raw: unknown): ServiceExportObject | Unreadable {
  const meta = metaOf(raw);
  const bad = checkNames(meta, true);
  if (bad !== undefined) return bad;
  const spec = fields(fields(raw)['spec']);
  return Object.freeze({
    kind: 'ServiceExport',
    namespace: meta.namespace,
    name: meta.name,
    createdAtMs: meta.createdAtMs,
    labels: stringMap(spec['exportedLabels']),
    annotations: stringMap(spec['exportedAnnotations']),
  } satisfies ServiceExportObject);
}

const readers: Readonly<Record<ClusterObjectKind, (raw: unknown) => ClusterObject | Unreadable>> = {
  Service: readService,
  EndpointSlice: readSlice,
  Pod: readPod,
  Node: readNode,
  Namespace: readNamespace,
  ServiceExport: readServiceExport,
};

/** Reads an object of a kind that the caller knows (list items do not say theirs). */
export function readClusterObject(kind: ClusterObjectKind, raw: unknown): ClusterObject | Unreadable {
  return readers[kind](raw);
}

/** The key of an object that has not been read; cut to a length that names have. */
export function rawObjectKey(raw: unknown): string {
  const metadata = fields(fields(raw)['metadata']);
  return objectKey({
    namespace: text(metadata['namespace']).slice(0, 253),
    name: text(metadata['name']).slice(0, 253),
  });
}
