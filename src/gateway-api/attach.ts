/**
 * Which of the routes that name a service as their parent are in force for which of its ports, and why the others are not.
 *
 * In: the service and the routes, each with the one reference that names it. Out: per reference an outcome. What always holds: of several kinds
 * of routes on one port one is in force (GEP-1294, "Route types"), apart for producers and for each consumer's namespace; the order in which
 * routes are given does not matter.
 */

import type { ServiceKey } from '../model/service.ts';
import { compareRoutes } from './precedence.ts';
import { type GatewayRoute, type ParentRef, type RouteKind, routeId, routeKinds } from './route.ts';
import { serviceKind, type TargetPort, type TargetService } from './targets.ts';

export interface Attachment {
  readonly route: GatewayRoute;
  readonly parent: ParentRef;
  /** In the route's list of parents. */
  readonly index: number;
}

export type Refusal = {
  readonly reason: 'NoMatchingParent' | 'UnsupportedValue' | 'Conflicted';
  readonly message: string;
};

export interface Attached extends Attachment {
  /** The ports for which it is in force; [] where it is refused, and where older routes of its kind take all that it is for. */
  readonly ports: readonly number[];
  readonly refusal?: Refusal;
  /** What other routes take of what it is for. */
  readonly note?: string;
}

/** '': the service's own namespace (producers); else the namespace whose proxies alone see the route (consumers). */
export function audienceOf({ route, parent }: Attachment): string {
  return route.namespace === parent.namespace ? '' : route.namespace;
}

export function attach(
  key: ServiceKey,
  target: TargetService | undefined,
  attachments: readonly Attachment[],
): readonly Attached[] {
  const wanted = attachments
    .toSorted((a, b) => compareRoutes(a.route, b.route) || a.index - b.index)
    .map((one): Attached => ({ ...one, ...suitablePorts(key, target, one) }));
  const strongest = new Map<string, Attached>();
  for (const one of wanted) {
    for (const port of one.ports) {
      const slot = slotOf(one, port);
      const holder = strongest.get(slot);
      if (holder === undefined || rank(one) < rank(holder)) strongest.set(slot, one);
    }
  }
  return wanted.map((one) => {
    if (one.refusal !== undefined) return one;
    const holders = new Map(one.ports.map((port) => [port, strongest.get(slotOf(one, port)) ?? one]));
    const lost = one.ports.filter((port) => holders.get(port)?.route.kind !== one.route.kind);
    const winners = new Set(lost.flatMap((port) => holders.get(port) ?? []));
    const outranked = lost.length === 0 ? [] : [`${namesOf(winners)} first for ${portWords(lost)}`];
    const left = one.ports.filter((port) => !lost.includes(port));
    if (left.length === 0) return { ...one, ports: [], refusal: { reason: 'Conflicted', message: outranked.join() } };
    // Routes of one kind are all valid (GEP-1294), though older ones may leave nothing to a younger.
    const ports = left.filter((port) => claimsOf(one) === undefined || freeClaims(one, port, wanted).length > 0);
    const notes = [...outranked, ...olderWords(one, left, wanted)];
    return { ...one, ports, ...(notes.length === 0 ? {} : { note: notes.join('; ') }) };
  });
}

function namesOf(routes: Iterable<Attached>): string {
  const names = [...new Set([...routes].map(({ route }) => routeId(route)))];
  return `${names.join(', ')} ${names.length === 1 ? 'goes' : 'go'}`;
}

/** What only one route of its kind can have of a port: server names, or all that comes. undefined: routes of its kind are merged. */
function claimsOf({ route }: Attachment): readonly string[] | undefined {
  if (route.kind === 'TCPRoute' || (route.kind === 'TLSRoute' && route.hostnames.length === 0)) return [''];
  return route.kind === 'TLSRoute' ? route.hostnames : undefined;
}

/** `all`: the oldest first. */
function olderOfKind(one: Attached, port: number, all: readonly Attached[]): readonly Attached[] {
  return all
    .slice(0, all.indexOf(one))
    .filter(({ route, ports }) => route.kind === one.route.kind && ports.includes(port))
    .filter((each) => audienceOf(each) === audienceOf(one));
}

