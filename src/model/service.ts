/**
 * Services and endpoints, as one cluster reports them (a shard) and as all clusters together make them (the catalog).
 * Everything here is frozen once built; a change is a new object, so that identity tells whether something changed.
 */

import type { ClusterInfo, Locality } from './cluster.ts';
import type { ServiceDrain } from './drain.ts';

/** `namespace/name`; the same service in every cluster (namespace sameness). */
export type ServiceKey = `${string}/${string}`;

export function serviceKey(namespace: string, name: string): ServiceKey {
  return `${namespace}/${name}`;
}

export function splitServiceKey(key: ServiceKey): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

export type TransportProtocol = 'TCP' | 'UDP' | 'SCTP';

/**
 * What is spoken on a port, decided in this order: `appProtocol`, the port name's prefix (`http-web`, `grpc`), else `tcp`.
 * `https` and `tls` are opaque to a proxy that holds no key, and are carried as TCP.
 */
export type AppProtocol = 'http' | 'http2' | 'grpc' | 'tcp';

export interface ServicePort {
  /** '' for the only, unnamed port. */
  readonly name: string;
  readonly port: number;
  readonly transport: TransportProtocol;
  readonly protocol: AppProtocol;
  /** What is spoken is TLS (`protocol` is `tcp`): a sidecar can tell hosts apart by SNI. Left out: it is not, or nobody knows. */
  readonly tls?: true;
  /** Neither `appProtocol` nor the name says what is spoken (`protocol` is `tcp`). Left out: one of them does. */
  readonly undeclared?: true;
}

/** One address of one workload in one cluster; only what the pilot uses of EndpointSlices, Pods and Nodes. */
export interface Endpoint {
  /** IPv4 or IPv6. */
  readonly address: string;
  /** Target ports by service port name; endpoints of one slice share the object. */
  readonly ports: ReadonlyMap<string, number>;
  readonly cluster: string;
  readonly network: string;
  readonly locality: Locality;
  /** The workload's `version` label, else `app.kubernetes.io/version`, else ''. */
  readonly version: string;
  /** The workload's labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** The workload's service account; '' where unknown. */
  readonly serviceAccount: string;
  /** The workload's (pod's) name and namespace are those of the service's namespace; '' where unknown. */
  readonly workload: string;
  readonly node: string;
  /** EndpointSlice `hostname`, for headless services' hosts (`pod-0.db.shop`); '' for none. */
  readonly hostname: string;
}

/** Kubernetes' `spec.trafficDistribution`. */
export type TrafficDistribution = 'PreferSameZone' | 'PreferSameNode';

export type IpFamily = 'IPv4' | 'IPv6';

/**
 * What a cluster's ServiceExport says (multicluster.x-k8s.io, KEP-1645), and what of the Service counts for exports alone. On shards of exported
 * services only, so that others cost nothing.
 */
export interface ServiceExport {
  /** ms since the epoch, from the ServiceExport's creationTimestamp; 0: it says none. */
  readonly createdAtMs: number;
  /** `spec.exportedLabels` and `spec.exportedAnnotations`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly sessionAffinity: 'None' | 'ClientIP';
  /** Of `ClientIP`, in seconds. Left out: not set. */
  readonly affinitySeconds?: number;
  /** These two as the Service has them. Left out: not set. */
  readonly internalTrafficPolicy?: 'Cluster' | 'Local';
  readonly trafficDistribution?: string;
  readonly ipFamilies: readonly IpFamily[];
  /** `appProtocol` of the shard's ports, in their order; '' for none. */
  readonly appProtocols: readonly string[];
  /** The second addresses of dual-stack workloads, which the shard's own endpoints do not hold; [] for all other services. */
  readonly otherFamily: readonly Endpoint[];
}

/** What one cluster says of one service. Written by that cluster's source alone (one owner). */
export interface ServiceShard {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  /** ms since the epoch, from metadata.creationTimestamp; the older service's properties win a conflict. */
  readonly createdAtMs: number;
  readonly headless: boolean;
  /** Cluster IPs, in the cluster that reports them; [] for headless. */
  readonly vips: readonly string[];
  /** `Local`: only endpoints on the client's own node. Left out: Kubernetes' default (`Cluster`). */
  readonly internalTrafficPolicy?: 'Local';
  /** Left out: none. `PreferClose` is the older name of `PreferSameZone`. */
  readonly trafficDistribution?: TrafficDistribution;
  /** The cluster exports it to the clusterset. Left out: it does not. */
  readonly export?: ServiceExport;
  /**
   * It was derived from a ServiceImport of this name in its namespace, to give it a virtual IP in this cluster: no service of its own, and
   * no part of the catalog.
   */
  readonly importOf?: string;
  /** Kubernetes' `type: ExternalName`: the DNS name that the service's name stands for; it has neither addresses nor endpoints then. */
  readonly externalName?: string;
  readonly ports: readonly ServicePort[];
  /** Sorted by address, then workload. Holds unready and terminating ones too. */
  readonly endpoints: readonly Endpoint[];
}

