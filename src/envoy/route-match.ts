/** A rule's match in Envoy's words. Paths follow Gateway API: a prefix matches whole path elements. */

import type { NamedMatch, RouteMatch, StringMatch } from '../model/rule.ts';
import type { Plain } from './proto/encode.ts';

export const matchAll: Plain = { prefix: '/' };

export function routeMatch(match: RouteMatch): Plain {
  const method: readonly NamedMatch[] =
    match.method === undefined ? [] : [{ name: ':method', match: { kind: 'exact', value: match.method } }];
  return {
    ...pathMatch(match.path),
    headers: [...method, ...match.headers].map(headerMatch),
    query_parameters: match.queryParams.map(namedMatch),
  };
}

/** Whoever asks is decided before (sources.ts). */
export function takesEverything({ path, method, headers, queryParams }: RouteMatch): boolean {
  const anyPath = path === undefined || (path.kind === 'prefix' && path.value === '/');
  return anyPath && method === undefined && headers.length === 0 && queryParams.length === 0;
}

function pathMatch(path: StringMatch | undefined): Plain {
  if (path === undefined) return matchAll;
  if (path.kind === 'exact') return { path: path.value };
  if (path.kind === 'regex') return { safe_regex: { regex: path.value } };
  // `/api/` and `/api` are one prefix; Envoy wants it without the slash at the end.
  const prefix = path.value.replace(/\/+$/, '');
  return prefix === '' ? matchAll : { path_separated_prefix: prefix };
}

function headerMatch({ name, match }: NamedMatch): Plain {
  return namedMatch({ name: name.toLowerCase() === 'host' ? ':authority' : name, match });
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
