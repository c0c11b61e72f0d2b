/**
 * The routes of a VirtualService with those of its delegates put in their places, by Istio's rules: a delegate's route takes what it does not say
 * from the root's route, and each of its matches must be a part of one of the root's.
 *
 * In: a VirtualService with hosts, and where delegates are found. Out: routes, in order. What always holds: a delegate that is missing, that
 * delegates in its turn, or that contradicts its root costs its own routes and no others.
 */

import { type MapOfMatch, type MatchParts, mapsOfMatch, type RouteParts, routePartsOf } from './match-parts.ts';
import { type Notes, nameOf } from './notes.ts';
import { booleanOf, child, type IstioObject, itemsOf, numberOf, type Part, specOf, textOf, textsOf } from './parts.ts';

/** `undefined`: there is none of that name. */
export type FindVirtualService = (namespace: string, name: string) => IstioObject | undefined;

/** A TrafficRule takes 256 matches in all: far more need not be put together first. */
const maxMergedMatches = 1024;

export interface DelegateName {
  readonly namespace: string;
  readonly name: string;
}

/** Those that a VirtualService names, whether or not they are there. */
export function delegatesOf(object: IstioObject): readonly DelegateName[] {
  return itemsOf(child(specOf(object), 'http')).flatMap((route) => {
    const delegate = child(route, 'delegate');
    const name = child(delegate, 'name')?.value;
    const namespace = child(delegate, 'namespace')?.value;
    if (typeof name !== 'string') return [];
    return [{ name, namespace: typeof namespace === 'string' && namespace !== '' ? namespace : object.namespace }];
  });
}

export function httpRoutesOf(object: IstioObject, find: FindVirtualService, notes: Notes): readonly RouteParts[] {
  return itemsOf(child(specOf(object), 'http')).flatMap((part) => {
    const route = routePartsOf(part);
    const delegate = route.fields.get('delegate');
    return delegate === undefined ? [route] : delegatedRoutes(route, delegate, find, notes);
  });
}

function delegatedRoutes(
  root: RouteParts,
  delegate: Part,
  find: FindVirtualService,
  notes: Notes,
): readonly RouteParts[] {
  const { object } = delegate;
  const name = textOf(child(delegate, 'name'), notes);
  if (name === undefined) {
    notes.error('FW-ISTIO-003', delegate, 'must name a VirtualService');
    return [];
  }
  const namespace = textOf(child(delegate, 'namespace'), notes) ?? object.namespace;
  const found = find(namespace, name);
  if (found === undefined) {
    notes.warn('FW-ISTIO-009', delegate, `there is no VirtualService ${namespace}/${name}: the route is left out`);
    return [];
  }
  if (itemsOf(child(specOf(found), 'hosts')).length > 0) {
    const message = `VirtualService ${namespace}/${name} has hosts of its own, which no delegate has: the route is left out`;
    notes.warn('FW-ISTIO-009', delegate, message, 'Remove its hosts, or write the routes here');
    return [];
  }
  const seenFrom = textsOf(child(specOf(found), 'exportTo'), notes);
  if (!isExportedTo(seenFrom, found.namespace, object.namespace)) {
    const message = `VirtualService ${namespace}/${name} is not exported to ${object.namespace}: the route is left out`;
    notes.warn('FW-ISTIO-009', delegate, message, `Add ${object.namespace} to its exportTo`);
    return [];
  }
  for (const name of ['route', 'redirect'] as const) {
    const part = root.fields.get(name);
    if (part !== undefined)
      notes.warn('FW-ISTIO-004', part, `${name} beside delegate counts for nothing`, `Remove ${name}`);
  }
  return itemsOf(child(specOf(found), 'http')).flatMap((part) => {
    const own = routePartsOf(part);
    const nested = own.fields.get('delegate');
    if (nested === undefined) return mergedRoute(root, own, notes);
    notes.warn('FW-ISTIO-010', nested, `${nameOf(found)} is a delegate, and delegates itself: the route is left out`);
    return [];
  });
}

/** [] stands for all namespaces; `.` for its own. */
export function isExportedTo(exportTo: readonly string[], own: string, namespace: string): boolean {
  return (
    exportTo.length === 0 || exportTo.some((to) => to === '*' || to === namespace || (to === '.' && own === namespace))
  );
}

/** What a delegate's route takes from the root's where it does not say it itself. */
const inherited = [
  'rewrite',
  'directResponse',
  'timeout',
  'retries',
  'fault',
  'mirror',
  'mirrorPercent',
  'mirrorPercentage',
  'corsPolicy',
  'mirrors',
  'headers',
] as const;

