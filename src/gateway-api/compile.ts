/**
 * All routes that name one service as their parent, compiled into its rule: the very shape that a TrafficRule has after parsing.
 *
 * In: the service's key, the routes with their references to it, and what they refer to. Out: the rule, if any of them is in force, and what
 * became of each reference. What always holds: the outcome depends on what is given, not on its order; a port that no route is for goes on as
 * without; a rule that asks for what is not supported, or whose backends cannot be used, answers with an error, and is never passed over.
 */

import type { Merging } from '../model/clusterset.ts';
import {
  anywhere,
  type RouteMatch,
  type RuleBackend,
  type RuleRoute,
  type SourceMatch,
  type TrafficRule,
} from '../model/rule.ts';
import { type ServiceKey, splitServiceKey } from '../model/service.ts';
import { contentHash } from '../rules/objects/content-hash.ts';
import { type Attached, type Attachment, attach, audienceOf, freeClaims } from './attach.ts';
import { noHeaderChange } from './build-filters.ts';
import { compareEntries, compareRoutes, type Entry } from './precedence.ts';
import { redirectFrom } from './redirect.ts';
import { backendKey, type References, type RefProblem, refProblem, ruleBackend } from './references.ts';
import { type GatewayRoute, type RouteRule, routeId } from './route.ts';
import { serviceOf, type TargetPort } from './targets.ts';

export interface Outcome extends Attached {
  /** Of the backends and mirrors of all rules. */
  readonly problems: readonly RefProblem[];
}

export interface Compiled {
  /** undefined: no route is in force. */
  readonly rule: TrafficRule | undefined;
  readonly outcomes: readonly Outcome[];
}

/** No object's name holds a colon. */
export function ruleNameOf(service: string): string {
  return `gateway-api:${service}`;
}

/** A route of the rule, before it has a name of its own in it. */
interface Piece {
  readonly label: string;
  readonly route: Omit<RuleRoute, 'name' | 'ports'>;
}

type Problems = ReadonlyMap<GatewayRoute, ReadonlyMap<unknown, RefProblem>>;

/** What all routes of a service are compiled with. */
interface Parent {
  readonly key: ServiceKey;
  readonly attached: readonly Attached[];
  readonly problems: Problems;
  /** The ports of the kind that is compiled. */
  readonly ports: readonly number[];
  readonly merging: Merging;
}

export function compileRoutes(key: ServiceKey, attachments: readonly Attachment[], references: References): Compiled {
  const target = references.find(key);
  const attached = attach(key, target, attachments);
  const problems: Problems = new Map(
    attached.map(({ route }) => [route, new Map(problemsOf(route, key, references))] as const),
  );
  const outcomes = attached.map((one) => ({ ...one, problems: [...(problems.get(one.route)?.values() ?? [])] }));
  const parent = (carries: TargetPort['carries']): Parent => {
    const ports = (target?.ports ?? []).filter((port) => port.transport === 'TCP' && port.carries === carries);
    return { key, attached, problems, ports: ports.map(({ port }) => port), merging: references.merging };
  };
  const routes = named([
    ...portGroups(parent('requests'), requestPieces),
    ...portGroups(parent('connections'), connectionPieces),
  ]);
  const inForce = attached.filter((one) => one.ports.length > 0).map(({ route }) => route);
  return { rule: routes.length === 0 ? undefined : ruleOf(key, routes, inForce), outcomes };
}

function ruleOf(key: ServiceKey, routes: readonly RuleRoute[], from: readonly GatewayRoute[]): TrafficRule {
  const { namespace, name } = splitServiceKey(key);
  const sources = [...new Set(from)].sort(compareRoutes);
  const createdAtMs = Math.min(...sources.map((route) => route.createdAtMs));
  return {
    ref: { namespace, name: ruleNameOf(name), generation: 1 },
    service: key,
    createdAtMs,
    routes,
    hash: contentHash([key, createdAtMs, routes]),
    origin: sources.map((route) => `${routeId(route)} (${route.origin})`).join(', '),
  };
}

