/**
 * A service's routes for one of its ports, in Envoy's words: the actions of the rule in force, in its order.
 */

import type { MeshService, MeshSettings } from '../model/mesh.ts';
import type { HeaderChange, OtherService, RouteMatch, RuleBackend, RuleRoute } from '../model/rule.ts';
import { ruleId } from '../model/rule.ts';
import type { AppProtocol } from '../model/service.ts';
import type { Place } from '../model/service-policy.ts';
import { choosesBackend, hashPolicy } from './cluster-balancing.ts';
import { fairwayMetadata } from './common.ts';
import { faultFilter } from './http-filters.ts';
import { blackHoleCluster, outboundCluster, serviceHost } from './names.ts';
import { connectionRoute, requestRoutes, sniRoutes } from './port-routes.ts';
import { any, durationMs, type Plain } from './proto/encode.ts';
import { filtersOfRoute, fractionalPercent, rateLimitAction, runtimeFraction } from './route-filters.ts';
import { headersToAdd } from './route-headers.ts';
import { routeMatch } from './route-match.ts';
import { redirectAction, rewriteAction } from './route-path.ts';
import { isSafeMethod, retriesSafeOnes, retryPolicy } from './route-retry.ts';

/** Never throws for rules that src/rules accepted. A request that no route matches gets Envoy's 404. */
export function httpRoutes(service: MeshService, port: number, settings: MeshSettings): readonly Plain[] {
  return requestRoutes(service, port).flatMap((route) => {
    const shared = sharedParts(service, route, port);
    const action = actionOf(service, route, port, settings);
    const matches = route.matches.length === 0 ? [undefined] : route.matches;
    return matches
      .flatMap((match) => waysOf(service, route, match, port))
      .map(({ match, isSafe }) => ({
        ...shared,
        ...action(match, isSafe),
        match: routeMatch(match, isSafe),
      }));
  });
}

interface Way {
  readonly match: RouteMatch | undefined;
  /** For requests alone that may be sent again whatever became of them. */
  readonly isSafe: boolean;
}

/** Retries are a route's in Envoy: where safe requests have others, they have a route of their own, before that of all. */
function waysOf(service: MeshService, route: RuleRoute, match: RouteMatch | undefined, port: number): readonly Way[] {
  const isSent = route.redirect === undefined && route.respond === undefined;
  // All of gRPC's requests have one method, which is not safe.
  if (!isSent || protocolOf(service, port) === 'grpc' || !retriesSafeOnes(route, isSplit(service))) {
    return [{ match, isSafe: false }];
  }
  if (match?.method !== undefined) return [{ match, isSafe: isSafeMethod(match.method) }];
  return [
    { match, isSafe: true },
    { match, isSafe: false },
  ];
}

function isSplit({ placement }: MeshService): boolean {
  return placement?.preference !== undefined;
}

function protocolOf({ catalog }: MeshService, port: number): AppProtocol {
  return catalog.ports.find((each) => each.port === port && each.transport === 'TCP')?.protocol ?? 'http';
}

function sharedParts(service: MeshService, route: RuleRoute, port: number): Plain {
  const { rule, policy } = service;
  const protocol = protocolOf(service, port);
  return {
    name: route.name,
    metadata:
      rule === undefined
        ? undefined
        : fairwayMetadata({ rule: ruleId(rule), route: route.name, ...stays(policy?.within) }),
    typed_per_filter_config: filtersOfRoute(route, protocol),
    response_headers_to_add: headersToAdd(route.responseHeaders),
    response_headers_to_remove: route.responseHeaders.remove,
  };
}

/** What the route does, for one of its matches: of the proxy's own accord, or by sending the request on. */
function actionOf(
  service: MeshService,
  route: RuleRoute,
  port: number,
  settings: MeshSettings,
): (match: RouteMatch | undefined, isSafe: boolean) => Plain {
  const { redirect, respond, rewrite, unusableStatus: unusable = 500 } = route;
  if (redirect !== undefined) return (match) => ({ redirect: redirectAction(redirect, match) });
  if (respond !== undefined) return () => answer(respond.status, respond.body);
  const destination = clusterShares(route.backends, service, port, settings);
  if (destination.length === 0) {
    const rule = service.rule === undefined ? 'the mesh' : ruleId(service.rule);
    return () => answer(unusable, `fairway: route ${route.name} of ${rule} has no backend that takes requests\n`);
  }
  if (destination.every(({ name }) => name === refusedCluster)) {
    const reasons = new Set(route.backends.flatMap(({ weight, refused = [] }) => (weight > 0 ? refused : [])));
    return () => answer(unusable, `fairway: route ${route.name}: ${[...reasons].join('; ')}\n`);
  }
  const forward = forwardAction(service, route, destination, port, settings);
  const retries = (isSafe: boolean): Plain => ({
    retry_policy: retryPolicy(route, settings.defaultRetry, isSplit(service), isSafe),
  });
  const requestHeaders: Plain = {
    request_headers_to_add: headersToAdd(route.requestHeaders),
    request_headers_to_remove: route.requestHeaders.remove,
  };
  return (match, isSafe) => ({
    ...requestHeaders,
    route: { ...forward, ...retries(isSafe), ...(rewrite === undefined ? {} : rewriteAction(rewrite, match)) },
  });
}

/** The Envoy clusters that a port's requests are copied to: no request of a proxy's own leads there. */
export function mirrorClusters(service: MeshService, port: number, settings: MeshSettings): readonly string[] {
  const mirrors = requestRoutes(service, port).flatMap((route) => route.mirrors ?? []);
  return [
    ...new Set(mirrors.map(({ destination, service: to }) => clusterOf([destination], to, service, port, settings))),
  ];
}

function answer(status: number, body: string): Plain {
  return { direct_response: { status, ...(body === '' ? {} : { body: { inline_string: body } }) } };
}

