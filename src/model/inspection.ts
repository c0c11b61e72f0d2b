/**
 * What people are told who look closer: at a service, a pod, a rule or a request. Plain JSON with stable names, as report.ts; times are RFC 3339.
 */

import type { Finding } from '../core/errors.ts';
import type { ClusterPhase, Locality } from './cluster.ts';
import type { ConfigMode, InboundPort } from './mesh.ts';
import type { ExpectedShares } from './preview.ts';
import type { ClustersetReport, ProxyReport, RuleReport, ServiceReport } from './report.ts';
import type { RouteMatch } from './rule.ts';
import type { AppProtocol, ServiceConflict } from './service.ts';
import type { ServicePolicy } from './service-policy.ts';

/** Endpoints that have all of this in common. */
export interface EndpointGroup {
  /** '' where the workloads say none. */
  readonly version: string;
  readonly cluster: string;
  readonly region: string;
  readonly zone: string;
  readonly ready: number;
  readonly notReady: number;
  /** Terminating, and still serving. */
  readonly draining: number;
  readonly terminating: number;
}

/** A cluster that reports a service. */
export interface ReportingCluster {
  readonly name: string;
  readonly phase: ClusterPhase;
  readonly since: string;
  /** When it was last known to be as it is held; absent before the first news. */
  readonly lastNews?: string;
  readonly addresses: readonly string[];
  readonly ready: number;
  readonly total: number;
}

/** One backend of a route: its share, and the destinations that it tries in turn. */
export interface RouteTarget {
  /** Per cent of the route's requests. */
  readonly percent: number;
  /** Another service, with its port: `reviews-v2.shop:9080`; then the chain says where of it, and nothing is counted. */
  readonly service?: string;
  readonly chain: readonly {
    /** `v2.west`, '' for anywhere. */
    readonly destination: string;
    /** Endpoints that no earlier destination of the chain has. */
    readonly ready: number;
    readonly total: number;
  }[];
  /** Why nothing may take its share. */
  readonly refused?: string;
}

/** What requests from some clusters come to, all of them sum up to 1. */
export interface ExpectedFrom extends ExpectedShares {
  /** Sorted. */
  readonly from: readonly string[];
}

export interface DescribedRoute {
  readonly name: string;
  /** [] matches everything. */
  readonly matches: readonly RouteMatch[];
  /** What the proxy answers by itself: `redirect`, `respond`; absent where it forwards. */
  readonly answers?: string;
  readonly targets: readonly RouteTarget[];
  /** For proxies of which no more is known than their cluster. */
  readonly expected: readonly ExpectedFrom[];
}

export interface ServiceDescription {
  readonly namespace: string;
  readonly name: string;
  /** `reviews.shop.svc.cluster.local`. */
  readonly host: string;
  readonly headless: boolean;
  readonly ports: ServiceReport['ports'];
  /** Sorted by name. */
  readonly clusters: readonly ReportingCluster[];
  /** In force; absent: everything goes anywhere. */
  readonly rule?: RuleReport;
  /** For the service too: those that are not in force, and those that clusters hold for their own proxies. Conditions say more. */
  /** Objects of other kinds that are in force for it, for people: `HTTPRoute shop/split (cluster primary)`. Left out: there are none. */
  readonly routedBy?: string;
  readonly otherRules: readonly RuleReport[];
  /** In the order in which they are tried. */
  readonly routes: readonly DescribedRoute[];
  readonly policy?: ServicePolicy;
  /** Sorted by version, cluster, region and zone. */
  readonly endpoints: readonly EndpointGroup[];
  readonly conflicts: readonly ServiceConflict[];
  readonly findings: readonly Finding[];
  /** Some cluster exports it. Absent: nobody does, or its exported part is a service of its own. */
  readonly exported?: ClustersetReport;
  /** Each cluster has one of its own, and its clients see no other. Absent: it is one over all clusters. */
  readonly ownClusterOnly?: true;
  /** Its exported part, where that is a service of its own. */
  readonly clusterset?: ServiceDescription;
}

/** A service that a pod stands behind. */
export interface PodService {
  readonly namespace: string;
  readonly name: string;
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly targetPort: number;
    readonly protocol: AppProtocol;
  }[];
  /** `namespace/name` of the rule in force for requests to it. */
  readonly rule?: string;
}

/** A pod as one cluster reports it: clusters may have pods of one name. */
export interface PodWorkload {
  readonly cluster: string;
  readonly addresses: readonly string[];
  readonly node: string;
  readonly version: string;
  readonly serviceAccount: string;
  readonly locality: Locality;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly services: readonly PodService[];
}

/** Routes that are for the requests of certain proxies only, this one among them. */
export interface SourceRule {
  /** `namespace/name`. */
  readonly rule: string;
  readonly service: string;
  readonly routes: readonly string[];
}

