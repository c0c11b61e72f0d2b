/** GRPCRoutes: checked as their CRD checks them, and made into routes. */

import type { Path } from '../rules/findings.ts';
import type { Sound } from '../rules/structure.ts';
import { buildBackendFilters, buildFilters } from './build-filters.ts';
import { checkFilters } from './check-filters.ts';
import { checkMatchCount } from './parse-http.ts';
import { buildGrpcMatch, checkGrpcMatch, type MatchSink } from './parse-matches.ts';
import { buildBackend, checkBackend, type RouteFindings } from './parse-references.ts';
import type { RouteBackend, RouteRule, Unsupported } from './route.ts';
import type { RawGrpcRoute, RawGrpcRule } from './schema-routes.ts';

export function checkGrpcRoute(spec: Sound<RawGrpcRoute>, findings: RouteFindings): void {
  const rules = spec.rules ?? [];
  const total = rules.reduce((sum, rule) => sum + (rule?.matches?.length ?? 0), 0);
  checkMatchCount(total, findings);
  for (const [i, rule] of rules.entries()) {
    const path = ['spec', 'rules', i];
    for (const [j, match] of (rule?.matches ?? []).entries()) checkGrpcMatch(match, [...path, 'matches', j], findings);
    checkFilters(rule?.filters, [...path, 'filters'], findings);
    for (const [j, backend] of (rule?.backendRefs ?? []).entries()) {
      checkBackend(backend, [...path, 'backendRefs', j], findings);
      checkFilters(backend?.filters, [...path, 'backendRefs', j, 'filters'], findings);
    }
  }
}

export function buildGrpcRule(
  rule: RawGrpcRule,
  name: string,
  path: Path,
  namespace: string,
  shared: Omit<MatchSink, 'unsupported'>,
): RouteRule {
  const unsupported: Unsupported[] = [];
  const sink: MatchSink = { ...shared, unsupported };
  const {
    actions,
    mirrors,
    unsupported: ofFilters,
  } = buildFilters(rule.filters ?? [], namespace, [...path, 'filters']);
  unsupported.push(...ofFilters);
  const given = rule.matches === undefined || rule.matches.length === 0 ? [{}] : rule.matches;
  const matches = given.map((match, i) => buildGrpcMatch(match, [...path, 'matches', i], sink));
  const backends = (rule.backendRefs ?? []).map((backend, i): RouteBackend => {
    const at = [...path, 'backendRefs', i];
    const { unsupported: ofBackend, ...changes } = buildBackendFilters(backend.filters, namespace, [...at, 'filters']);
    unsupported.push(...ofBackend);
    return { ...buildBackend(backend, namespace, at), weight: backend.weight ?? 1, ...changes };
  });
  if (rule.sessionPersistence !== undefined)
    unsupported.push({ path: [...path, 'sessionPersistence'], message: 'sessionPersistence is not supported' });
  return { name, matches, backends, mirrors, actions, unsupported };
}
