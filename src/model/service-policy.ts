/**
 * How proxies treat the endpoints of a service, whatever the route: plain values, defaults applied, units in the names.
 * What is undefined is the mesh's default. The API's own shape lives in src/rules/.
 */

export type LoadBalancer =
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'least-request'; readonly choices: number }
  | { readonly kind: 'random' }
  | { readonly kind: 'ring-hash'; readonly minRingSize: number; readonly maxRingSize: number }
  | { readonly kind: 'maglev'; readonly tableSize: number };

/** What requests that belong together have in common; needs a load balancer with a hash (ring-hash or maglev). */
export type Affinity =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query-param'; readonly name: string }
  /** The proxy sets the cookie where a request has none; `ttlMs` undefined: until the browser closes. */
  | { readonly kind: 'cookie'; readonly name: string; readonly path: string; readonly ttlMs?: number }
  | { readonly kind: 'source-ip' };

/** Limits of one proxy to one Envoy cluster (a backend with its fallbacks); undefined: none. */
export interface ConnectionLimits {
  readonly connectTimeoutMs?: number;
  readonly maxConnections?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRetries?: number;
  readonly maxRequestsPerConnection?: number;
  readonly maxConnectionAgeMs?: number;
  /** A connection without requests is closed after this. */
  readonly idleTimeoutMs?: number;
  readonly keepalive?: { readonly idleMs: number; readonly intervalMs: number; readonly probes: number };
  /** A connection ends on which sent bytes wait so long for the other side to take them; 0: never. */
  readonly unacknowledgedMs?: number;
  /** Retries in flight: at most `percent` of the active requests, and never fewer than `minConcurrency`. */
  readonly retryBudget?: { readonly percent: number; readonly minConcurrency: number };
}

/** An endpoint that fails for this proxy is left out by it for a while. */
export interface OutlierDetection {
  /** 5xx answers, and failed connections, in a row; 0: not counted. */
  readonly consecutiveErrors: number;
  /** 502, 503, 504 and failed connections in a row; 0: not counted. */
  readonly consecutiveGatewayErrors: number;
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectedPercent: number;
}

export interface HealthCheck {
  readonly probe:
    | {
        readonly kind: 'http';
        readonly path: string;
        /** '': the service's full name. */
        readonly host: string;
        readonly statuses: readonly { readonly from: number; readonly to: number }[];
      }
    | { readonly kind: 'grpc'; readonly service: string }
    | { readonly kind: 'tcp' };
  /** Instead of the endpoint's own port. */
  readonly port?: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
}

/** A place: what is '' is not asked for. */
export interface Place {
  readonly region: string;
  readonly zone: string;
  readonly cluster: string;
}

/** What endpoint and proxy have in common. A zone counts only in the same region, a node only in the same cluster. */
export type NearnessStep = 'node' | 'zone' | 'region' | 'cluster' | 'network';

export type LocalityPreference =
  /** Endpoints next to the proxy first, by these steps; what none takes goes anywhere. */
  | { readonly kind: 'nearest'; readonly order: readonly NearnessStep[] }
  /** The places in this order, whoever asks; what none of them takes goes anywhere. */
  | { readonly kind: 'order'; readonly places: readonly Place[] }
  /**
   * Shares by place for proxies in `from`; the first entry whose `from` fits the proxy counts, and without one there is no preference. What
   * none of the places takes goes anywhere.
   */
  | {
      readonly kind: 'shares';
      readonly entries: readonly {
        readonly from: Place;
        readonly to: readonly { readonly place: Place; readonly weight: number }[];
      }[];
    };

export interface ServicePolicy {
  readonly loadBalancer?: LoadBalancer;
  readonly affinity?: Affinity;
  /** An endpoint that is new takes its full share only after this. */
  readonly slowStartMs?: number;
  /** Below this share of healthy endpoints all are used, healthy or not; 0: never; undefined: 1, once all are bad. */
  readonly panicThresholdPercent?: number;
  readonly connections?: ConnectionLimits;
  readonly outlierDetection?: OutlierDetection;
  readonly healthCheck?: HealthCheck;
  readonly locality?: LocalityPreference;
  /** How much more than its share a level takes before the next one helps, in per cent; Envoy's default is 140. */
  readonly overprovisioningPercent?: number;
  /** Traffic never leaves this place, even when all there is gone. */
  readonly within?: Place;
}
