/**
 * A valid spec with its defaults applied, as the mesh takes it. What has no effect is left out with a warning: a fallback that adds no
 * endpoint, a backend that stands there twice.
 *
 * What always holds of the result: header names to match, set, add and remove are in lower case; a prefix path has no closing slash unless it
 * is "/"; the chains of one route differ; lists that are said to be sorted are.
 */

import type {
  Destination,
  HeaderChange,
  NamedMatch,
  PathMatch,
  RouteMatch,
  RuleBackend,
  RuleRoute,
} from '../../../model/rule.ts';
import { chainName, destinationName, toDestination } from '../../../model/rule.ts';
import type { Findings, Path } from '../../objects/findings.ts';
import { defaultRouteName } from '../checks/spec.ts';
import { coveringRoute, coversDestination, takesEverything } from '../coverage.ts';
import type { RawBackend, RawHeaderChange, RawHeaderMatch, RawMatch, RawRoute, RawSpec } from '../schema/spec.ts';
import { buildActions, buildRetry, limitMs, otherService, type ServiceName } from './actions.ts';
import { buildSource } from './place.ts';

/** `namespace`: the rule's. */
export function buildRoutes(spec: RawSpec, namespace: string, findings: Findings): readonly RuleRoute[] {
  const own = { namespace, name: spec.service };
  if (spec.routes === undefined) return [buildRoute({ name: 'default', backends: [{}] }, own, 0, findings)];
  const routes = spec.routes.map((route, i) => buildRoute(route, own, i, findings));
  for (const [i, route] of routes.entries()) {
    const covering = coveringRoute(routes, i);
    if (covering === undefined) continue;
    const message = `route ${route.name} can never match: ${covering.name} comes first and takes all of its requests`;
    findings.warn(
      'FW-RULE-037',
      ['spec', 'routes', i],
      message,
      `Move ${route.name} before ${covering.name}, or remove it`,
    );
  }
  if (!takesEverything(routes)) {
    const message = 'a request that matches none of the routes is answered with 404';
    findings.warn('FW-RULE-038', ['spec', 'routes'], message, 'Add a last route without matches, unless this is meant');
  }
  return routes;
}

function buildRoute(route: RawRoute, own: ServiceName, index: number, findings: Findings): RuleRoute {
  const request = limitMs(route.timeouts?.request);
  const backendRequest = limitMs(route.timeouts?.backendRequest);
  return {
    name: route.name ?? defaultRouteName(index),
    matches: (route.matches ?? []).map(buildMatch),
    ...(route.ports === undefined ? {} : { ports: route.ports.toSorted((a, b) => a - b) }),
    ...(route.takes === undefined ? {} : { takes: route.takes }),
    ...(route.sni === undefined ? {} : { sni: route.sni }),
    backends: buildBackends(route.backends ?? [], own, ['spec', 'routes', index, 'backends'], findings),
    ...buildActions(route, own, findings, ['spec', 'routes', index]),
    ...(request === undefined ? {} : { requestTimeoutMs: request }),
    ...(backendRequest === undefined ? {} : { backendRequestTimeoutMs: backendRequest }),
    ...(route.retry === undefined ? {} : { retry: buildRetry(route.retry) }),
    requestHeaders: buildHeaderChange(route.requestHeaders),
    responseHeaders: buildHeaderChange(route.responseHeaders),
  };
}

function buildMatch(match: RawMatch): RouteMatch {
  const source = buildSource(match.source);
  return {
    ...(source === undefined ? {} : { source }),
    ...(match.path === undefined ? {} : { path: buildPathMatch(match.path) }),
    ...(match.method === undefined ? {} : { method: match.method }),
    headers: (match.headers ?? []).map((header) => ({ ...buildNamedMatch(header), name: header.name.toLowerCase() })),
    queryParams: (match.queryParams ?? []).map(buildNamedMatch),
  };
}

function buildPathMatch(path: NonNullable<RawMatch['path']>): PathMatch {
  if (path.regex !== undefined) return { kind: 'regex', value: path.regex };
  const way = path.ignoreCase === true ? ({ ignoreCase: true } as const) : {};
  if (path.exact !== undefined) return { kind: 'exact', value: path.exact, ...way };
  if (path.startsWith !== undefined) return { kind: 'start', value: path.startsWith, ...way };
  const prefix = path.prefix ?? '/';
  return { kind: 'prefix', value: prefix.length > 1 && prefix.endsWith('/') ? prefix.slice(0, -1) : prefix, ...way };
}

function buildNamedMatch(raw: RawHeaderMatch): NamedMatch {
  return raw.not === true ? { ...buildHeldMatch(raw), not: true } : buildHeldMatch(raw);
}

function buildHeldMatch({ name, value, prefix, regex, present }: RawHeaderMatch): NamedMatch {
  if (present !== undefined) return { name, match: { kind: 'present', present } };
  if (value !== undefined) return { name, match: { kind: 'exact', value } };
  if (prefix !== undefined) return { name, match: { kind: 'prefix', value: prefix } };
  return { name, match: { kind: 'regex', value: regex ?? '' } };
}

function buildBackends(
  backends: readonly RawBackend[],
  own: ServiceName,
  path: Path,
  findings: Findings,
): readonly RuleBackend[] {
  const byChain = new Map<string, { first: number; backend: RuleBackend }>();
  for (const [i, raw] of backends.entries()) {
    const chain = buildChain(raw, [...path, i], findings);
    const weight = raw.weight ?? 1;
    const service = otherService(own, raw);
    const special = {
      ...(service === undefined ? {} : { service }),
      ...(raw.requestHeaders === undefined ? {} : { requestHeaders: buildHeaderChange(raw.requestHeaders) }),
      ...(raw.responseHeaders === undefined ? {} : { responseHeaders: buildHeaderChange(raw.responseHeaders) }),
    };
    const name = chainName(chain);
    const key = `${name} ${JSON.stringify(special)}`;
    const same = byChain.get(key);
    if (same === undefined) {
      byChain.set(key, { first: i, backend: { weight, chain, ...special } });
      continue;
    }
    const sum = same.backend.weight + weight;
    const message = `backends ${same.first} and ${i} are the same (${name === '' ? 'any endpoint' : name}); together they weigh ${sum}`;
    findings.warn('FW-RULE-028', [...path, i], message, `Write it once, with weight: ${sum}`);
    byChain.set(key, { first: same.first, backend: { ...same.backend, weight: sum } });
  }
  return [...byChain.values()].map(({ backend }) => backend);
}

function buildChain(backend: RawBackend, path: Path, findings: Findings): readonly Destination[] {
  const chain: Destination[] = [toDestination(backend)];
  for (const [i, raw] of (backend.fallback ?? []).entries()) {
    const destination = toDestination(raw);
    const covering = chain.find((earlier) => coversDestination(earlier, destination));
    if (covering === undefined) {
      chain.push(destination);
      continue;
    }
    const message = `this fallback is never used: all of its endpoints belong to ${destinationName(covering) || '{} (any endpoint)'}, which comes first`;
    findings.warn('FW-RULE-029', [...path, 'fallback', i], message, 'Remove it, or put it before the wider one');
  }
  return chain;
}

function buildHeaderChange(change: RawHeaderChange | undefined): HeaderChange {
  const lower = ({ name, value }: { readonly name: string; readonly value: string }) => ({
    name: name.toLowerCase(),
    value,
  });
  return {
    set: (change?.set ?? []).map(lower),
    add: (change?.add ?? []).map(lower),
    remove: (change?.remove ?? []).map((name) => name.toLowerCase()),
  };
}