/** By the backend or mirror itself. */
function* problemsOf(
  route: GatewayRoute,
  parent: ServiceKey,
  references: References,
): Generator<[unknown, RefProblem]> {
  for (const { backends, mirrors } of route.rules) {
    for (const ref of [...backends, ...mirrors]) {
      const problem = refProblem(route, ref, parent, references);
      if (problem !== undefined) yield [ref, problem];
    }
  }
}

interface Group {
  /** undefined: all. */
  readonly ports: readonly number[] | undefined;
  readonly pieces: readonly Piece[];
}

/** Ports for which all is the same share their routes. */
function portGroups(parent: Parent, piecesOf: (port: number, parent: Parent) => readonly Piece[]): readonly Group[] {
  const groups = new Map<string, { ports: number[]; pieces: readonly Piece[] }>();
  for (const port of [...new Set(parent.ports)].sort((a, b) => a - b)) {
    const pieces = piecesOf(port, parent);
    const id = JSON.stringify(pieces);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { ports: [port], pieces });
    else group.ports.push(port);
  }
  return [...groups.values()].map((group) => ({ ...group, ports: groups.size === 1 ? undefined : group.ports }));
}

function named(groups: readonly Group[]): readonly RuleRoute[] {
  const seen = new Map<string, number>();
  return groups.flatMap(({ ports, pieces }) =>
    pieces.map(({ label, route }) => {
      const count = (seen.get(label) ?? 0) + 1;
      seen.set(label, count);
      // Names of objects and rules hold no `#`.
      const name = count === 1 ? label : `${label}#${count}`;
      return { name, ...route, ...(ports === undefined ? {} : { ports }) };
    }),
  );
}

function labelOf({ kind, namespace, name }: GatewayRoute, rule: RouteRule): string {
  return `${kind.toLowerCase()}/${namespace}/${name}/${rule.name}`;
}

/** Producers' routes, and those of each consumer's namespace in their place for its proxies. */
function byAudience<T>(
  port: number,
  attached: readonly Attached[],
  kinds: readonly string[],
  make: (of: readonly Attached[], source: SourceMatch | undefined) => readonly T[],
  without: (source: SourceMatch) => readonly T[],
): readonly T[] {
  const here = attached.filter(({ route, ports }) => ports.includes(port) && kinds.includes(route.kind));
  if (here.length === 0) return [];
  const audiences = Map.groupBy(here, audienceOf);
  const producers = audiences.get('') ?? [];
  const consumers = [...audiences.keys()].filter((namespace) => namespace !== '').sort();
  const source = (namespace: string, notNamespaces: readonly string[]): SourceMatch => ({
    cluster: '',
    namespace,
    labels: {},
    ...(notNamespaces.length === 0 ? {} : { notNamespaces }),
  });
  const others = consumers.length === 0 ? undefined : source('', consumers);
  const own = consumers.flatMap((namespace) => make(audiences.get(namespace) ?? [], source(namespace, [])));
  if (producers.length > 0) return [...own, ...make(producers, others)];
  return others === undefined ? own : [...own, ...without(others)];
}

function requestPieces(port: number, parent: Parent): readonly Piece[] {
  const make = (of: readonly Attached[], source: SourceMatch | undefined): readonly Piece[] => {
    const routes = new Set(of.map(({ route }) => route));
    const entries = [...routes].flatMap(entriesOf).sort(compareEntries);
    const tried = entries.filter(({ match }) => match.isVoid !== true);
    // A port with routes does not go on as if it had none.
    const left = tried.length > 0 ? tried : entries.slice(0, 1).map((entry) => ({ ...entry, match: everything }));
    return runs(left).map((run) => requestPiece(run, source, port, parent));
  };
  // For all others the service goes on as without a route.
  const without = (source: SourceMatch): readonly Piece[] => [
    {
      label: 'default',
      route: {
        matches: [{ source, headers: [], queryParams: [] }],
        takes: 'requests',
        backends: [{ weight: 1, chain: [anywhere] }],
        requestHeaders: noHeaderChange,
        responseHeaders: noHeaderChange,
      },
    },
  ];
  return byAudience(port, parent.attached, ['HTTPRoute', 'GRPCRoute'], make, without);
}

const everything: Entry['match'] = { match: { headers: [], queryParams: [] } };

