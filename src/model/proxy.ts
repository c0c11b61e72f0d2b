/**
 * What a proxy says of itself when it connects, read from its xDS node (id and metadata as Istio's agents send them), and what the pilot
 * knows of its progress.
 */

export interface ProxyIdentity {
  /** The node id as sent, `sidecar~10.1.2.3~reviews-v1-abc.shop~shop.svc.cluster.local`. */
  readonly nodeId: string;
  readonly kind: 'sidecar' | 'router' | 'grpc';
  readonly addresses: readonly string[];
  readonly workload: string;
  readonly namespace: string;
  readonly cluster: string;
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** From `node.user_agent_version`, e.g. `1.40.0`; '' where unknown. */
  readonly envoyVersion: string;
}

/** One type on one stream. */
export type SyncState = 'synced' | 'pending' | 'rejected' | 'unsubscribed';

export interface ProxyTypeStatus {
  readonly state: SyncState;
  /** When this state began, ms since the epoch. */
  readonly sinceMs: number;
  /** Resources the proxy is known to hold of this type. */
  readonly resources: number;
  readonly sentRevision: number;
  readonly ackedRevision: number;
  /** Envoy's own words on the last NACK; '' for none. */
  readonly error: string;
}

export interface ProxyStatus {
  readonly identity: ProxyIdentity;
  readonly connectedSinceMs: number;
  readonly peer: string;
  readonly transport: 'sotw' | 'delta';
  /** By short type name: CDS, EDS, LDS, RDS. */
  readonly types: ReadonlyMap<string, ProxyTypeStatus>;
}
