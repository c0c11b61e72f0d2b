/** What a proxy says of itself when it connects, read from its xDS node (id and metadata as Istio's agents send them). */

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
  /** What the proxy itself says of where it runs, '' for each part that it does not; undefined: nothing. */
  readonly place?: { readonly region: string; readonly zone: string; readonly node: string };
  /** From `node.user_agent_version`, e.g. `1.40.0`; of a client without a proxy with its name, `gRPC Go 1.82.1`; '' where unknown. */
  readonly envoyVersion: string;
}

/** How a proxy stands with one type of resource. */
export type SyncState = 'synced' | 'pending' | 'rejected' | 'unsubscribed';
