/**
 * What a rule of an HTTPRoute and one of a GRPCRoute have in common. In: a sound rule, and how its matches are made. Out: the rule as routes hold it,
 * with all that it asks for and is not supported.
 */

import type { Path } from '../rules/objects/findings.ts';
import { buildBackendFilters, buildFilters } from './build-filters.ts';
import type { MatchSink } from './parse-matches.ts';
import { buildBackend } from './parse-references.ts';
import type { RouteBackend, RouteRule, Unsupported, WeighedMatch } from './route.ts';
import type { RawGrpcRule, RawHttpRule } from './schema-routes.ts';

/** What all rules of a route share. */
export type SharedSink = Omit<MatchSink, 'unsupported'>;

export interface RuleBuild<Match> {
  readonly rule: Pick<RawHttpRule & RawGrpcRule, 'filters' | 'backendRefs' | 'sessionPersistence'> & {
    readonly matches?: readonly Match[];
  };
  /** The rule's, in the route. */
  readonly name: string;
  readonly path: Path;
  /** The route's. */
  readonly namespace: string;
  readonly shared: SharedSink;
  readonly buildMatch: (match: Match | Record<string, never>, path: Path, sink: MatchSink) => WeighedMatch;
}

export function buildRule<Match>({ rule, name, path, namespace, shared, buildMatch }: RuleBuild<Match>): RouteRule {
  const unsupported: Unsupported[] = [];
  const sink: MatchSink = { ...shared, unsupported };
  const filters = buildFilters(rule.filters ?? [], namespace, [...path, 'filters']);
  unsupported.push(...filters.unsupported);
  const given = rule.matches === undefined || rule.matches.length === 0 ? [{}] : rule.matches;
  const matches = given.map((match, i) => buildMatch(match, [...path, 'matches', i], sink));
  const backends = (rule.backendRefs ?? []).map((backend, i): RouteBackend => {
    const at = [...path, 'backendRefs', i];
    const { unsupported: ofBackend, ...changes } = buildBackendFilters(backend.filters, namespace, [...at, 'filters']);
    unsupported.push(...ofBackend);
    return { ...buildBackend(backend, namespace, at), weight: backend.weight ?? 1, ...changes };
  });
  if (rule.sessionPersistence !== undefined)
    unsupported.push({
      path: [...path, 'sessionPersistence'],
      message: 'sessionPersistence is not supported; a TrafficRule can keep sessions by loadBalancing',
    });
  const { actions, mirrors } = filters;
  return { name, matches, backends, mirrors, actions, unsupported };
}