export interface PodProxy extends ProxyReport {
  readonly config: ConfigMode;
  readonly interception: 'captured' | 'explicit' | 'grpc';
  readonly inbound: readonly InboundPort[];
  /** Rules of which it has an earlier form, for it rejected the present one. */
  readonly setAside: readonly { readonly rule: string; readonly since?: string; readonly error: string }[];
  readonly sourceRules: readonly SourceRule[];
  /** How many more there are. */
  readonly sourceRulesOmitted: number;
}

export interface PodDescription {
  readonly namespace: string;
  readonly name: string;
  /** Sorted by cluster; [] where no cluster has it behind a service. */
  readonly workloads: readonly PodWorkload[];
  /** Of this pod, with an open stream to this pilot. */
  readonly proxies: readonly PodProxy[];
}

export type HoldingState = 'rejected' | 'in-doubt' | 'pending' | 'holds';

/** How one proxy stands to one rule. */
export interface RuleHolding {
  readonly nodeId: string;
  readonly workload: string;
  readonly namespace: string;
  readonly cluster: string;
  /** `in-doubt`: it rejected several rules at once, and which of them is to blame is being found out. */
  readonly state: HoldingState;
  /** Of the state; absent for `holds`, and where it is not known. */
  readonly since?: string;
  /** Envoy's own words; '' where there are none. */
  readonly error: string;
  /** The form of the rule that it acts by; absent: none, or not known any more. */
  readonly has?: { readonly generation: number; readonly isPresent: boolean };
}

export interface RuleInspection {
  readonly rule: RuleReport;
  /** The generation that proxies are to hold; absent: the rule is not in force. */
  readonly inForce?: number;
  readonly counts: Readonly<Record<HoldingState, number>>;
  /** Rejected first, then in doubt, pending, and those that hold it. */
  readonly items: readonly RuleHolding[];
  /** Give it back as `?continue=`; absent on the last page. */
  readonly continue?: string;
}

/** An endpoint as a proxy holds it. */
export interface PathEndpoint {
  readonly address: string;
  readonly port: number;
  /** 0 is wanted; each later level takes over what those before it cannot. */
  readonly priority: number;
  /** Envoy's word: `HEALTHY`, `UNHEALTHY`, `DRAINING`, `UNKNOWN` (counts as healthy). */
  readonly health: string;
  readonly locality: Locality;
  /** Of its locality within the level; absent: by the number of endpoints. */
  readonly localityWeight?: number;
  /** Absent: 1. */
  readonly weight?: number;
  /** These three as the catalog knows the address; '' where it does not. */
  readonly version: string;
  readonly cluster: string;
  readonly workload: string;
}

export interface PathCluster {
  readonly name: string;
  /** Envoy's discovery type: `EDS`, `ORIGINAL_DST`, `STRICT_DNS`, …; '' where the view does not have it. */
  readonly type: string;
  /** Envoy's load balancing policy. */
  readonly balancing: string;
  readonly endpoints: readonly PathEndpoint[];
  /** Endpoints that are left out here, for there are too many. */
  readonly omitted: number;
}

export interface PathRoute {
  readonly name: string;
  /** `namespace/name` of the rule that it comes from; '' for none. */
  readonly rule: string;
  /** In words: `path prefix /api, header x-user = a`; '' for all requests. */
  readonly match: string;
  /** `forward`, `redirect to …`, `answer 503`. */
  readonly action: string;
  readonly clusters: readonly { readonly name: string; readonly percent: number }[];
}

/** A request for which the route is looked for. */
export interface AskedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** One way that a connection to the host may take. */
export interface RequestWay {
  /** `HTTP`, `TLS for api.example.com`, `TCP`. */
  readonly traffic: string;
  readonly table?: string;
  readonly virtualHost?: {
    readonly name: string;
    readonly domains: readonly string[];
    /** No service has the host: this is what is done with the rest. */
    readonly isCatchAll: boolean;
  };
  readonly routes: readonly PathRoute[];
  /** Where a request was given: how many routes were looked at, and the one that takes it, counted from 1; 0: none, `routes` is empty. */
  readonly taken?: { readonly position: number; readonly of: number };
}

/** What one proxy would use for a request to a host. */
export interface RequestPath {
  readonly host: string;
  readonly port: number;
  readonly listener: string;
  readonly ways: readonly RequestWay[];
  /** Every Envoy cluster that a way names, in their order. */
  readonly clusters: readonly PathCluster[];
}

export interface ProxyRequestPath extends RequestPath {
  readonly proxy: {
    readonly nodeId: string;
    readonly workload: string;
    readonly namespace: string;
    readonly cluster: string;
    readonly config: ConfigMode;
    readonly interception: 'captured' | 'explicit' | 'grpc';
  };
  /** Whether it holds what is shown here. */
  readonly types: ProxyReport['types'];
}
