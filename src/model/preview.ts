/**
 * What people are told before something is in force: plain JSON with stable names, as report.ts.
 */

import type { Finding } from '../core/errors.ts';
import type { RouteMatch } from './rule.ts';

/** Requests that endpoints of one version, cluster and zone are expected to take. */
export interface Share {
  /** '' where the workloads say none. */
  readonly version: string;
  readonly cluster: string;
  readonly region: string;
  readonly zone: string;
  /** Of all requests of the route: above 0, at most 1. */
  readonly share: number;
}

/** Requests that no endpoint takes. */
export interface Unserved {
  /**
   * - `no-endpoints`: the chain names none that could take a request; the proxy answers 503.
   * - `nothing-within`: the same, and the service's traffic may not leave its place.
   * - `no-backend`: every backend has the weight 0; the proxy answers 500.
   * - `answered-by-proxy`: a redirect, or an answer that the rule gives.
   * - `outside`: they leave the mesh; who takes them there is not known.
   * - `other-service`: they go to endpoints of another service, whose shares they are.
   * - `refused`: the backend may not be used; the proxy answers 500.
   */
  readonly reason:
    | 'answered-by-proxy'
    | 'no-backend'
    | 'no-endpoints'
    | 'nothing-within'
    | 'other-service'
    | 'outside'
    | 'refused';
  /** Of all requests of the route: above 0, at most 1. */
  readonly share: number;
}

/** All of it sums to 1. */
export interface ExpectedShares {
  /** Sorted by version, cluster, region and zone. */
  readonly shares: readonly Share[];
  /** Sorted by reason. */
  readonly unserved: readonly Unserved[];
}

export interface RouteShares extends ExpectedShares {
  /** [] matches everything. */
  readonly matches: readonly RouteMatch[];
}

/** One route on ports that treat it alike, as it is and as it would be; absent: there is no such route. */
export interface RouteMove {
  readonly route: string;
  readonly ports: readonly number[];
  readonly before?: RouteShares;
  readonly after?: RouteShares;
}

export type ResourceChange = 'added' | 'changed' | 'removed';

/** One resource that proxies would be told of. */
export interface PreviewedResource {
  /** CDS, EDS, LDS, RDS or VHDS. */
  readonly type: string;
  readonly name: string;
  readonly change: ResourceChange;
}

/** Proxies that get the same. */
export interface PreviewedProxies {
  readonly cluster: string;
  readonly namespace: string;
  readonly mode: 'captured' | 'explicit' | 'grpc';
  readonly transport: 'sotw' | 'delta';
  readonly config: 'tables' | 'vhds' | 'on-demand';
  readonly proxies: number;
  /** `workload.namespace`, sorted, up to a bound. */
  readonly names: readonly string[];
  /** Sorted by type and name, up to a bound; `omitted` are left out here and counted in `counts`. */
  readonly resources: readonly PreviewedResource[];
  readonly omitted: number;
  readonly counts: Readonly<Record<ResourceChange, number>>;
  /** Virtual hosts that come, change or go, whether they travel by themselves or in a table; sorted, up to the same bound. */
  readonly virtualHosts: readonly { readonly name: string; readonly change: ResourceChange }[];
  /** What a proxy would be sent, without the framing of messages; on demand at most this, for it is sent what it asked for. */
  readonly bytes: number;
}

/** How requests of certain proxies to one service would move. */
export interface ServiceMove {
  /** `namespace/name`; for a host outside its name. */
  readonly service: string;
  /** `namespace/name` of the rule in force. */
  readonly ruleBefore?: string;
  readonly ruleAfter?: string;
  /** Sets of proxies for which requests move alike; the largest first. */
  readonly views: readonly {
    /** Clusters of the proxies, sorted; with no proxy connected [], for a proxy in no place, or those that see it alike. */
    readonly from: readonly string[];
    readonly proxies: number;
    readonly routes: readonly RouteMove[];
  }[];
}

/** The answer to `fairway diff`. */
export interface PreviewReport {
  /** What would become of each object that was given, in their order. */
  readonly objects: readonly {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly action: 'created' | 'configured' | 'unchanged' | 'invalid' | 'not-compared';
  }[];
  /** Of the objects; an error means that nothing was compared. */
  readonly findings: readonly Finding[];
  /** The rule in force for some service would be another. */
  readonly changed: boolean;
  /** The services of these rules that there are, sorted. */
  readonly services: readonly ServiceMove[];
  /** Proxies that would be sent something; by cluster, namespace and the rest of what tells them apart. */
  readonly proxies: readonly PreviewedProxies[];
  /** Sets of proxies beyond the bound, which were not looked at. */
  readonly proxiesOmitted: number;
  readonly totals: { readonly proxies: number; readonly changed: number; readonly bytes: number };
}
