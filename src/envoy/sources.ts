/**
 * Who asks: the routes of a service as one group of proxies sees them.
 *
 * In: a service whose matches may name sources, and a scope. Out: first which sources fit the scope, as a text that is a key (all that a
 * generator needs to know of the scope), then the service with the routes that are left. What always holds: proxies for which the same sources
 * fit see the same; a service without sources is the same object for all.
 */

import type { MeshService, Scope } from '../model/mesh.ts';
import { type RouteMatch, type RuleRoute, type SourceMatch, selectorText } from '../model/rule.ts';

/** One digit per source, in the order in which they stand; '' where the routes name none. */
export function fittingSources({ routes, asks }: MeshService, scope: Scope): string {
  if (asks?.sources !== true) return '';
  const fits: string[] = [];
  for (const { matches } of routes) {
    for (const { source } of matches) if (source !== undefined) fits.push(isFrom(source, scope) ? '1' : '0');
  }
  return fits.join('');
}

function isFrom({ cluster, namespace, labels, notNamespaces = [] }: SourceMatch, scope: Scope): boolean {
  if (cluster !== '' && cluster !== scope.cluster) return false;
  if (namespace !== '' && namespace !== scope.namespace) return false;
  if (notNamespaces.includes(scope.namespace)) return false;
  const selector = selectorText(labels);
  return selector === '' || (scope.answers?.selectors.includes(selector) ?? false);
}

/** The service with the routes and matches that are left where `fits` says which sources do. */
export function seenFrom(service: MeshService, fits: string): MeshService {
  if (fits === '') return service;
  let at = 0;
  const routes: RuleRoute[] = [];
  for (const route of service.routes) {
    const matches: RouteMatch[] = [];
    for (const match of route.matches) {
      if (match.source === undefined || fits[at++] === '1') matches.push(match);
    }
    if (matches.length > 0 || route.matches.length === 0) routes.push({ ...route, matches });
  }
  return { ...service, routes };
}
