/**
 * Filters of rules and of backends, made into actions. What is not done here becomes a reason for which the rule lets no request through; nothing
 * is skipped.
 */

import type { Cors, PathChange, Redirect, Rewrite } from '../model/route-filters.ts';
import type { HeaderChange, StringMatch } from '../model/rule.ts';
import { formatPath, type Path } from '../rules/objects/findings.ts';
import { holdsUnwritable, percentEncoded } from '../rules/traffic-rule/request-path.ts';
import { unchangeableHeaders } from '../rules/traffic-rule/schema/headers.ts';
import { buildBackend } from './parse-references.ts';
import type { RouteMirror, RuleActions, Unsupported } from './route.ts';
import type { RawHttpFilter } from './schema-routes.ts';

export const noHeaderChange: HeaderChange = { set: [], add: [], remove: [] };

export interface BuiltFilters {
  readonly actions: Pick<RuleActions, 'redirect' | 'rewrite' | 'cors' | 'requestHeaders' | 'responseHeaders'>;
  readonly mirrors: readonly RouteMirror[];
  readonly unsupported: readonly Unsupported[];
}

export function buildFilters(filters: readonly RawHttpFilter[], ownNamespace: string, path: Path): BuiltFilters {
  const unsupported: Unsupported[] = [];
  const mirrors: RouteMirror[] = [];
  const actions: { -readonly [K in keyof BuiltFilters['actions']]: BuiltFilters['actions'][K] } = {
    requestHeaders: noHeaderChange,
    responseHeaders: noHeaderChange,
  };
  for (const [i, filter] of filters.entries()) {
    const at = [...path, i];
    const { type, requestHeaderModifier, responseHeaderModifier, requestMirror, requestRedirect, urlRewrite, cors } =
      filter;
    if (requestHeaderModifier !== undefined && type === 'RequestHeaderModifier') {
      actions.requestHeaders = headerChange(requestHeaderModifier, [...at, 'requestHeaderModifier'], unsupported);
    } else if (responseHeaderModifier !== undefined && type === 'ResponseHeaderModifier') {
      actions.responseHeaders = headerChange(responseHeaderModifier, [...at, 'responseHeaderModifier'], unsupported);
    } else if (requestMirror !== undefined && type === 'RequestMirror') {
      const to = buildBackend(requestMirror.backendRef, ownNamespace, [...at, 'requestMirror', 'backendRef']);
      mirrors.push({ ...to, percent: percentOf(requestMirror) });
    } else if (requestRedirect !== undefined && type === 'RequestRedirect') {
      refusePath(requestRedirect.path, [...at, 'requestRedirect', 'path'], unsupported);
      actions.redirect = redirectOf(requestRedirect);
    } else if (urlRewrite !== undefined && type === 'URLRewrite') {
      refusePath(urlRewrite.path, [...at, 'urlRewrite', 'path'], unsupported);
      actions.rewrite = rewriteOf(urlRewrite);
    } else if (cors !== undefined && type === 'CORS') {
      actions.cors = corsOf(cors, [...at, 'cors'], unsupported);
    } else unsupported.push({ path: at, message: `the filter ${type} is not supported` });
  }
  return { actions, mirrors, unsupported };
}

/** Of a backend: its header changes; all else is not supported there. */
export function buildBackendFilters(
  filters: readonly RawHttpFilter[] | undefined,
  ownNamespace: string,
  path: Path,
): {
  readonly requestHeaders?: HeaderChange;
  readonly responseHeaders?: HeaderChange;
  readonly unsupported: readonly Unsupported[];
} {
  if (filters === undefined || filters.length === 0) return { unsupported: [] };
  const { actions, mirrors, unsupported } = buildFilters(filters, ownNamespace, path);
  const { requestHeaders, responseHeaders, ...others } = actions;
  const beyond = Object.keys(others).length + mirrors.length > 0;
  const message = `the filters of ${formatPath(path.slice(0, -1))} do more than change headers, which is supported for rules, not for single backends`;
  return {
    ...(requestHeaders === noHeaderChange ? {} : { requestHeaders }),
    ...(responseHeaders === noHeaderChange ? {} : { responseHeaders }),
    unsupported: beyond ? [...unsupported, { path, message }] : unsupported,
  };
}

const unchangeable: ReadonlySet<string> = new Set(unchangeableHeaders);
const token = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

