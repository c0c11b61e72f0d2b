/** GRPCRoutes: checked as their CRD checks them, and made into routes. */

import type { Path } from '../rules/objects/findings.ts';
import type { Sound } from '../rules/objects/structure.ts';
import { buildRule, type SharedSink } from './build-rule.ts';
import { checkFilters } from './check-filters.ts';
import { checkMatchCount } from './parse-http.ts';
import { buildGrpcMatch, checkGrpcMatch } from './parse-matches.ts';
import { checkBackend, type RouteFindings } from './parse-references.ts';
import type { RouteRule } from './route.ts';
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

/** `name`: the rule's, in the route. */
export function buildGrpcRule(
  rule: RawGrpcRule,
  name: string,
  path: Path,
  namespace: string,
  shared: SharedSink,
): RouteRule {
  return buildRule({ rule, name, path, namespace, shared, buildMatch: buildGrpcMatch });
}
