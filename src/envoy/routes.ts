/**
 * A service's routes for one of its ports, in Envoy's words: the actions of the rule in force, in its order.
 */

import type { MeshService, MeshSettings } from '../model/mesh.ts';
import type { HeaderChange, RouteRetry, RuleBackend, RuleRoute } from '../model/rule.ts';
import { anywhere, ruleId } from '../model/rule.ts';
import { fairwayMetadata } from './common.ts';
import { outboundCluster, serviceHost } from './names.ts';
import { constantAny, durationMs, type Plain } from './proto/encode.ts';
import { matchAll, routeMatch } from './route-match.ts';

/** Never throws for rules that src/rules accepted. A request that no route matches gets Envoy's 404. */
export function httpRoutes(service: MeshService, port: number, settings: MeshSettings): readonly Plain[] {
  return service.routes.flatMap((route) => {
    const shared = routeWithoutMatch(service, route, port, settings);
    const matches = route.matches.length === 0 ? [matchAll] : route.matches.map(routeMatch);
    return matches.map((match) => ({ ...shared, match }));
  });
}

function routeWithoutMatch(service: MeshService, route: RuleRoute, port: number, settings: MeshSettings): Plain {
  const { rule } = service;
  const shared = {
    name: route.name,
    metadata: rule === undefined ? undefined : fairwayMetadata({ rule: ruleId(rule), route: route.name }),
  };
  const destination = clusterShares(route.backends, service, port, settings);
  if (destination.length === 0) {
    const words = `fairway: route ${route.name} of ${rule === undefined ? 'the mesh' : ruleId(rule)} has no backend that takes requests\n`;
    return { ...shared, direct_response: { status: 500, body: { inline_string: words } } };
  }
  return {
    ...shared,
    route: {
      ...toClusters(destination),
      // Envoy's own default is 15 s, which would end downloads and streams that nobody limited.
      timeout: durationMs(route.requestTimeoutMs ?? 0),
      retry_policy: retryPolicy(route, settings.defaultRetry),
    },
    request_headers_to_add: headersToAdd(route.requestHeaders),
    request_headers_to_remove: route.requestHeaders.remove,
    response_headers_to_add: headersToAdd(route.responseHeaders),
    response_headers_to_remove: route.responseHeaders.remove,
  };
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
export function connectionShares(service: MeshService, port: number, settings: MeshSettings): readonly ClusterShare[] {
  const route = service.routes.find(({ matches }) => matches.length === 0);
  const shares = clusterShares(route?.backends ?? [], service, port, settings);
  if (shares.length > 0) return shares;
  return [{ name: outboundCluster(port, [anywhere], serviceHost(service.catalog, settings.clusterDomain)), weight: 1 }];
}

/** In Envoy both TCP proxies and routes name one Envoy cluster or a weighted list of them, in the same words. */
export function toClusters(shares: readonly ClusterShare[]): Plain {
  const [only, ...rest] = shares;
  return rest.length === 0
    ? { cluster: only?.name }
    : { weighted_clusters: { clusters: shares.map(({ name, weight }) => ({ name, weight })) } };
}

const previousHosts: Plain = {
  name: 'envoy.retry_host_predicates.previous_hosts',
  typed_config: constantAny('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'),
};

/**
 * A retry leaves a level of the chain once it was tried often enough, so that a level that is lost, but not yet reported so, is left: after two
 * tries, for one failure may be a single workload's; after one, if there is but one retry.
 */
function previousPriorities(attempts: number): Plain {
  return attempts > 1 ? afterTwoTries : afterOneTry;
}

const [afterOneTry, afterTwoTries] = [leaveAfter(1), leaveAfter(2)] as const;

function leaveAfter(tries: number): Plain {
  return {
    name: 'envoy.retry_priorities.previous_priorities',
    typed_config: constantAny('envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig', {
      update_frequency: tries,
    }),
  };
}

function retryPolicy(route: RuleRoute, fallback: RouteRetry): Plain | undefined {
  const retry = route.retry ?? fallback;
  const perTry = route.backendRequestTimeoutMs;
  // Envoy keeps the limit of one try in the retry policy, where it holds with no retries too.
  const limit = perTry === undefined ? {} : { per_try_timeout: durationMs(perTry) };
  if (retry.attempts === 0) return perTry === undefined ? undefined : { num_retries: 0, ...limit };
  const hasLevels = route.backends.some(({ weight, chain }) => weight > 0 && chain.length > 1);
  return {
    retry_on: [...retry.on, ...(retry.statusCodes.length > 0 ? ['retriable-status-codes'] : [])].join(','),
    retriable_status_codes: retry.statusCodes,
    num_retries: retry.attempts,
    retry_host_predicate: [previousHosts],
    host_selection_retry_max_attempts: 5,
    retry_priority: hasLevels ? previousPriorities(retry.attempts) : undefined,
    ...limit,
  };
}

function headersToAdd(change: HeaderChange): Plain[] {
  return [
    ...change.set.map((header) => headerOption(header, 'OVERWRITE_IF_EXISTS_OR_ADD')),
    ...change.add.map((header) => headerOption(header, 'APPEND_IF_EXISTS_OR_ADD')),
  ];
}

/** Values are meant as they stand: Envoy's own substitutions (`%…%`) are switched off by doubling the sign. */
function headerOption({ name, value }: { readonly name: string; readonly value: string }, action: string): Plain {
  return { header: { key: name, value: value.replaceAll('%', '%%') }, append_action: action, keep_empty_value: true };
}
