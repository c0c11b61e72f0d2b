/** A rule's match in Envoy's words. A path's prefix matches whole path elements, as in Gateway API; its start matches characters. */

import type { NamedMatch, PathMatch, RouteMatch, StringMatch } from '../model/rule.ts';
import type { Plain } from './proto/encode.ts';
import { safeMethodsPattern } from './route-retry.ts';

export const matchAll: Plain = { prefix: '/' };

/** `isSafe`: where the match names no method, requests with a safe one alone. Undefined takes everything. */
export function routeMatch(match: RouteMatch | undefined, isSafe = false): Plain {
  const method: readonly NamedMatch[] =
    match?.method === undefined
      ? isSafe
        ? [{ name: ':method', match: { kind: 'regex', value: safeMethodsPattern } }]
        : []
      : [{ name: ':method', match: { kind: 'exact', value: match.method } }];
  if (match === undefined) return { ...matchAll, headers: method.map(headerMatch) };
  return {
    ...pathMatch(match.path),
    headers: [...method, ...match.headers].map(headerMatch),
    query_parameters: match.queryParams.map(namedMatch),
  };
}

/** Whoever asks is decided before (sources.ts). */
export function takesEverything({ path, method, headers, queryParams }: RouteMatch): boolean {
  const anyPath = path === undefined || ((path.kind === 'prefix' || path.kind === 'start') && path.value === '/');
  return anyPath && method === undefined && headers.length === 0 && queryParams.length === 0;
}

function pathMatch(path: PathMatch | undefined): Plain {
  if (path === undefined) return matchAll;
  if (path.ignoreCase === true && path.kind !== 'regex') {
    const { ignoreCase: _, ...plain } = path;
    return { ...pathMatch(plain), case_sensitive: false };
  }
  if (path.kind === 'exact') return { path: path.value };
  if (path.kind === 'regex') return { safe_regex: { regex: path.value } };
  if (path.kind === 'start') return { prefix: path.value };
  // `/api/` and `/api` are one prefix; Envoy wants it without the slash at the end.
  const prefix = path.value.replace(/\/+$/, '');
  return prefix === '' ? matchAll : { path_separated_prefix: prefix };
}

function headerMatch({ name, match, not }: NamedMatch): Plain {
  const matched = namedMatch({ name: name.toLowerCase() === 'host' ? ':authority' : name, match });
  if (not !== true) return matched;
  // A header that is not there has no such value either.
  const missing = matched['present_match'] === undefined ? { treat_missing_header_as_empty: true } : {};
  return { ...matched, invert_match: matched['invert_match'] !== true, ...missing };
}

function namedMatch({ name, match }: NamedMatch): Plain {
  if (match.kind === 'present') return { name, present_match: true, ...(match.present ? {} : { invert_match: true }) };
  // Envoy refuses an empty prefix; it holds for any value.
  if (match.kind === 'prefix' && match.value === '') return { name, present_match: true };
  return { name, string_match: stringMatch(match) };
}

function stringMatch(match: StringMatch): Plain {
  if (match.kind === 'regex') return { safe_regex: { regex: match.value } };
  return { [match.kind]: match.value };
}
