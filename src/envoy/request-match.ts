/**
 * Which of a virtual host's routes a request takes, as Envoy decides it: the first one that matches.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routematch
 *
 * In: decoded routes, as Fairway writes them, and a request. Out: the index; -1 where none takes it, which is answered with 404. What always
 * holds: a matcher that is not known here takes nothing, so that nothing is said that is not so.
 */

import { RE2JS } from 're2js';
import type { AskedRequest } from '../model/inspection.ts';
import type { Plain } from './proto/encode.ts';

interface StringMatcher {
  readonly exact?: string;
  readonly prefix?: string;
  readonly safe_regex?: { readonly regex?: string };
}

interface NamedMatcher {
  readonly name?: string;
  readonly present_match?: boolean;
  readonly invert_match?: boolean;
  readonly treat_missing_header_as_empty?: boolean;
  readonly string_match?: StringMatcher;
}

interface RouteMatcher {
  readonly prefix?: string;
  readonly path?: string;
  readonly path_separated_prefix?: string;
  readonly safe_regex?: { readonly regex?: string };
  readonly case_sensitive?: boolean;
  readonly connect_matcher?: object;
  readonly headers?: readonly NamedMatcher[];
  readonly query_parameters?: readonly NamedMatcher[];
}

/** `authority`: as the client writes it into Host. */
export function routeTaken(routes: readonly Plain[], request: AskedRequest, authority: string): number {
  const [path = '/', query = ''] = request.path.split('?', 2);
  const headers = new Map<string, string>([
    [':method', request.method],
    [':path', request.path],
    [':authority', authority],
    [':scheme', 'http'],
  ]);
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase() === 'host' ? ':authority' : name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined || key.startsWith(':') ? value : `${before},${value}`);
  }
  const parameters = new URLSearchParams(query);
  return routes.findIndex(({ match = {} }) => {
    const matcher = match as RouteMatcher;
    return (
      takesPath(matcher, path, request.method) &&
      (matcher.headers ?? []).every((one) => holds(one, headers.get((one.name ?? '').toLowerCase()))) &&
      (matcher.query_parameters ?? []).every((one) => holds(one, parameters.get(one.name ?? '') ?? undefined))
    );
  });
}

function takesPath(match: RouteMatcher, path: string, method: string): boolean {
  if (match.connect_matcher !== undefined) return method === 'CONNECT';
  // What asks for a tunnel has no path.
  if (method === 'CONNECT') return false;
  if (match.case_sensitive === false && match.safe_regex === undefined) {
    const { case_sensitive: _, ...exact } = match;
    const lower = Object.fromEntries(Object.entries(exact).map(([key, text]) => [key, String(text).toLowerCase()]));
    return takesPath(lower, path.toLowerCase(), method);
  }
  if (match.path !== undefined) return path === match.path;
  const whole = match.path_separated_prefix;
  if (whole !== undefined) return path === whole || path.startsWith(`${whole}/`);
  if (match.safe_regex !== undefined) return isWhole(match.safe_regex, path);
  return match.prefix !== undefined && path.startsWith(match.prefix);
}

function holds(
  { present_match, invert_match, treat_missing_header_as_empty, string_match }: NamedMatcher,
  value: string | undefined,
): boolean {
  if (string_match !== undefined) {
    const text = value ?? (treat_missing_header_as_empty === true ? '' : undefined);
    return text !== undefined && isLike(string_match, text) !== (invert_match === true);
  }
  if (present_match === undefined) return false;
  return (value !== undefined) === present_match ? invert_match !== true : invert_match === true;
}

function isLike({ exact, prefix, safe_regex }: StringMatcher, value: string): boolean {
  if (exact !== undefined) return value === exact;
  if (prefix !== undefined) return value.startsWith(prefix);
  return safe_regex !== undefined && isWhole(safe_regex, value);
}

function isWhole({ regex = '' }: { readonly regex?: string }, text: string): boolean {
  return RE2JS.matches(regex, text);
}
