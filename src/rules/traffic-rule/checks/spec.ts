/**
 * What a schema cannot say. In: a spec whose parts all have the right type (or are missing). Out: findings. The CEL rules of schema/ say the
 * same to the API server, except for what only shows here: too large expressions, headers changed twice, names that clash with defaults.
 */

import { durationMs } from '../../objects/duration.ts';
import type { Findings, Path } from '../../objects/findings.ts';
import { show, trimWords } from '../../objects/findings.ts';
import type { Sound } from '../../objects/structure.ts';
import { judgeRegex, maxRegexStepsPerRule, type RegexBudget } from '../regex.ts';
import { unchangeableHeaders } from '../schema/headers.ts';
import { headerMatchWays, maxRegexLength, queryMatchWays } from '../schema/match.ts';
import type { RawBackend, RawHeaderChange, RawHeaderMatch, RawMatch, RawRoute, RawSpec } from '../schema/spec.ts';
import { maxMatchesPerRule } from '../schema/spec.ts';
import { checkActions } from './actions.ts';
import { checkConnections } from './connections.ts';
import { checkPlaces, checkSource } from './place.ts';
import { checkPolicy } from './policy.ts';

type List<T> = readonly (Sound<T> | undefined)[] | undefined;

export function defaultRouteName(index: number): string {
  return `route-${index}`;
}

export function checkSpec(spec: Sound<RawSpec>, findings: Findings): void {
  checkPolicy(spec, findings);
  checkPlaces(spec, findings);
  const routes = spec.routes ?? [];
  checkRouteNames(routes, findings);
  checkMatchCount(routes, findings);
  const budget: RegexBudget = { left: maxRegexStepsPerRule };
  for (const [i, route] of routes.entries()) {
    if (route !== undefined) checkRoute(route, ['spec', 'routes', i], findings, budget);
  }
}

function checkRouteNames(routes: readonly (Sound<RawRoute> | undefined)[], findings: Findings): void {
  const first = new Map<string, number>();
  for (const [i, route] of routes.entries()) {
    const name = route?.name ?? defaultRouteName(i);
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, i);
      continue;
    }
    // Of two, the one that was given its name is to be renamed.
    const given = route?.name === undefined ? before : i;
    const message = `routes ${before} and ${i} are both named ${name}; each route must have a name of its own`;
    findings.error('FW-RULE-014', ['spec', 'routes', given, 'name'], message, 'Rename one of them');
  }
}

function checkMatchCount(routes: readonly (Sound<RawRoute> | undefined)[], findings: Findings): void {
  const count = routes.reduce((sum, route) => sum + (route?.matches?.length ?? 0), 0);
  if (count <= maxMatchesPerRule) return;
  const message = `all routes together must have at most ${maxMatchesPerRule} matches; they have ${count}`;
  findings.error(
    'FW-RULE-023',
    ['spec', 'routes'],
    message,
    'Use prefix or regex where they can stand for several matches',
  );
}

function checkRoute(route: Sound<RawRoute>, path: Path, findings: Findings, budget: RegexBudget): void {
  for (const [i, match] of (route.matches ?? []).entries()) {
    if (match !== undefined) checkMatch(match, [...path, 'matches', i], findings, budget);
  }
  checkWeights(route.backends, [...path, 'backends'], findings);
  for (const [i, backend] of (route.backends ?? []).entries()) {
    const at = [...path, 'backends', i];
    checkHeaderChange(backend?.requestHeaders, [...at, 'requestHeaders'], findings);
    checkHeaderChange(backend?.responseHeaders, [...at, 'responseHeaders'], findings);
  }
  checkActions(route, path, findings);
  for (const name of ['redirect', 'rewrite'] as const) {
    const at = [...path, name, 'path', 'regex', 'match'];
    checkRegex(route[name]?.path?.regex?.match, at, findings, budget);
  }
  checkConnections(route, path, findings);
  checkTimeouts(route.timeouts, [...path, 'timeouts'], findings);
  if (route.retry?.on !== undefined && route.retry.true !== undefined) {
    const message = 'must not have both on and true: they mean the same';
    findings.error('FW-RULE-039', [...path, 'retry', 'true'], message, 'Keep on');
  }
  checkHeaderChange(route.requestHeaders, [...path, 'requestHeaders'], findings);
  checkHeaderChange(route.responseHeaders, [...path, 'responseHeaders'], findings);
}

function checkMatch(match: Sound<RawMatch>, path: Path, findings: Findings, budget: RegexBudget): void {
  if (match.path !== undefined) {
    const at = [...path, 'path'];
    checkOneOf(match.path, ['exact', 'prefix', 'startsWith', 'regex'], at, findings);
    checkNormalPath(match.path.exact, [...at, 'exact'], findings);
    checkNormalPath(match.path.prefix, [...at, 'prefix'], findings);
    checkNormalPath(match.path.startsWith, [...at, 'startsWith'], findings);
    if (match.path.ignoreCase !== undefined && match.path.regex !== undefined) {
      const message = 'ignoreCase is not for regex';
      findings.error(
        'FW-RULE-184',
        [...at, 'ignoreCase'],
        message,
        'Begin the expression with (?i), and remove ignoreCase',
      );
    }
    checkRegex(match.path.regex, [...at, 'regex'], findings, budget);
  }
  checkSource(match.source, [...path, 'source'], findings);
  checkNamedMatches(match.headers, headerMatchWays, [...path, 'headers'], findings, budget);
  checkNamedMatches(match.queryParams, queryMatchWays, [...path, 'queryParams'], findings, budget);
}