function mergedRoute(root: RouteParts, own: RouteParts, notes: Notes): readonly RouteParts[] {
  if (root.matches.length * own.matches.length > maxMergedMatches) {
    const message = `its ${own.matches.length} matches with ${root.matches.length} of ${nameOf(root.at.object)} are more than a TrafficRule takes`;
    notes.error('FW-ISTIO-017', own.at, message, 'Use fewer: a prefix or an expression can stand for many');
    return [];
  }
  const matches = mergedMatches(root.matches, own.matches, notes);
  if (matches === undefined) {
    notes.warn(
      'FW-ISTIO-011',
      own.at,
      `none of its matches is a part of one of ${nameOf(root.at.object)}'s: the route is left out`,
    );
    return [];
  }
  const fields = new Map(own.fields);
  for (const name of inherited) {
    const part = root.fields.get(name);
    if (part !== undefined && !fields.has(name)) fields.set(name, part);
  }
  const names = [root.fields.get('name'), own.fields.get('name')].flatMap((part) => textOf(part, notes) ?? []);
  if (names.length > 0) fields.set('name', { ...own.at, value: names.join('-') });
  return [{ at: own.at, fields, matches }];
}

/** Undefined where one of the delegate's is a part of none of the root's. */
function mergedMatches(
  root: readonly MatchParts[],
  own: readonly MatchParts[],
  notes: Notes,
): readonly MatchParts[] | undefined {
  if (root.length === 0) return own;
  if (own.length === 0) return root;
  const merged = own.map((match) =>
    root.filter((outer) => !contradicts(outer, match, notes)).map((outer) => mergedMatch(outer, match)),
  );
  return merged.some((found) => found.length === 0) ? undefined : merged.flat();
}

function mergedMatch(root: MatchParts, own: MatchParts): MatchParts {
  const fields = new Map([...root.fields, ...own.fields]);
  const merge = (name: MapOfMatch): ReadonlyMap<string, Part> => new Map([...root.maps[name], ...own.maps[name]]);
  return {
    at: own.at,
    fields,
    maps: {
      headers: merge('headers'),
      withoutHeaders: merge('withoutHeaders'),
      queryParams: merge('queryParams'),
      sourceLabels: merge('sourceLabels'),
    },
  };
}

function contradicts(root: MatchParts, own: MatchParts, notes: Notes): boolean {
  for (const name of ['uri', 'scheme', 'method', 'authority']) {
    if (textsContradict(root.fields.get(name), own.fields.get(name))) return true;
  }
  for (const name of mapsOfMatch.filter((each) => each !== 'sourceLabels')) {
    for (const [key, part] of own.maps[name]) if (textsContradict(root.maps[name].get(key), part)) return true;
  }
  for (const [key, { value }] of own.maps.sourceLabels) {
    const outer = root.maps.sourceLabels.get(key);
    if (outer !== undefined && outer.value !== value) return true;
  }
  const ignores = ({ fields }: MatchParts): boolean => booleanOf(fields.get('ignoreUriCase'), notes) ?? false;
  if (ignores(root) !== ignores(own)) return true;
  const ports = [root, own]
    .flatMap(({ fields }) => numberOf(fields.get('port'), notes) ?? [])
    .filter((port) => port > 0);
  if (ports.length === 2 && ports[0] !== ports[1]) return true;
  const outside = textOf(root.fields.get('sourceNamespace'), notes);
  if (outside !== undefined && textOf(own.fields.get('sourceNamespace'), notes) !== outside) return true;
  const gateways = textsOf(root.fields.get('gateways'), notes);
  return gateways.length > 0 && textsOf(own.fields.get('gateways'), notes).some((name) => !gateways.includes(name));
}

/** A value that the inner match takes may be one that the outer does not, as far as Istio looks. */
function textsContradict(outer: Part | undefined, inner: Part | undefined): boolean {
  if (outer === undefined || inner === undefined) return false;
  const of = (part: Part, kind: string): string => {
    const value = child(part, kind)?.value;
    return typeof value === 'string' ? value : '';
  };
  const innerExact = of(inner, 'exact');
  const innerPrefix = of(inner, 'prefix');
  if (of(outer, 'regex') !== '' || of(inner, 'regex') !== '') return true;
  const exact = of(outer, 'exact');
  if (exact !== '') return innerPrefix !== '' || innerExact !== exact;
  const prefix = of(outer, 'prefix');
  if (prefix === '') return true;
  if (innerPrefix !== '') return !innerPrefix.startsWith(prefix);
  return innerExact === '' || !innerExact.startsWith(prefix);
}
