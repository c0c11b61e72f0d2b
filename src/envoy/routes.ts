/**
 * A service's routes for one of its ports, in Envoy's words: the actions of the rule in force, in its order.
 */

import type { MeshService, MeshSettings } from '../model/mesh.ts';
import type { RouteMatch, RuleBackend, RuleRoute } from '../model/rule.ts';
import { anywhere, ruleId } from '../model/rule.ts';
import type { Place } from '../model/service-policy.ts';
import { hashPolicy } from './cluster-balancing.ts';
import { fairwayMetadata } from './common.ts';
import { outboundCluster, serviceHost } from './names.ts';
import { durationMs, type Plain } from './proto/encode.ts';
import { filtersOfRoute, rateLimitAction, runtimeFraction } from './route-filters.ts';
import { headersToAdd } from './route-headers.ts';
import { matchAll, routeMatch, takesEverything } from './route-match.ts';
import { redirectAction, rewriteAction } from './route-path.ts';
import { retryPolicy } from './route-retry.ts';

/** Never throws for rules that src/rules accepted. A request that no route matches gets Envoy's 404. */
export function httpRoutes(service: MeshService, port: number, settings: MeshSettings): readonly Plain[] {
  return service.routes.flatMap((route) => {
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
  const host = serviceHost(service.catalog, settings.clusterDomain);
  const destinations = service.routes.flatMap(({ mirrors = [] }) => mirrors.map(({ destination }) => destination));
  return [...new Set(destinations.map((destination) => outboundCluster(port, [destination], host)))];
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
  const host = serviceHost(service.catalog, settings.clusterDomain);
  return {
    ...toClusters(destination),
    // Envoy's own default is 15 s, which would end downloads and streams that nobody limited.
    timeout: durationMs(route.requestTimeoutMs ?? 0),
    ...(idleTimeoutMs === undefined ? {} : { idle_timeout: durationMs(idleTimeoutMs) }),
    ...(maxStreamMs === undefined ? {} : { max_stream_duration: { max_stream_duration: durationMs(maxStreamMs) } }),
    retry_policy: retryPolicy(route, settings.defaultRetry, service.placement?.preference !== undefined),
    hash_policy: hashPolicy(service.policy),
    request_mirror_policies: mirrors.map(({ destination: to, percent }) => ({
      cluster: outboundCluster(port, [to], host),
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
}

/** The Envoy clusters that take requests; backends with equal chains are one. */
function clusterShares(
  backends: readonly RuleBackend[],
  service: MeshService,
  port: number,
  settings: MeshSettings,
): ClusterShare[] {
  const host = serviceHost(service.catalog, settings.clusterDomain);
  const shares = new Map<string, number>();
  for (const { weight, chain } of backends) {
    if (weight === 0) continue;
    const name = outboundCluster(port, chain, host);
    shares.set(name, (shares.get(name) ?? 0) + weight);
  }
  return [...shares].map(([name, weight]) => ({ name, weight }));
}

/**
 * Where a plain connection goes: the rule's first route that matches everything, for there is no request to match. A rule without one leaves
 * connections as they are without it.
 */
export function connectionRoute(service: MeshService): Pick<RuleRoute, 'name' | 'backends'> {
  const route = service.routes.find(({ matches }) => matches.length === 0 || matches.some(takesEverything));
  if (route?.backends.some(({ weight }) => weight > 0) === true) return route;
  return { name: 'default', backends: service.unrouted ?? [{ weight: 1, chain: [anywhere] }] };
}

export function connectionShares(service: MeshService, port: number, settings: MeshSettings): readonly ClusterShare[] {
  return clusterShares(connectionRoute(service).backends, service, port, settings);
}

/** In Envoy both TCP proxies and routes name one Envoy cluster or a weighted list of them, in the same words. */
export function toClusters(shares: readonly ClusterShare[]): Plain {
  const [only, ...rest] = shares;
  return rest.length === 0
    ? { cluster: only?.name }
    : { weighted_clusters: { clusters: shares.map(({ name, weight }) => ({ name, weight })) } };
}
