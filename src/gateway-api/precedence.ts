/**
 * Which of several matches is tried first. In: matches of one service's port, of any number of routes. Out: an order that depends on what they
 * say, on the age of their routes and on their names, never on the order in which they came.
 * https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule (matches), #grpcrouterule
 */

import { compareText } from '../core/compare-text.ts';
import type { GatewayRoute, RouteRule, WeighedMatch } from './route.ts';

/** One match of one rule of one route. */
export interface Entry {
  readonly route: GatewayRoute;
  readonly rule: RouteRule;
  /** In the route. */
  readonly ruleIndex: number;
  readonly match: WeighedMatch;
  /** In the rule. */
  readonly matchIndex: number;
}

/** Negative when `a` goes before `b`. */
export function compareEntries(a: Entry, b: Entry): number {
  return (
    compareMatches(a.match, b.match) ||
    compareRoutes(a.route, b.route) ||
    a.ruleIndex - b.ruleIndex ||
    a.matchIndex - b.matchIndex
  );
}

/** The oldest goes first, then the first by name. One without an age counts as the oldest. */
export function compareRoutes(a: GatewayRoute, b: GatewayRoute): number {
  return (
    a.createdAtMs - b.createdAtMs ||
    compareText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`) ||
    compareText(a.kind, b.kind)
  );
}

function compareMatches(a: WeighedMatch, b: WeighedMatch): number {
  if (a.method !== undefined && b.method !== undefined)
    return (
      b.method.service - a.method.service ||
      b.method.method - a.method.method ||
      b.match.headers.length - a.match.headers.length
    );
  return (
    pathRank(b.match) - pathRank(a.match) ||
    pathLength(b.match) - pathLength(a.match) ||
    Number(b.match.method !== undefined) - Number(a.match.method !== undefined) ||
    b.match.headers.length - a.match.headers.length ||
    b.match.queryParams.length - a.match.queryParams.length
  );
}

/** Expressions, of which the standard says nothing, go between: after a prefix that takes everything they would never be reached. */
function pathRank({ path }: WeighedMatch['match']): number {
  if (path?.kind === 'exact') return 2;
  return path?.kind === 'regex' ? 1 : 0;
}

function pathLength({ path }: WeighedMatch['match']): number {
  return path?.value.length ?? 1;
}
