/**
 * Redirects and rewrites in Envoy's words. A prefix is replaced as Gateway API says: whole path elements, and one slash between what is put in
 * and what stays (`/api` → `/`: `/api/x` becomes `/x`, `/api` becomes `/`).
 */

import type { PathChange, Redirect, Rewrite } from '../model/route-filters.ts';
import type { RouteMatch } from '../model/rule.ts';
import type { Plain } from './proto/encode.ts';

const redirectCodes = {
  301: 'MOVED_PERMANENTLY',
  302: 'FOUND',
  303: 'SEE_OTHER',
  307: 'TEMPORARY_REDIRECT',
  308: 'PERMANENT_REDIRECT',
} as const satisfies Readonly<Record<Redirect['statusCode'], string>>;

/** `match`: the one of the route's that this Envoy route is for; undefined for one that takes everything. */
export function redirectAction(redirect: Redirect, match: RouteMatch | undefined): Plain {
  const { scheme, hostname, port, path, statusCode } = redirect;
  return {
    scheme_redirect: scheme,
    host_redirect: hostname,
    port_redirect: port,
    ...(path?.kind === 'full' ? { path_redirect: path.value } : {}),
    ...(path?.kind === 'prefix' ? prefixChange(path, match) : {}),
    ...(path?.kind === 'regex' ? { regex_rewrite: groups(path) } : {}),
    response_code: redirectCodes[statusCode],
  };
}

/** The part of Envoy's RouteAction that changes the URL. */
export function rewriteAction({ hostname, path }: Rewrite, match: RouteMatch | undefined): Plain {
  return {
    host_rewrite_literal: hostname,
    ...(path?.kind === 'full' ? { regex_rewrite: substitution('^.*$', path.value) } : {}),
    ...(path?.kind === 'prefix' ? prefixChange(path, match) : {}),
    ...(path?.kind === 'regex' ? { regex_rewrite: groups(path) } : {}),
  };
}

function prefixChange({ value }: PathChange, match: RouteMatch | undefined): Plain {
  // Its characters are replaced as they stand.
  if (match?.path?.kind === 'start') return { prefix_rewrite: value };
  const prefix = withoutSlash(match?.path?.kind === 'prefix' ? match.path.value : '/');
  const replacement = withoutSlash(value);
  if (prefix === replacement) return {};
  // Envoy replaces the matched text alone: the prefix '/' has a slash that must stay, and a prefix that goes must leave one.
  if (prefix === '') return { prefix_rewrite: `${replacement}/` };
  if (replacement === '') return { regex_rewrite: substitution(`^${quote(prefix)}/*`, '/') };
  return { prefix_rewrite: replacement };
}

/** '' for '/'. */
function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}

/** Its value names groups as Envoy does. */
function groups({ regex, value }: Extract<PathChange, { readonly kind: 'regex' }>): Plain {
  return { pattern: { regex }, substitution: value };
}

function substitution(regex: string, text: string): Plain {
  return { pattern: { regex }, substitution: text.replaceAll('\\', '\\\\') };
}

/** The text itself, as a regular expression of RE2's. */
function quote(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