function entriesOf(route: GatewayRoute): readonly Entry[] {
  return route.rules.flatMap((rule, ruleIndex) =>
    rule.matches.map((match, matchIndex) => ({ route, rule, ruleIndex, match, matchIndex })),
  );
}

/** Neighbours of one rule are one route. */
function runs(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const all: Entry[][] = [];
  for (const entry of entries) {
    const last = all.at(-1);
    if (last?.[0]?.rule === entry.rule) last.push(entry);
    else all.push([entry]);
  }
  return all;
}

function requestPiece(run: readonly Entry[], source: SourceMatch | undefined, port: number, parent: Parent): Piece {
  const [first] = run as readonly [Entry];
  const { route, rule } = first;
  const isAll = (match: RouteMatch): boolean =>
    Object.keys(match).length === 2 && match.headers.length + match.queryParams.length === 0;
  const given = run.map(({ match }) => match.match);
  const matches =
    source === undefined ? (given.some(isAll) ? [] : given) : given.map((match) => ({ source, ...match }));
  const isGrpc = route.kind === 'GRPCRoute';
  const shared = { matches, takes: 'requests', ...(isGrpc ? ({ unusableStatus: 503 } as const) : {}) } as const;
  const label = labelOf(route, rule);
  const [unsupported] = rule.unsupported;
  if (unsupported !== undefined) {
    const changes = { requestHeaders: noHeaderChange, responseHeaders: noHeaderChange };
    return { label, route: { ...shared, backends: [refusal(unsupported.message)], ...changes } };
  }
  const { redirect, ...actions } = rule.actions;
  const found = parent.problems.get(route);
  const mirrors = rule.mirrors
    .filter((mirror) => found?.get(mirror) === undefined && mirror.percent > 0)
    .map((mirror) => ({ destination: anywhere, service: serviceOf(mirror, parent.merging), percent: mirror.percent }));
  return {
    label,
    route: {
      ...shared,
      ...actions,
      backends: redirect === undefined ? backendsOf(route, rule, parent) : [],
      ...(redirect === undefined ? {} : { redirect: redirectFrom(redirect, port) }),
      ...(mirrors.length === 0 ? {} : { mirrors }),
    },
  };
}

function backendsOf(
  route: GatewayRoute,
  rule: RouteRule,
  { key, problems, ports, merging }: Parent,
): readonly RuleBackend[] {
  return rule.backends.map((backend) => {
    const made = ruleBackend(backend, problems.get(route)?.get(backend), merging);
    // Of a service with several ports all have the same routes so.
    const isOwn = made.service?.host === undefined && backendKey(backend) === key;
    if (made.service === undefined || !isOwn || ports.length !== 1 || ports[0] !== backend.port) return made;
    const { service: _own, ...rest } = made;
    return rest;
  });
}

function refusal(reason: string): RuleBackend {
  return { weight: 1, chain: [anywhere], refused: reason };
}

/** By the server name first, then whatever comes. */
function connectionPieces(port: number, parent: Parent): readonly Piece[] {
  const make = (of: readonly Attached[], source: SourceMatch | undefined): readonly Piece[] =>
    namedFirst(of).flatMap((one) => {
      const { route } = one;
      // In v1alpha2 TLSRoutes may go without names.
      const sni = route.hostnames.length > 0 ? freeClaims(one, port, parent.attached) : undefined;
      return route.rules.map((rule) => ({
        label: labelOf(route, rule),
        route: {
          matches: source === undefined ? [] : [{ source, headers: [], queryParams: [] }],
          takes: 'connections',
          ...(sni === undefined ? {} : { sni }),
          backends: backendsOf(route, rule, parent),
          requestHeaders: noHeaderChange,
          responseHeaders: noHeaderChange,
        },
      }));
    });
  // Connections that no route takes go on as they are without.
  return byAudience(port, parent.attached, ['TLSRoute', 'TCPRoute'], make, () => []);
}

/** What takes whatever comes is tried last. */
function namedFirst(of: readonly Attached[]): readonly Attached[] {
  return of.toSorted((a, b) => Number(a.route.hostnames.length === 0) - Number(b.route.hostnames.length === 0));
}
