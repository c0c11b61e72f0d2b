/** Envoy's routes, decoded, in words: what they match, what they do, and the Envoy clusters that take requests with their shares. */

import type { PathRoute } from '../model/inspection.ts';
import type { Plain } from './proto/encode.ts';

interface RouteMessage {
  readonly name?: string;
  readonly match?: MatchMessage;
  readonly metadata?: { readonly filter_metadata?: { readonly fairway?: { readonly rule?: string } } };
  readonly route?: Plain;
  readonly redirect?: Plain;
  readonly direct_response?: { readonly status?: number };
}

interface MatchMessage {
  readonly prefix?: string;
  readonly path?: string;
  readonly path_separated_prefix?: string;
  readonly safe_regex?: { readonly regex?: string };
  readonly connect_matcher?: object;
  readonly headers?: readonly NamedMessage[];
  readonly query_parameters?: readonly NamedMessage[];
}

interface NamedMessage {
  readonly name?: string;
  readonly present_match?: boolean;
  readonly invert_match?: boolean;
  readonly string_match?: {
    readonly exact?: string;
    readonly prefix?: string;
    readonly safe_regex?: { readonly regex?: string };
  };
}

export function pathRoutes(routes: readonly Plain[]): PathRoute[] {
  return routes.map((plain) => {
    const { name = '', match = {}, metadata, route, redirect, direct_response } = plain as RouteMessage;
    return {
      name,
      rule: metadata?.filter_metadata?.fairway?.rule ?? '',
      match: matchText(match),
      action:
        redirect !== undefined
          ? redirectText(redirect)
          : direct_response === undefined
            ? 'forward'
            : `answer ${direct_response.status ?? 200}`,
      clusters: route === undefined ? [] : clusterTargets(route),
    };
  });
}

/** Of a route or a TCP proxy, which name Envoy clusters in the same words. Shares in per cent. */
export function clusterTargets(action: Plain): { readonly name: string; readonly percent: number }[] {
  if (typeof action['cluster'] === 'string') return [{ name: action['cluster'], percent: 100 }];
  const weighted = action['weighted_clusters'] as { readonly clusters?: readonly Weighted[] } | undefined;
  const clusters = weighted?.clusters ?? [];
  const total = clusters.reduce((sum, { weight = 0 }) => sum + weight, 0);
  return clusters.map(({ name = '', weight = 0 }) => ({ name, percent: total === 0 ? 0 : (100 * weight) / total }));
}

interface Weighted {
  readonly name?: string;
  readonly weight?: number;
}

function redirectText(redirect: Plain): string {
  const parts = ['scheme_redirect', 'host_redirect', 'port_redirect', 'path_redirect', 'prefix_rewrite'].flatMap(
    (key) => (redirect[key] === undefined ? [] : [`${key.replace(/_.*/, '')} ${String(redirect[key])}`]),
  );
  return `redirect to ${parts.join(', ')}`;
}

function matchText({ headers = [], query_parameters = [], connect_matcher, ...path }: MatchMessage): string {
  return [
    ...(connect_matcher === undefined ? [] : ['CONNECT']),
    ...pathText(path),
    ...headers.map((one) => (one.name === ':method' ? `method ${methodText(one)}` : `header ${namedText(one)}`)),
    ...query_parameters.map((one) => `query ${namedText(one)}`),
  ].join(', ');
}

function methodText({ string_match }: NamedMessage): string {
  return string_match?.exact ?? string_match?.safe_regex?.regex ?? '*';
}

function pathText({ prefix, path, path_separated_prefix, safe_regex }: MatchMessage): string[] {
  if (path !== undefined) return [`path ${path}`];
  if (path_separated_prefix !== undefined) return [`path prefix ${path_separated_prefix}`];
  if (safe_regex !== undefined) return [`path ~ ${safe_regex.regex ?? ''}`];
  return prefix === undefined || prefix === '/' ? [] : [`path start ${prefix}`];
}

function namedText(message: NamedMessage): string {
  const isNegated = message.invert_match === true && message.string_match !== undefined;
  return isNegated ? `not ${heldText(message)}` : heldText(message);
}

function heldText({ name = '', present_match, invert_match, string_match }: NamedMessage): string {
  if (string_match === undefined) return present_match === true && invert_match === true ? `no ${name}` : name;
  const { exact, prefix, safe_regex } = string_match;
  if (exact !== undefined) return `${name} = ${exact}`;
  if (prefix !== undefined) return `${name} = ${prefix}*`;
  return `${name} ~ ${safe_regex?.regex ?? ''}`;
}
