/**
 * Route tables (RDS) of a service for proxyless gRPC clients, one per port: the routes of the rule in force, in its order, as far as a gRPC client
 * can do what they say (findings.ts tells what it cannot).
 *
 * What always holds: a route leads to the Envoy clusters that it leads to for sidecars, with the same weights, for both are made by routes.ts.
 * What a sidecar would answer itself fails here with the status that a gRPC client would read out of that answer, by an abort of the fault
 * filter: clients refuse a table with any other action than to forward.
 * https://github.com/grpc/proposal/blob/master/A28-xds-traffic-splitting-and-routing.md, A31 (timeouts), A33 (faults), A42 (hashes), A44 (retries)
 */

import type { EncodedResource } from '../../core/resource.ts';
import { typeUrl } from '../../core/type-urls.ts';
import type { MeshService, MeshSettings } from '../../model/mesh.ts';
import { anywhere, type RouteRetry, type RuleRoute, ruleId } from '../../model/rule.ts';
import type { ServicePolicy } from '../../model/service-policy.ts';
import { fairwayMetadata } from '../common.ts';
import { faultFilter } from '../http-filters.ts';
import { outboundCluster, serviceHost } from '../names.ts';
import { clusterTargets } from '../path-routes.ts';
import { requestRoutes } from '../port-routes.ts';
import { any, durationMs, encodeResource, type Plain } from '../proto/encode.ts';
import { fractionalPercent, httpFault } from '../route-filters.ts';
import { matchAll } from '../route-match.ts';
import { type ClusterShare, clusterShares, connectionShares, refusedCluster } from '../routes.ts';
import { isHttp } from '../virtual-hosts.ts';
import { announcing, leadingToHeld } from './announcement.ts';
import { grpcMatches } from './match.ts';
import { askablePorts, routeTableName } from './names.ts';

/** `service`: as those see it who ask (sources.ts). */
export function grpcRouteTables(service: MeshService, settings: MeshSettings): readonly EncodedResource[] {
  const host = serviceHost(service.catalog, settings.clusterDomain);
  return askablePorts(service.catalog).map((port) => {
    const name = routeTableName(host, port.port);
    const routes = isHttp(port, settings)
      ? requestRoutes(service, port.port).flatMap((route) => routesOf(service, route, port.port, settings))
      : [connection(service, port.port, settings)];
    const table = encodeResource(typeUrl.route, name, { name, virtual_hosts: [{ name, domains: ['*'], routes }] });
    const names = service.catalog.upstream?.kind === 'dns' ? [] : clustersOf(routes);
    const resumed = (held: ReadonlySet<string>, missing: readonly string[]): EncodedResource | undefined =>
      leadingToHeld(table, held, missing);
    return { ...table, announce: { names, before: announcing, resumed } };
  });
}

/** The Envoy clusters that routes lead to, and so the assignments; sorted. */
function clustersOf(routes: readonly Plain[]): readonly string[] {
  const names = routes.flatMap(({ route }) => clusterTargets(route as Plain).map(({ name }) => name));
  return [...new Set(names)].sort();
}

function routesOf(service: MeshService, route: RuleRoute, port: number, settings: MeshSettings): Plain[] {
  const matches = (route.matches.length === 0 ? [undefined] : route.matches).flatMap(grpcMatches);
  const action = actionOf(service, route, port, settings);
  // For people who look at what a client holds; it reads none of it.
  const metadata =
    service.rule === undefined ? undefined : fairwayMetadata({ rule: ruleId(service.rule), route: route.name });
  return matches.map((match) => ({ name: route.name, match, metadata, ...action }));
}

/** A port that is said to speak something else: as a plain connection, which no route's matches concern. */
function connection(service: MeshService, port: number, settings: MeshSettings): Plain {
  const shares = connectionShares(service, port, settings);
  const route = { ...toClusters(shares, service, port, settings), hash_policy: hashPolicy(service.policy) };
  return { name: 'default', match: matchAll, route };
}