/** The server names of a TLSRoute that no older one has for the port; `['']` of the oldest that takes whatever comes. */
export function freeClaims(one: Attached, port: number, all: readonly Attached[]): readonly string[] {
  const taken = new Set(olderOfKind(one, port, all).flatMap((each) => claimsOf(each) ?? []));
  return (claimsOf(one) ?? []).filter((claim) => !taken.has(claim));
}

/** What older routes of its kind take; not where one route names a port twice. */
function olderWords(one: Attached, ports: readonly number[], all: readonly Attached[]): readonly string[] {
  const lost = (claimsOf(one) ?? []).flatMap((claim) =>
    ports.flatMap((port) => {
      const older = olderOfKind(one, port, all).find((each) => claimsOf(each)?.includes(claim));
      return older === undefined || older.route === one.route ? [] : [{ claim, port, older }];
    }),
  );
  if (lost.length === 0) return [];
  const what =
    claimsOf(one)?.includes('') === true
      ? portWords(lost.map(({ port }) => port))
      : [...new Set(lost.map(({ claim }) => claim))].join(', ');
  return [`${namesOf(lost.map(({ older }) => older))} first for ${what}, being older`];
}

function rank({ route }: Attached): number {
  return routeKinds.indexOf(route.kind);
}

function slotOf(one: Attachment, port: number): string {
  return `${audienceOf(one)} ${port}`;
}

function suitablePorts(
  key: ServiceKey,
  target: TargetService | undefined,
  { route, parent }: Attachment,
): Pick<Attached, 'ports' | 'refusal'> {
  const refuse = (reason: Refusal['reason'], message: string) => ({ ports: [], refusal: { reason, message } });
  const kind = serviceKind(parent) ?? 'Service';
  if (target === undefined) return refuse('NoMatchingParent', `no cluster has a Service ${key}`);
  if (kind === 'ServiceImport' && !target.isImported) return refuse('NoMatchingParent', `no cluster exports ${key}`);
  if (target.isAlias)
    return refuse('UnsupportedValue', `Service ${key} is of type ExternalName, whose traffic is not the mesh's`);
  const { port, sectionName } = parent;
  const named = target.ports.filter(
    (each) =>
      each.transport === 'TCP' &&
      (port === undefined || each.port === port) &&
      (sectionName === undefined || each.name === sectionName),
  );
  if (named.length === 0) {
    const asked = [
      port === undefined ? [] : [`number ${port}`],
      sectionName === undefined ? [] : [`name ${sectionName}`],
    ].flat();
    const has = target.ports
      .map((each) => (each.name === '' ? `${each.port}` : `${each.port} (${each.name})`))
      .join(', ');
    const which = asked.length === 0 ? 'TCP port' : `TCP port with ${asked.join(' and ')}`;
    return refuse('NoMatchingParent', `${kind} ${key} has no ${which}; it has ${has === '' ? 'none' : has}`);
  }
  const fitting = named.filter((each) => each.carries === carried(route.kind));
  if (fitting.length > 0) return { ports: fitting.map((each) => each.port) };
  return refuse('NoMatchingParent', unfitting(key, route.kind, named));
}

function carried(kind: RouteKind): TargetPort['carries'] {
  return kind === 'HTTPRoute' || kind === 'GRPCRoute' ? 'requests' : 'connections';
}

function unfitting(key: ServiceKey, kind: RouteKind, ports: readonly TargetPort[]): string {
  const where = `${portWords(ports.map(({ port }) => port))} of ${key}`;
  if (carried(kind) === 'requests')
    return `${where} ${ports.length === 1 ? 'is' : 'are'} carried as TCP; set appProtocol, or begin the port's name with http- or grpc-, for a ${kind}`;
  return `${where} ${ports.length === 1 ? 'speaks' : 'speak'} HTTP, whose requests are routed one by one; use an HTTPRoute`;
}

export function portWords(ports: readonly number[]): string {
  return `${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')}`;
}
