/**
 * Which VirtualServices are in force for a service, and for whom. In: those that claim it. Out: those in force: first the ones for the clients of
 * some namespaces, then the one for all. As in Istio, the oldest goes first, then the first by name.
 */

import { hostOf, type ServiceName } from './hosts.ts';
import { matchFrom, takesAll } from './http-match.ts';
import type { TranslatedRoute } from './http-routes.ts';
import { type Notes, nameOf } from './notes.ts';
import { child, type IstioObject, itemsOf, type Part, specOf } from './parts.ts';

export interface Claim {
  readonly object: IstioObject;
  /** Namespaces of the clients that it is for, none of which an earlier claim has; undefined: all others. */
  readonly namespaces?: readonly string[];
}

/** Each has the routes by themselves, of which a TrafficRule takes 32: so many are refused in any case. */
const maxNamespaces = 64;

/** Undefined: everybody's. */
export function audienceOf(object: IstioObject): readonly string[] | undefined {
  const exportTo = itemsOf(child(specOf(object), 'exportTo')).flatMap(({ value }) =>
    typeof value === 'string' ? [value] : [],
  );
  if (exportTo.length === 0 || exportTo.includes('*')) return undefined;
  const namespaces = new Set(exportTo.filter((to) => to !== '~').map((to) => (to === '.' ? object.namespace : to)));
  return [...namespaces].slice(0, maxNamespaces);
}

/** `gateways` left out means the mesh. */
export function isInMesh(object: IstioObject): boolean {
  const gateways = itemsOf(child(specOf(object), 'gateways'));
  return gateways.length === 0 || gateways.some(({ value }) => value === 'mesh');
}

/** `claims`: the one that goes first first. Those that get nobody are told. */
export function claimsOf(
  service: ServiceName,
  claims: readonly IstioObject[],
  clusterDomain: string,
  notes: Notes,
): readonly Claim[] {
  const inMesh = claims.filter(isInMesh);
  const first = new Map<string, IstioObject>();
  const found: Claim[] = [];
  for (const object of inMesh) {
    const audience = audienceOf(object);
    if (audience === undefined) continue;
    const left = audience.filter((namespace) => !first.has(namespace));
    for (const namespace of left) first.set(namespace, object);
    const [taken = ''] = audience;
    if (left.length > 0) found.push({ object, namespaces: left });
    else if (audience.length > 0) sayLost(service, object, first.get(taken), clusterDomain, notes);
  }
  const everybodys = inMesh.filter((object) => audienceOf(object) === undefined);
  const [winner, ...losers] = everybodys;
  for (const loser of losers) sayLost(service, loser, winner, clusterDomain, notes);
  return winner === undefined ? found : [...found, { object: winner }];
}

function sayLost(
  service: ServiceName,
  object: IstioObject,
  winner: IstioObject | undefined,
  clusterDomain: string,
  notes: Notes,
): void {
  const host = itemsOf(child(specOf(object), 'hosts')).find(({ value }) => {
    const named = typeof value === 'string' ? hostOf(value, object.namespace, clusterDomain) : undefined;
    return named?.kind === 'service' && named.name === service.name && named.namespace === service.namespace;
  });
  const by = winner === undefined ? 'another' : nameOf(winner);
  notes.error(
    'FW-ISTIO-008',
    host ?? specOf(object),
    `${by} has the host ${service.name}.${service.namespace}, and goes before this one`,
  );
}

interface Routed {
  readonly claim: Claim;
  readonly routes: readonly TranslatedRoute[];
}

/** All routes in one list: those for some namespaces come first, each list closed by a 404 for whoever it is for. */
export function audienceRoutes(claims: readonly Routed[]): readonly TranslatedRoute[] {
  const limited = claims.flatMap(({ claim, routes }) =>
    (claim.namespaces ?? []).flatMap((namespace) => [
      ...routes.flatMap((route) => routeFrom(route, namespace)),
      ...(routes.some(isLast) || routes.length === 0 ? [] : [closing(namespace, claim.object)]),
    ]),
  );
  const general = claims.flatMap(({ claim, routes }) => (claim.namespaces === undefined ? routes : []));
  if (limited.length === 0) return general;
  const [first] = claims;
  const rest: readonly TranslatedRoute[] =
    general.length > 0 || first === undefined
      ? general
      : [{ route: { backends: [{}] }, name: 'others', at: specOf(first.claim.object) }];
  return [...limited, ...rest];
}

function isLast({ route: { matches = [], takes, ports } }: TranslatedRoute): boolean {
  return (
    takes !== 'connections' &&
    ports === undefined &&
    (matches.length === 0 || matches.some((match) => takesAll(match) && match.source === undefined))
  );
}

function routeFrom(translated: TranslatedRoute, namespace: string): readonly TranslatedRoute[] {
  const { matches = [] } = translated.route;
  const own = (matches.length === 0 ? [{}] : matches).flatMap((match) => matchFrom(match, namespace) ?? []);
  return own.length === 0 ? [] : [{ ...translated, route: { ...translated.route, matches: own } }];
}

/** In Istio a request that none of the routes takes is answered with 404. */
function closing(namespace: string, object: IstioObject): TranslatedRoute {
  const at: Part = specOf(object);
  return {
    route: { matches: [{ source: { namespace } }], takes: 'requests', respond: { status: 404 } },
    name: 'none',
    at,
  };
}