export interface ExternalEndpoint {
  /** IPv4 or IPv6, in its canonical form. */
  readonly address: string;
  /** Where it listens, by the number of the service's port; a port that is not here listens at its own number. */
  readonly targetPorts: ReadonlyMap<number, number>;
  readonly locality: Locality;
  /** Its share among the endpoints; 1 where none is given. */
  readonly weight: number;
}

/** How a proxy begins TLS with a host outside; it shows no certificate of its own. */
export interface TlsOrigination {
  /** The name that it asks for; left out: the host itself, and below a wildcard that of the request. */
  readonly sni?: string;
  /** Names of which the host's certificate must have one; []: the name that was asked for. Sorted. */
  readonly subjectAltNames: readonly string[];
  /** Who may have signed it: certificates in PEM, or what the proxy's own machine trusts. */
  readonly ca: { readonly kind: 'system' } | { readonly kind: 'pem'; readonly pem: string };
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** Where a service is that has no endpoints in clusters. */
export type Upstream =
  /** Each proxy asks a name server; the ports are those of the service. */
  | { readonly kind: 'dns'; readonly name: string }
  | { readonly kind: 'static'; readonly endpoints: readonly ExternalEndpoint[] };

/** How a port came out of the merge. */
export interface CatalogPort extends ServicePort {
  /** Of hosts outside; as in `ExternalPort`. */
  readonly targetPort?: number;
  readonly originate?: TlsOrigination;
  /** The clusters that expose this very port, sorted; endpoints of others do not serve it. */
  readonly clusters: readonly string[];
  /** The clusters among them that call this port by another name; their endpoints list their target ports under that name. */
  readonly otherNames: ReadonlyMap<string, string>;
}

export interface ServiceConflict {
  /** KEP-1645's condition reasons. */
  readonly reason: 'PortConflict' | 'TypeConflict' | 'InternalTrafficPolicyConflict' | 'TrafficDistributionConflict';
  /** For people, e.g. `port 80/TCP is http in east and grpc in west; east is older, its endpoints alone serve the port`. */
  readonly message: string;
  readonly winner: string;
  /** Sorted. */
  readonly losers: readonly string[];
}

/** The names of a service under `clusterset.local`, and where they lead. */
export interface ClustersetNames {
  /** `also`: besides its names of the mesh. `only`: it has no others. */
  readonly names: 'also' | 'only';
  /** By cluster: the virtual IPs of its import there. */
  readonly vips: ReadonlyMap<string, readonly string[]>;
  /** By exporting cluster, sorted: its id in the clusterset, by which single workloads are named. */
  readonly ids: ReadonlyMap<string, string>;
}

/** A service, merged over all clusters by a pure, order-independent function (src/catalog/merge.ts). */
export interface CatalogService {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly headless: boolean;
  /** These two as the oldest service has them. */
  readonly internalTrafficPolicy?: 'Local';
  readonly trafficDistribution?: TrafficDistribution;
  /** Where it is, if not at endpoints of clusters. */
  readonly upstream?: Upstream;
  /** Its one name, if it is not of the mesh: `api.example.com`, `*.example.com`. Left out: the names of `namespace/name`. */
  readonly host?: string;
  /** Its addresses, whichever cluster looks; left out: what each cluster's shard says. Sorted. */
  readonly addresses?: readonly string[];
  /** The key under which rules for it stand, as long as no service has that key; left out: its own. */
  readonly ruledAs?: ServiceKey;
  /** The clusters whose proxies see it; left out: all. */
  readonly visibleIn?: ReadonlySet<string>;
  /** Some cluster exports it. Left out: none does. */
  readonly clusterset?: ClustersetNames;
  /** Only the endpoints of a client's own cluster are its own. Left out: those of all clusters. */
  readonly ownClusterOnly?: true;
  /** Sorted by port, then transport, then name. */
  readonly ports: readonly CatalogPort[];
  /** What each cluster says, keyed by cluster name, in sorted order. */
  readonly shards: ReadonlyMap<string, ServiceShard>;
  readonly conflicts: readonly ServiceConflict[];
  /** Places that its load is moved out of; no cluster says this, the pilot adds it before the service is compiled. */
  readonly drain?: ServiceDrain;
}

/** A namespace as one cluster reports it. */
export interface NamespaceShard {
  readonly cluster: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One complete statement of one cluster, e.g. after a relist or out of the last-good state on disk. */
export interface ClusterSnapshot {
  readonly info: ClusterInfo;
  readonly services: ReadonlyMap<ServiceKey, ServiceShard>;
  readonly namespaces: ReadonlyMap<string, NamespaceShard>;
  /** Which services are exported could not be read: what is held of that stays. */
  readonly exportsUnknown?: true;
}
