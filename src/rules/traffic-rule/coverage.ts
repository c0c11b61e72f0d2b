/**
 * Which matches and destinations are covered by others: a route behind one that covers it never takes a request, and a fallback behind an
 * entry that covers it has no endpoint of its own. Errs on the side of "not covered" (two regular expressions are only compared as text).
 */

import { isDeepStrictEqual } from 'node:util';
import type { Destination, NamedMatch, PathMatch, RouteMatch, RuleRoute, SourceMatch } from '../../model/rule.ts';

/** Every endpoint of `inner` is one of `outer`. */
export function coversDestination(outer: Destination, inner: Destination): boolean {
  return (
    (outer.version === '' || outer.version === inner.version) &&
    (outer.cluster === '' || outer.cluster === inner.cluster) &&
    (outer.region === '' || outer.region === inner.region) &&
    (outer.zone === '' || outer.zone === inner.zone)
  );
}

/** The first route that takes every request that `routes[index]` could take; undefined when some may be left for it. */
export function coveringRoute(routes: readonly RuleRoute[], index: number): RuleRoute | undefined {
  const route = routes[index];
  if (route === undefined) return undefined;
  const earlier = routes.slice(0, index).filter((other) => coversKind(other, route));
  let last: RuleRoute | undefined;
  for (const match of alternatives(route)) {
    const covering = earlier.find((candidate) => alternatives(candidate).some((outer) => coversMatch(outer, match)));
    if (covering === undefined) return undefined;
    last ??= covering;
  }
  return last;
}

/** Whether every request meets a route that takes it, on each port that has routes. */
export function takesEverything(routes: readonly RuleRoute[]): boolean {
  const forRequests = routes.filter(({ takes }) => takes !== 'connections');
  const ports = new Set(forRequests.flatMap((route) => route.ports ?? []));
  const groups = [...ports].map((port) => forRequests.filter((route) => route.ports?.includes(port) ?? true));
  const general = forRequests.filter((route) => route.ports === undefined);
  return [...groups, ...(general.length === 0 ? [] : [general])].every((group) =>
    group.some((route) => alternatives(route).some((match) => coversMatch(match, everyRequest))),
  );
}

/** Whatever `inner` takes, of requests and connections and on which ports, is of a kind that `outer` takes too. */
function coversKind(outer: RuleRoute, inner: RuleRoute): boolean {
  if (outer.sni !== undefined && !(inner.sni?.every((name) => outer.sni?.includes(name)) ?? false)) return false;
  if (outer.takes !== undefined && outer.takes !== inner.takes) return false;
  const { ports } = outer;
  return ports === undefined || (inner.ports?.every((port) => ports.includes(port)) ?? false);
}

const everyRequest: RouteMatch = { headers: [], queryParams: [] };

function alternatives(route: RuleRoute): readonly RouteMatch[] {
  return route.matches.length === 0 ? [everyRequest] : route.matches;
}

/** Every request that satisfies `inner` satisfies `outer`. */
function coversMatch(outer: RouteMatch, inner: RouteMatch): boolean {
  return (
    coversSource(outer.source, inner.source) &&
    coversPath(outer.path, inner.path) &&
    (outer.method === undefined || outer.method === inner.method) &&
    outer.headers.every((condition) => inner.headers.some((other) => coversNamed(condition, other))) &&
    outer.queryParams.every((condition) => inner.queryParams.some((other) => coversNamed(condition, other)))
  );
}

function coversSource(outer: SourceMatch | undefined, inner: SourceMatch | undefined): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  return (
    (outer.cluster === '' || outer.cluster === inner.cluster) &&
    (outer.namespace === '' || outer.namespace === inner.namespace) &&
    Object.entries(outer.labels).every(([key, value]) => inner.labels[key] === value)
  );
}

function coversPath(outer: PathMatch | undefined, inner: PathMatch | undefined): boolean {
  if (outer === undefined || ((outer.kind === 'prefix' || outer.kind === 'start') && outer.value === '/')) return true;
  if (inner === undefined) return false;
  if (outer.ignoreCase !== inner.ignoreCase) return false;
  if (outer.kind === 'start' && inner.kind !== 'regex') return inner.value.startsWith(outer.value);
  // What begins with these characters may go on within an element.
  if (outer.kind === 'prefix' && inner.kind === 'start') return inner.value.startsWith(`${outer.value}/`);
  if (outer.kind === 'prefix' && inner.kind !== 'regex')
    return inner.value === outer.value || inner.value.startsWith(`${outer.value}/`);
  return outer.kind === inner.kind && outer.value === inner.value;
}

function coversNamed(outer: NamedMatch, inner: NamedMatch): boolean {
  if (outer.name !== inner.name) return false;
  if (outer.not === true || inner.not === true) return isDeepStrictEqual(outer, inner);
  const { match } = outer;
  if (match.kind === 'present' || inner.match.kind === 'present') {
    const isThere = inner.match.kind !== 'present' || inner.match.present;
    return match.kind === 'present' && match.present === isThere;
  }
  if (match.kind === 'prefix' && inner.match.kind !== 'regex') return inner.match.value.startsWith(match.value);
  return match.kind === inner.match.kind && match.value === inner.match.value;
}
