/** HTTPRoutes: checked as their CRD checks them, and made into routes. */

import { defaultMeshSettings } from '../model/mesh.ts';
import type { RouteRetry } from '../model/rule.ts';
import { durationMs } from '../rules/objects/duration.ts';
import { formatPath, type Path } from '../rules/objects/findings.ts';
import type { Sound } from '../rules/objects/structure.ts';
import { buildRule, type SharedSink } from './build-rule.ts';
import { checkFilters } from './check-filters.ts';
import { buildHttpMatch, checkHttpMatch } from './parse-matches.ts';
import { checkBackend, type RouteFindings } from './parse-references.ts';
import type { RouteRule, RuleActions } from './route.ts';
import type { RawHttpRoute, RawHttpRule } from './schema-routes.ts';

const matchesMax = 128;

export function checkHttpRoute(spec: Sound<RawHttpRoute>, findings: RouteFindings): void {
  const rules = spec.rules ?? [];
  const total = rules.reduce((sum, rule) => sum + (rule?.matches?.length ?? 1), 0);
  checkMatchCount(total, findings);
  for (const [i, rule] of rules.entries()) if (rule !== undefined) checkRule(rule, ['spec', 'rules', i], findings);
}

export function checkMatchCount(total: number, findings: RouteFindings): void {
  if (total <= matchesMax) return;
  const message = `the rules have ${total} matches together, and ${matchesMax} are allowed`;
  findings.error('FW-GWAPI-009', ['spec', 'rules'], message, 'Split the route');
}

function checkRule(rule: Sound<RawHttpRule>, path: Path, findings: RouteFindings): void {
  for (const [i, match] of (rule.matches ?? []).entries()) checkHttpMatch(match, [...path, 'matches', i], findings);
  checkFilters(rule.filters, [...path, 'filters'], findings);
  for (const [i, backend] of (rule.backendRefs ?? []).entries()) {
    checkBackend(backend, [...path, 'backendRefs', i], findings);
    checkFilters(backend?.filters, [...path, 'backendRefs', i, 'filters'], findings);
  }
  const redirects = (rule.filters ?? []).some((filter) => filter?.requestRedirect !== undefined);
  if (redirects && (rule.backendRefs?.length ?? 0) > 0) {
    const message = `${formatPath(path)} has a RequestRedirect and backendRefs`;
    findings.error('FW-GWAPI-006', [...path, 'backendRefs'], message, 'Remove one of the two');
  }
  checkPrefixChange(rule, path, findings);
  checkTimeouts(rule.timeouts, [...path, 'timeouts'], findings);
}

function checkPrefixChange(rule: Sound<RawHttpRule>, path: Path, findings: RouteFindings): void {
  const filters = [...(rule.filters ?? []), ...(rule.backendRefs ?? []).flatMap((backend) => backend?.filters ?? [])];
  const changes = filters.flatMap((filter) => [filter?.requestRedirect?.path, filter?.urlRewrite?.path]);
  if (changes.every((change) => change?.replacePrefixMatch === undefined)) return;
  const matches = rule.matches ?? [{}];
  const { type = 'PathPrefix' } = matches[0]?.path ?? {};
  if (matches.length === 1 && type === 'PathPrefix') return;
  const message = `${formatPath(path)} replaces the prefix that it matched, and has not exactly one match, by PathPrefix`;
  findings.error('FW-GWAPI-007', [...path, 'matches'], message, 'Split the rule', path);
}

function checkTimeouts(timeouts: Sound<RawHttpRule>['timeouts'], path: Path, findings: RouteFindings): void {
  const request = durationMs(timeouts?.request ?? '') ?? 0;
  const backendRequest = durationMs(timeouts?.backendRequest ?? '') ?? 0;
  if (request === 0 || backendRequest <= request) return;
  const message = `backendRequest (${timeouts?.backendRequest}) is longer than request (${timeouts?.request})`;
  findings.error('FW-GWAPI-008', [...path, 'backendRequest'], message, 'Make it at most as long');
}

/** `name`: the rule's, in the route. */
export function buildHttpRule(
  rule: RawHttpRule,
  name: string,
  path: Path,
  namespace: string,
  shared: SharedSink,
): RouteRule {
  const built = buildRule({ rule, name, path, namespace, shared, buildMatch: buildHttpMatch });
  if (built.actions.cors !== undefined) warnOfPreflights(rule, path, shared);
  return { ...built, actions: { ...built.actions, ...limitsOf(rule, path, shared) } };
}

function limitsOf(
  { timeouts, retry }: RawHttpRule,
  path: Path,
  { findings }: SharedSink,
): Pick<RuleActions, 'requestTimeoutMs' | 'backendRequestTimeoutMs' | 'retry'> {
  // 0 means: no limit.
  const request = durationMs(timeouts?.request ?? '') || undefined;
  const backendRequest = durationMs(timeouts?.backendRequest ?? '') || undefined;
  if (retry?.backoff !== undefined) {
    const message =
      'proxies wait a random part of a pause that begins at backoff and grows, so they may try again sooner';
    findings.warn('FW-GWAPI-027', [...path, 'retry', 'backoff'], message, 'Nothing, if that is well');
  }
  return {
    ...(request === undefined ? {} : { requestTimeoutMs: request }),
    ...(backendRequest === undefined ? {} : { backendRequestTimeoutMs: backendRequest }),
    ...(retry === undefined ? {} : { retry: retryOf(retry) }),
  };
}

function retryOf({ codes = [], attempts, backoff }: NonNullable<RawHttpRule['retry']>): RouteRetry {
  const fallback = defaultMeshSettings.defaultRetry;
  const baseMs = durationMs(backoff ?? '') || undefined;
  return {
    attempts: attempts ?? fallback.attempts,
    on: fallback.on,
    statusCodes: codes.toSorted((a, b) => a - b),
    ...(baseMs === undefined ? {} : { backoff: { baseMs, maxMs: 10 * baseMs } }),
  };
}

function warnOfPreflights({ matches = [] }: RawHttpRule, path: Path, { findings }: SharedSink): void {
  if (matches.length === 0 || matches.some(({ method = 'OPTIONS' }) => method === 'OPTIONS')) return;
  const message = 'CORS has no effect on preflights: they are OPTIONS requests, and no match of the rule takes those';
  findings.warn('FW-GWAPI-028', [...path, 'matches'], message, 'Add a match with method: OPTIONS');
}