function checkNamedMatches(
  matches: List<RawHeaderMatch>,
  ways: readonly string[],
  path: Path,
  findings: Findings,
  budget: RegexBudget,
): void {
  for (const [i, match] of (matches ?? []).entries()) {
    if (match === undefined) continue;
    checkOneOf(match, ways, [...path, i], findings);
    checkRegex(match.regex, [...path, i, 'regex'], findings, budget);
  }
}

/** A field of the wrong type counts as given: that it is wrong has been said already. */
function checkOneOf(match: object, names: readonly string[], path: Path, findings: Findings): void {
  const given = names.filter((name) => Object.hasOwn(match, name));
  if (given.length === 1) return;
  const has = given.length === 0 ? 'none' : given.join(' and ');
  const hint = given.length === 0 ? `Add one of ${names.join(', ')}` : `Keep one of ${given.join(', ')}`;
  findings.error('FW-RULE-015', path, `must have exactly one of ${names.join(', ')}; it has ${has}`, hint);
}

function checkNormalPath(value: string | undefined, path: Path, findings: Findings): void {
  if (value === undefined) return;
  const closed = `${value}/`;
  const bad = ['/./', '/../'].find((part) => closed.includes(part)) ?? (value.includes('//') ? '//' : undefined);
  if (bad === undefined) return;
  const message = `must not hold "//", "/./" or "/../": requests are normalised before they are matched; it is ${show(value)}`;
  findings.error('FW-RULE-016', path, message, `Write the path without ${show(bad)}`);
}

function checkRegex(value: string | undefined, path: Path, findings: Findings, budget: RegexBudget): void {
  // Longer ones are refused by the schema, and never compiled.
  if (value === undefined || value === '' || value.length > maxRegexLength) return;
  const verdict = judgeRegex(value, budget);
  if (verdict.kind === 'good') return;
  if (verdict.kind === 'not-tried') {
    const message = `the regular expressions of the rule are too large together: those before this one come to ${maxRegexStepsPerRule} steps`;
    if (verdict.isFirst) findings.error('FW-RULE-018', path, message, 'Use fewer or shorter ones');
    return;
  }
  const said = `${show(value)}: ${trimWords(verdict.message, 200)}`;
  if (verdict.kind === 'too-large') {
    findings.error(
      'FW-RULE-018',
      path,
      `the regular expression is too large; ${said}`,
      'Lower its repeat counts, or use prefix',
    );
  } else {
    const hint =
      'Write it in RE2 syntax (no look-around, no back-references): https://github.com/google/re2/wiki/Syntax';
    findings.error('FW-RULE-017', path, `must be a regular expression in RE2 syntax; ${said}`, hint);
  }
}

function checkWeights(backends: List<RawBackend>, path: Path, findings: Findings): void {
  if (backends === undefined || backends.length === 0) return;
  // A backend or a weight of the wrong type has its own finding, and might be above zero.
  const allZero = backends.every((backend) => backend?.weight === 0);
  if (allZero)
    findings.error(
      'FW-RULE-025',
      path,
      'at least one backend must have a weight above 0',
      'Give a backend a weight, or delete the route',
    );
}

function checkTimeouts(timeouts: Sound<RawRoute['timeouts']>, path: Path, findings: Findings): void {
  if (timeouts?.request === undefined || timeouts.backendRequest === undefined) return;
  const request = durationMs(timeouts.request);
  const backendRequest = durationMs(timeouts.backendRequest);
  if (request === undefined || backendRequest === undefined || request === 0 || backendRequest <= request) return;
  const message = `backendRequest must not be longer than request; it is ${timeouts.backendRequest}, and request is ${timeouts.request}`;
  findings.error('FW-RULE-031', [...path, 'backendRequest'], message, `Give at most ${timeouts.request}`);
}

const unchangeable: ReadonlySet<string> = new Set(unchangeableHeaders);

function checkHeaderChange(change: Sound<RawHeaderChange> | undefined, path: Path, findings: Findings): void {
  if (change === undefined) return;
  const firstUse = new Map<string, string>();
  const see = (name: string | undefined, use: string, at: Path): void => {
    if (name === undefined) return;
    const key = name.toLowerCase();
    if (unchangeable.has(key)) {
      const message = `must not be one of ${unchangeableHeaders.join(', ')}: they belong to the connection or to routing; it is ${show(name)}`;
      findings.error('FW-RULE-034', at, message, 'Remove this change');
    }
    const before = firstUse.get(key);
    if (before === undefined) firstUse.set(key, use);
    // A header may be added several times, each time with another value.
    else if (before !== 'add' || use !== 'add') {
      findings.error(
        'FW-RULE-036',
        at,
        `${show(name)} is changed twice, by ${before} and by ${use}`,
        'Keep one of the two',
      );
    }
  };
  for (const [i, header] of (change.set ?? []).entries()) see(header?.name, 'set', [...path, 'set', i, 'name']);
  for (const [i, header] of (change.add ?? []).entries()) see(header?.name, 'add', [...path, 'add', i, 'name']);
  const removed = new Set<string>();
  for (const [i, name] of (change.remove ?? []).entries()) {
    // The same spelling twice breaks the schema already.
    if (name === undefined || removed.has(name)) continue;
    removed.add(name);
    see(name, 'remove', [...path, 'remove', i]);
  }
}
