/**
 * Which of a service's routes are for one of its ports, and what they take: requests, connections, TLS connections by their name.
 *
 * In: the compiled service and a port. Out: routes, in their order. What always holds: a port that no route is for goes on as without a rule.
 */

import type { MeshService } from '../model/mesh.ts';
import { anywhere, type RuleRoute } from '../model/rule.ts';
import { takesEverything } from './route-match.ts';

type Backends = Pick<RuleRoute, 'name' | 'backends'>;

const noHeaderChange = { set: [], add: [], remove: [] } as const;

function isFor({ ports }: RuleRoute, port: number): boolean {
  return ports === undefined || ports.includes(port);
}

function unrouted({ unrouted: backends }: MeshService): Backends {
  return { name: 'default', backends: backends ?? [{ weight: 1, chain: [anywhere] }] };
}

export function requestRoutes(service: MeshService, port: number): readonly RuleRoute[] {
  const routes = service.routes.filter((route) => route.takes !== 'connections' && isFor(route, port));
  // What no route matches is answered 404, unless there is none for this port at all.
  if (routes.length > 0 || service.routes.length === 0) return routes;
  return [{ ...unrouted(service), matches: [], requestHeaders: noHeaderChange, responseHeaders: noHeaderChange }];
}

/**
 * Where a plain connection goes: the first route that takes every connection, or matches everything, for there is no request to match. A rule
 * without one leaves connections as they are without it.
 */
export function connectionRoute(service: MeshService, port: number): Backends {
  const route = service.routes.find(
    (each) =>
      each.takes !== 'requests' &&
      each.sni === undefined &&
      isFor(each, port) &&
      (each.matches.length === 0 || each.matches.some(takesEverything)),
  );
  return route?.backends.some(({ weight }) => weight > 0) === true ? route : unrouted(service);
}

/** Those that take TLS connections by their name. */
export function sniRoutes(
  service: MeshService,
  port: number,
): readonly (RuleRoute & { readonly sni: readonly string[] })[] {
  return service.routes.flatMap((route) => {
    const { sni } = route;
    return sni === undefined || sni.length === 0 || !isFor(route, port) ? [] : [{ ...route, sni }];
  });
}
