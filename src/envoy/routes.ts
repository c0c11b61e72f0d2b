/**
 * A service's routes for one of its ports, in Envoy's words: the actions of the rule in force, in its order.
 */

import type { MeshService, MeshSettings } from '../model/mesh.ts';
import type { HeaderChange, OtherService, RouteMatch, RuleBackend, RuleRoute } from '../model/rule.ts';
import { ruleId } from '../model/rule.ts';
import type { Place } from '../model/service-policy.ts';
import { hashPolicy } from './cluster-balancing.ts';
import { fairwayMetadata } from './common.ts';
import { outboundCluster, serviceHost } from './names.ts';
import { connectionRoute, requestRoutes, sniRoutes } from './port-routes.ts';
import { durationMs, type Plain } from './proto/encode.ts';
import { filtersOfRoute, rateLimitAction, runtimeFraction } from './route-filters.ts';
import { headersToAdd } from './route-headers.ts';
import { matchAll, routeMatch } from './route-match.ts';
import { redirectAction, rewriteAction } from './route-path.ts';
import { retryPolicy } from './route-retry.ts';

/** Never throws for rules that src/rules accepted. A request that no route matches gets Envoy's 404. */
export function httpRoutes(service: MeshService, port: number, settings: MeshSettings): readonly Plain[] {
  return requestRoutes(service, port).flatMap((route) => {
    const shared = sharedParts(service, route, port);
    const action = actionOf(service, route, port, settings);
    const matches = route.matches.length === 0 ? [undefined] : route.matches;
    return matches.map((match) => ({
      ...shared,
      ...action(match),
      match: match === undefined ? matchAll : routeMatch(match),
    }));
  });
}

function sharedParts({ rule, catalog, policy }: MeshService, route: RuleRoute, port: number): Plain {
  const protocol = catalog.ports.find((each) => each.port === port && each.transport === 'TCP')?.protocol ?? 'http';
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
): (match: RouteMatch | undefined) => Plain {
  const { redirect, respond, rewrite } = route;
  if (redirect !== undefined) return (match) => ({ redirect: redirectAction(redirect, match) });
  if (respond !== undefined) return () => answer(respond.status, respond.body);
  const destination = clusterShares(route.backends, service, port, settings);
  if (destination.length === 0) {
    const rule = service.rule === undefined ? 'the mesh' : ruleId(service.rule);
    return () => answer(500, `fairway: route ${route.name} of ${rule} has no backend that takes requests\n`);
  }
  const forward = forwardAction(service, route, destination, port, settings);
  const requestHeaders: Plain = {
    request_headers_to_add: headersToAdd(route.requestHeaders),
    request_headers_to_remove: route.requestHeaders.remove,
  };
  if (rewrite === undefined) return () => ({ ...requestHeaders, route: forward });
  return (match) => ({ ...requestHeaders, route: { ...forward, ...rewriteAction(rewrite, match) } });
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
    ...toClusters(destination),
    // Otherwise it is 503, as for a service that has no endpoints.
    ...(leadsElsewhere(route) ? { cluster_not_found_response_code: 'INTERNAL_SERVER_ERROR' } : {}),
    // Envoy's own default is 15 s, which would end downloads and streams that nobody limited.
    timeout: durationMs(route.requestTimeoutMs ?? 0),
    ...(idleTimeoutMs === undefined ? {} : { idle_timeout: durationMs(idleTimeoutMs) }),
    ...(maxStreamMs === undefined ? {} : { max_stream_duration: { max_stream_duration: durationMs(maxStreamMs) } }),
    retry_policy: retryPolicy(route, settings.defaultRetry, service.placement?.preference !== undefined),
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
  /** Header changes for its share, in Envoy's words. */
  readonly headers?: Plain;
}

/** The name of no Envoy cluster: what leads there is answered as a route to nothing. */
const refusedCluster = 'refused';

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
function clusterShares(
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

/** In Envoy both TCP proxies and routes name one Envoy cluster or a weighted list of them, in the same words. */
export function toClusters(shares: readonly ClusterShare[]): Plain {
  const [only, ...rest] = shares;
  if (rest.length === 0 && only?.headers === undefined) return { cluster: only?.name };
  return {
    weighted_clusters: { clusters: shares.map(({ name, weight, headers }) => ({ name, weight, ...headers })) },
  };
}