function actionOf(service: MeshService, route: RuleRoute, port: number, settings: MeshSettings): Plain {
  const { respond, redirect, backends, fault } = route;
  const shares = clusterShares(backends, service, port, settings);
  if (respond !== undefined || redirect !== undefined || shares.length === 0) {
    const status = respond?.status ?? redirect?.statusCode ?? 500;
    return {
      route: { cluster: ownCluster(service, port, settings) },
      typed_per_filter_config: { [faultFilter]: abort(grpcStatusOf(status), fault?.delay) },
    };
  }
  return {
    route: {
      ...toClusters(shares, service, port, settings),
      max_stream_duration: timeout(route),
      retry_policy: grpcRetryPolicy(route.retry ?? settings.defaultRetry),
      hash_policy: hashPolicy(service.policy),
    },
    ...(fault === undefined ? {} : { typed_per_filter_config: { [faultFilter]: httpFault(fault, 'grpc') } }),
  };
}

/** One that is always there, for routes that lead nowhere. */
function ownCluster({ catalog }: MeshService, port: number, { clusterDomain }: MeshSettings): string {
  return outboundCluster(port, [anywhere], serviceHost(catalog, clusterDomain));
}

function toClusters(
  shares: readonly ClusterShare[],
  service: MeshService,
  port: number,
  settings: MeshSettings,
): Plain {
  const [only, ...rest] = shares;
  if (rest.length === 0 && only?.name !== refusedCluster) return { cluster: only?.name };
  const clusters = shares.map(({ name, weight }) =>
    name === refusedCluster
      ? {
          name: ownCluster(service, port, settings),
          weight,
          typed_per_filter_config: { [faultFilter]: abort(grpcStatusOf(500)) },
        }
      : { name, weight },
  );
  return { weighted_clusters: { clusters } };
}

function abort(grpcStatus: number, delay?: NonNullable<RuleRoute['fault']>['delay']): Plain {
  if (delay === undefined)
    return any('envoy.extensions.filters.http.fault.v3.HTTPFault', {
      abort: { grpc_status: grpcStatus, percentage: fractionalPercent(100) },
    });
  return httpFault({ delay, abort: { percent: 100, grpcStatus } }, 'grpc');
}

/** https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
const statuses: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);

/** What a gRPC client makes of an HTTP status without a gRPC one: UNKNOWN where nothing fits. */
export function grpcStatusOf(httpStatus: number): number {
  return statuses.get(httpStatus) ?? 2;
}

/** The limit that the client puts on a call, whatever its own deadline. */
function timeout({ requestTimeoutMs, maxStreamMs }: RuleRoute): Plain | undefined {
  const limits = [requestTimeoutMs, maxStreamMs].flatMap((limit) => limit ?? []);
  return limits.length === 0 ? undefined : { grpc_timeout_header_max: durationMs(Math.min(...limits)) };
}

const retriedCodes: ReadonlySet<string> = new Set([
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

/** The gRPC codes that are retried; what never left the client it tries again anyway. */
export function grpcRetryCodes({ on }: RouteRetry): readonly string[] {
  return on.filter((condition) => retriedCodes.has(condition));
}

function grpcRetryPolicy(retry: RouteRetry): Plain | undefined {
  const codes = grpcRetryCodes(retry);
  // A client refuses a policy with no retries.
  if (retry.attempts === 0 || codes.length === 0) return undefined;
  const { backoff } = retry;
  return {
    retry_on: codes.join(','),
    num_retries: retry.attempts,
    ...(backoff === undefined
      ? {}
      : { retry_back_off: { base_interval: durationMs(backoff.baseMs), max_interval: durationMs(backoff.maxMs) } }),
  };
}

/** A client has no source but itself: all of its calls belong together. Cookies and queries a call does not have. */
function hashPolicy(policy: ServicePolicy | undefined): readonly Plain[] | undefined {
  const affinity = policy?.affinity;
  if (affinity?.kind === 'header') return [{ header: { header_name: affinity.name.toLowerCase() } }];
  if (affinity?.kind === 'source-ip') return [{ filter_state: { key: 'io.grpc.channel_id' } }];
  return undefined;
}