function forwardAction(
  service: MeshService,
  route: RuleRoute,
  destination: readonly ClusterShare[],
  port: number,
  settings: MeshSettings,
): Plain {
  const { idleTimeoutMs, maxStreamMs, mirrors = [] } = route;
  return {
    ...toClusters(
      destination.map((share) => (share.name === refusedCluster ? refusedShare(share, route) : share)),
      choosesBackend(service.policy),
    ),
    // Otherwise it is 503, as for a service that has no endpoints.
    ...(leadsElsewhere(route) && route.unusableStatus === undefined
      ? { cluster_not_found_response_code: 'INTERNAL_SERVER_ERROR' }
      : {}),
    // Envoy's own default is 15 s, which would end downloads and streams that nobody limited.
    timeout: durationMs(route.requestTimeoutMs ?? 0),
    ...(idleTimeoutMs === undefined ? {} : { idle_timeout: durationMs(idleTimeoutMs) }),
    ...(maxStreamMs === undefined ? {} : { max_stream_duration: { max_stream_duration: durationMs(maxStreamMs) } }),
    hash_policy: hashPolicy(service.policy),
    request_mirror_policies: mirrors.map(({ destination: to, service: other, percent }) => ({
      cluster: clusterOf([to], other, service, port, settings),
      runtime_fraction: runtimeFraction(percent),
    })),
    ...rateLimitAction(route),
  };
}

/** For local-replies.ts: why nothing outside of the place helps. */
function stays(within: Place | undefined): Plain {
  if (within === undefined) return {};
  const { region, zone, cluster } = within;
  const parts = Object.entries({ region, zone, cluster }).filter(([, name]) => name !== '');
  return { within: `, and its traffic must stay within ${parts.map(([kind, name]) => `${kind} ${name}`).join(', ')}` };
}

export interface ClusterShare {
  readonly name: string;
  readonly weight: number;
  /** What else is done for its share, in Envoy's words. */
  readonly headers?: Plain;
}

/** What stands for a backend that is refused; no Envoy cluster's name. */
export const refusedCluster = 'refused';

/** An Envoy cluster that is always there, for a sidecar on demand would wait for any other; and an answer before anything is sent to it. */
function refusedShare({ weight }: ClusterShare, { unusableStatus }: RuleRoute): ClusterShare {
  const abort = { http_status: unusableStatus ?? 500, percentage: fractionalPercent(100) };
  const answerAll = any('envoy.extensions.filters.http.fault.v3.HTTPFault', {
    abort,
    disable_downstream_cluster_stats: true,
  });
  return { name: blackHoleCluster, weight, headers: { typed_per_filter_config: { [faultFilter]: answerAll } } };
}

function leadsElsewhere({ backends }: RuleRoute): boolean {
  return backends.some(({ service, refused }) => service !== undefined || refused !== undefined);
}

function clusterOf(
  chain: RuleBackend['chain'],
  other: OtherService | undefined,
  { catalog }: MeshService,
  port: number,
  { clusterDomain }: MeshSettings,
): string {
  return outboundCluster(other?.port ?? port, chain, serviceHost(other ?? catalog, clusterDomain));
}

/** The Envoy clusters that take requests; backends with equal chains, and without header changes of their own, are one. */
export function clusterShares(
  backends: readonly RuleBackend[],
  service: MeshService,
  port: number,
  settings: MeshSettings,
): ClusterShare[] {
  const shares = new Map<string, number>();
  const apart: ClusterShare[] = [];
  for (const { weight, chain, service: other, refused, requestHeaders, responseHeaders } of backends) {
    if (weight === 0) continue;
    const name = refused === undefined ? clusterOf(chain, other, service, port, settings) : refusedCluster;
    if (requestHeaders === undefined && responseHeaders === undefined)
      shares.set(name, (shares.get(name) ?? 0) + weight);
    else apart.push({ name, weight, headers: shareHeaders(requestHeaders, responseHeaders) });
  }
  return [...[...shares].map(([name, weight]) => ({ name, weight })), ...apart];
}

function shareHeaders(request: HeaderChange | undefined, response: HeaderChange | undefined): Plain {
  return {
    ...(request === undefined
      ? {}
      : { request_headers_to_add: headersToAdd(request), request_headers_to_remove: request.remove }),
    ...(response === undefined
      ? {}
      : { response_headers_to_add: headersToAdd(response), response_headers_to_remove: response.remove }),
  };
}

export function connectionShares(service: MeshService, port: number, settings: MeshSettings): readonly ClusterShare[] {
  return clusterShares(connectionRoute(service, port).backends, service, port, settings);
}

/** Where the TLS connections of a port go whose names have routes of their own. */
export function sniShares(
  service: MeshService,
  port: number,
  settings: MeshSettings,
): readonly { readonly names: readonly string[]; readonly shares: readonly ClusterShare[] }[] {
  return sniRoutes(service, port).map(({ sni, backends }) => ({
    names: sni,
    shares: clusterShares(backends, service, port, settings),
  }));
}

/**
 * In Envoy both TCP proxies and routes name one Envoy cluster or a weighted list of them, in the same words. `byHash`, of routes: what belongs
 * together goes to one of them.
 */
export function toClusters(given: readonly ClusterShare[], byHash = false): Plain {
  const shares = given.map((share) => (share.name === refusedCluster ? { ...share, name: blackHoleCluster } : share));
  const [only, ...rest] = shares;
  if (rest.length === 0 && only?.headers === undefined) return { cluster: only?.name };
  return {
    weighted_clusters: {
      clusters: shares.map(({ name, weight, headers }) => ({ name, weight, ...headers })),
      ...(byHash ? { use_hash_policy: true } : {}),
    },
  };
}