function headerChange(
  { set = [], add = [], remove = [] }: NonNullable<RawHttpFilter['requestHeaderModifier']>,
  path: Path,
  unsupported: Unsupported[],
): HeaderChange {
  const firstOf = (headers: typeof set, field: string): HeaderChange['set'] => {
    const byName = new Map<string, { readonly name: string; readonly value: string }>();
    for (const [i, { name, value }] of headers.entries()) {
      const lower = name.toLowerCase();
      // Of names that differ in case alone the first counts, says the standard.
      if (byName.has(lower)) continue;
      byName.set(lower, { name: lower, value });
      refuseHeader(lower, [...path, field, i, 'name'], unsupported);
      if (hasControls(value))
        unsupported.push({
          path: [...path, field, i, 'value'],
          message: `the value of ${name} has control characters`,
        });
    }
    return [...byName.values()];
  };
  for (const [i, name] of remove.entries()) refuseHeader(name.toLowerCase(), [...path, 'remove', i], unsupported);
  return {
    set: firstOf(set, 'set'),
    add: firstOf(add, 'add'),
    remove: [...new Set(remove.map((name) => name.toLowerCase()))],
  };
}

/** Proxies refuse them in headers. A tab is none here. */
function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\u0000-\u0008\u000a-\u001f\u007f]/.test(text);
}

function refuseHeader(name: string, path: Path, unsupported: Unsupported[]): void {
  if (name === 'host')
    unsupported.push({ path, message: 'Host is not changed as a header; use URLRewrite with hostname' });
  else if (unchangeable.has(name))
    unsupported.push({ path, message: `the header ${name} belongs to the connection, and is not changed` });
  else if (!token.test(name)) unsupported.push({ path, message: `${JSON.stringify(name)} is no header's name` });
}

/** In steps of 0.0001, as proxies draw. */
function percentOf({ percent, fraction }: NonNullable<RawHttpFilter['requestMirror']>): number {
  if (fraction === undefined) return percent ?? 100;
  return Math.round((fraction.numerator / (fraction.denominator ?? 100)) * 1_000_000) / 10_000;
}

type RawPathChange = NonNullable<NonNullable<RawHttpFilter['urlRewrite']>['path']>;

function refusePath(path: RawPathChange | undefined, at: Path, unsupported: Unsupported[]): void {
  const wrong = [path?.replaceFullPath ?? '', path?.replacePrefixMatch ?? ''].find(holdsUnwritable);
  if (wrong === undefined) return;
  const message = `the new path has characters that no request can have: write ${percentEncoded(wrong)}`;
  unsupported.push({ path: at, message });
}

function pathOf(path: RawPathChange): PathChange {
  if (path.type === 'ReplaceFullPath') return { kind: 'full', value: withSlash(path.replaceFullPath ?? '') };
  return { kind: 'prefix', value: withSlash(path.replacePrefixMatch ?? '') };
}

function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function redirectOf({
  scheme,
  hostname,
  path,
  port,
  statusCode = 302,
}: NonNullable<RawHttpFilter['requestRedirect']>): Redirect {
  return {
    ...(scheme === undefined ? {} : { scheme }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(path === undefined ? {} : { path: pathOf(path) }),
    ...(port === undefined ? {} : { port }),
    statusCode,
  };
}

function rewriteOf({ hostname, path }: NonNullable<RawHttpFilter['urlRewrite']>): Rewrite {
  return { ...(hostname === undefined ? {} : { hostname }), ...(path === undefined ? {} : { path: pathOf(path) }) };
}

function corsOf(cors: NonNullable<RawHttpFilter['cors']>, path: Path, unsupported: Unsupported[]): Cors {
  const { allowOrigins = [], allowMethods = [], allowHeaders = [], exposeHeaders = [], maxAge = 5 } = cors;
  const allowCredentials = cors.allowCredentials === true;
  if (allowCredentials && exposeHeaders.includes('*')) {
    const message = 'exposeHeaders "*" does not go with allowCredentials: to browsers it is then a header of that name';
    unsupported.push({ path: [...path, 'exposeHeaders'], message });
  }
  return {
    allowOrigins: allowOrigins.map(originOf),
    // With credentials "*" means a method or header of that name to browsers; Envoy answers them with what they asked for.
    allowMethods,
    allowHeaders,
    exposeHeaders,
    maxAgeMs: maxAge * 1000,
    allowCredentials,
  };
}

/** A star stands for one label or several, and alone for every host. A port that is the scheme's own may be left out by browsers. */
function originOf(origin: string): StringMatch {
  if (origin === '*') return { kind: 'regex', value: '.*' };
  const [, scheme = '', host = '', port = ''] = /^(https?):\/\/(.*?)(?::([0-9]+))?$/.exec(origin) ?? [];
  const ownPort = scheme === 'http' ? '80' : '443';
  const isOwn = port === '' || port === ownPort;
  if (!host.includes('*')) return { kind: 'exact', value: isOwn ? `${scheme}://${host}` : origin };
  const hosts = host === '*' ? '[^/:]+' : `[^/:]+${quote(host.slice(1))}`;
  return { kind: 'regex', value: `${scheme}://${hosts}${isOwn ? '' : `:${port}`}` };
}

function quote(text: string): string {
  return text.replaceAll('.', '\\.');
}
