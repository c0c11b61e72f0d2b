/**
 * The kinds of Kubernetes objects that a cluster is read from, cut down to what is used of them. Values are small and frozen, with the API's
 * defaults filled in; derive-objects.ts makes them.
 */

import type { IpFamily, TrafficDistribution, TransportProtocol } from '../model/service.ts';

export interface ServicePortObject {
  readonly name: string;
  readonly port: number;
  readonly transport: TransportProtocol;
  /** '' for not set. */
  readonly appProtocol: string;
}

export interface ServiceObject {
  readonly kind: 'Service';
  readonly namespace: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** The name that an ExternalName service stands for, without a closing dot; undefined for all other services. */
  readonly externalName: string | undefined;
  readonly headless: boolean;
  readonly clusterIps: readonly string[];
  /** The family that clients are meant to use first; '' where the service does not say. */
  readonly primaryFamily: 'IPv4' | 'IPv6' | '';
  readonly publishNotReady: boolean;
  /** Only endpoints on the client's node (`internalTrafficPolicy: Local`). */
  readonly nodeLocal: boolean;
  /** '' for none. */
  readonly trafficDistribution: TrafficDistribution | '';
  readonly ports: readonly ServicePortObject[];
  /** What counts for exports alone, where it is not the default; left out otherwise, so that it costs nothing. */
  readonly affinity?: { readonly seconds: number | undefined };
  readonly secondFamily?: IpFamily;
  /** `spec.trafficDistribution` as written, where it is an older name. */
  readonly writtenDistribution?: string;
  /** The import that the Service was derived from. */
  readonly importOf?: string;
  /** The cluster that the object says it belongs to (label or annotation `topology.istio.io/cluster`); '' for none. */
  readonly claimedCluster: string;
}

export interface SliceEndpointObject {
  /** The API's consumers use the first of them only, and so does this; https://issue.k8s.io/106267. */
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** The pod that it points at, in the slice's namespace; '' for none. */
  readonly pod: string;
  readonly podUid: string;
  readonly node: string;
  readonly zone: string;
  readonly hostname: string;
}

export interface SliceObject {
  readonly kind: 'EndpointSlice';
  readonly namespace: string;
  readonly name: string;
  /** From the label kubernetes.io/service-name; '' for none. */
  readonly service: string;
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
  /** Numbers by name; shared by all endpoints of the slice. */
  readonly ports: ReadonlyMap<string, number>;
  readonly endpoints: readonly SliceEndpointObject[];
  /** An import that a multicluster controller made out of another cluster's endpoints: the cluster's name, else ''. */
  readonly importedFrom: string;
  readonly claimedCluster: string;
}

export interface PodObject {
  readonly kind: 'Pod';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly node: string;
  readonly network: string;
  readonly claimedCluster: string;
}

export interface NodeObject {
  readonly kind: 'Node';
  readonly name: string;
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

export interface NamespaceObject {
  readonly kind: 'Namespace';
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** multicluster.x-k8s.io, of v1beta1 or v1alpha1 (which knows no exported labels). */
export interface ServiceExportObject {
  readonly kind: 'ServiceExport';
  readonly namespace: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export type ClusterObject =
  | ServiceObject
  | SliceObject
  | PodObject
  | NodeObject
  | NamespaceObject
  | ServiceExportObject;
export type ClusterObjectKind = ClusterObject['kind'];

/** In the order in which they are listed. */
export const clusterObjectKinds: readonly ClusterObjectKind[] = [
  'Namespace',
  'Node',
  'Pod',
  'EndpointSlice',
  'Service',
  'ServiceExport',
];

/** `namespace/name`, or the name of what has no namespace: unique among the objects of one kind. */
export function objectKey(object: { readonly namespace?: string; readonly name: string }): string {
  return object.namespace === undefined || object.namespace === '' ? object.name : `${object.namespace}/${object.name}`;
}
