/** A route's matches in words, as people say them: `path prefix /api, header x-user = a, from cluster east`. */

import type { NamedMatch, RouteMatch, SourceMatch } from '../../model/rule.ts';
import { selectorText } from '../../model/rule.ts';

/** One text per alternative; `all requests` for none. */
export function matchTexts(matches: readonly RouteMatch[]): readonly string[] {
  return matches.length === 0 ? ['all requests'] : matches.map(matchText);
}

function matchText({ path, method, headers, queryParams, source }: RouteMatch): string {
  const parts = [
    ...(path === undefined ? [] : [path.kind === 'exact' ? `path ${path.value}` : `path ${path.kind} ${path.value}`]),
    ...(method === undefined ? [] : [`method ${method}`]),
    ...headers.map((header) => `header ${namedText(header)}`),
    ...queryParams.map((param) => `query ${namedText(param)}`),
    ...(source === undefined ? [] : [sourceText(source)]),
  ];
  return parts.length === 0 ? 'all requests' : parts.join(', ');
}

function namedText({ not, ...held }: NamedMatch): string {
  return not === true ? `not ${heldText(held)}` : heldText(held);
}

function heldText({ name, match }: NamedMatch): string {
  switch (match.kind) {
    case 'present':
      return match.present ? `${name} is there` : `${name} is not there`;
    case 'exact':
      return `${name} = ${match.value}`;
    case 'prefix':
      return `${name} = ${match.value}*`;
    case 'regex':
      return `${name} ~ ${match.value}`;
  }
}

function sourceText({ cluster, namespace, labels, notNamespaces = [] }: SourceMatch): string {
  const parts = [
    ...(cluster === '' ? [] : [`cluster ${cluster}`]),
    ...(namespace === '' ? [] : [`namespace ${namespace}`]),
    ...(notNamespaces.length === 0 ? [] : [`namespaces other than ${notNamespaces.join(' and ')}`]),
    ...(Object.keys(labels).length === 0 ? [] : [`labels ${selectorText(labels)}`]),
  ];
  return `from ${parts.join(', ')}`;
}

/** `90%`, `33.3%`, `0.05%`. */
export function percentText(percent: number): string {
  const digits = percent >= 10 || percent === 0 ? 1 : 2;
  return `${Number(percent.toFixed(digits))}%`;
}
