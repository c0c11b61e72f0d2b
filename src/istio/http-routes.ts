/**
 * HTTP routes as a TrafficRule writes them. In: routes with those of delegates put in. Out: routes, in the same order; a route whose matches are
 * for several ports, or match the path in several ways and then change it, becomes several.
 */

import type { RawBackend, RawMatch, RawRoute } from '../rules/traffic-rule/schema/spec.ts';
import { type DestinationContext, targetOf } from './destinations.ts';
import { type HeaderChanges, headerChangesOf } from './headers.ts';
import { type TranslatedMatch, takesAll, translatedMatches, withStart } from './http-match.ts';
import type { RouteParts } from './match-parts.ts';
import { mirrorsOf } from './mirrors.ts';
import { child, itemsOf, numberOf, type Part, textOf } from './parts.ts';
import { redirectOf, respondOf } from './route-answers.ts';
import { corsOf } from './route-cors.ts';
import { faultOf, retryOf, timeoutsOf } from './route-retries.ts';
import { rewriteOf } from './route-rewrite.ts';

/** A route without its name, and where it comes from. */
export interface TranslatedRoute {
  readonly route: Omit<RawRoute, 'name'>;
  /** As Istio has it; '' for none. */
  readonly name: string;
  readonly at: Part;
}

const maxMatches = 16;

export function translatedHttpRoutes(parts: RouteParts, context: DestinationContext): readonly TranslatedRoute[] {
  const { notes } = context;
  const name = textOf(parts.fields.get('name'), notes) ?? '';
  const matches = parts.matches.flatMap((match) => translatedMatches(match, notes));
  // All of its matches are for others.
  if (matches.length === 0 && parts.matches.length > 0) return [];
  return grouped(matches, changesPath(parts.fields)).flatMap((group) => {
    const route = routeOf(parts, group, context);
    if (route === undefined) return [];
    const own = group.port === undefined ? {} : { ports: [group.port] };
    const given = group.needsStart ? group.matches.map(withStart) : group.matches;
    const chunks = given.length === 0 ? [[]] : chunked(given, maxMatches);
    return chunks.map((chunk): TranslatedRoute => {
      const all = chunk.length === 0 || chunk.some(takesAll);
      const isEverything = chunk.every((match) => Object.keys(match).length === 0);
      return {
        route: {
          ...(isEverything ? {} : { matches: chunk }),
          ...own,
          ...(all ? { takes: 'requests' as const } : {}),
          ...route,
        },
        name,
        at: parts.at,
      };
    });
  });
}

/** Whether what is done depends on how the path was matched. */
function changesPath(fields: RouteParts['fields']): boolean {
  return (
    child(fields.get('rewrite'), 'uri') !== undefined || child(fields.get('redirect'), 'prefixRewrite') !== undefined
  );
}

interface Group {
  readonly port: number | undefined;
  readonly path: TranslatedMatch['path'];
  readonly matches: readonly RawMatch[];
  readonly needsStart: boolean;
}

function grouped(matches: readonly TranslatedMatch[], byPath: boolean): readonly Group[] {
  if (matches.length === 0)
    return [{ port: undefined, path: 'start', matches: byPath ? [{}] : [], needsStart: byPath }];
  const groups = Map.groupBy(matches, ({ port, path }) => `${port ?? ''} ${byPath ? path : ''}`);
  return [...groups.values()].map((group) => ({
    port: group[0]?.port,
    path: group[0]?.path ?? 'start',
    matches: group.map(({ match }) => match),
    needsStart: byPath && group[0]?.path === 'start',
  }));
}

function chunked<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function routeOf(
  parts: RouteParts,
  { path }: Group,
  context: DestinationContext,
): Omit<RawRoute, 'name' | 'matches'> | undefined {
  const { fields, at } = parts;
  const { notes } = context;
  const headers = headerChangesOf(fields.get('headers'), notes);
  const fault = faultOf(fields.get('fault'), notes);
  const cors = corsOf(fields.get('corsPolicy'), notes);
  const always = {
    ...(fault === undefined ? {} : { fault }),
    ...(cors === undefined ? {} : { cors }),
    ...(headers.responseHeaders === undefined ? {} : { responseHeaders: headers.responseHeaders }),
  };
  const redirect = fields.get('redirect');
  const direct = fields.get('directResponse');
  if (redirect !== undefined || direct !== undefined) {
    sayUnused(fields, context);
    if (redirect !== undefined) {
      const answer = redirectOf(redirect, notes);
      return answer === undefined ? undefined : { redirect: answer, ...always };
    }
    const answer = direct === undefined ? undefined : respondOf(direct, notes);
    return answer === undefined ? undefined : { respond: answer, ...always };
  }
  const { backends, authority } = backendsOf(fields.get('route'), at, context);
  if (backends.length === 0) return undefined;
  const rewrite = rewriteOf(fields.get('rewrite'), headers.authority ?? authority, path, notes);
  const mirrors = mirrorsOf(fields, context);
  const timeouts = timeoutsOf(fields.get('timeout'), fields.get('retries'), notes);
  const retry = retryOf(fields.get('retries'), notes);
  return {
    backends,
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(mirrors.length === 0 ? {} : { mirrors }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(retry === undefined ? {} : { retry }),
    ...(headers.requestHeaders === undefined ? {} : { requestHeaders: headers.requestHeaders }),
    ...always,
  };
}

/** What counts for nothing where the proxy answers by itself. */
function sayUnused(fields: RouteParts['fields'], { notes }: DestinationContext): void {
  for (const name of ['route', 'rewrite', 'mirror', 'mirrors', 'timeout', 'retries']) {
    const part = fields.get(name);
    if (part !== undefined)
      notes.warn('FW-ISTIO-004', part, `${name} is left out: the proxy answers by itself`, `Remove ${name}`);
  }
  const request = child(fields.get('headers'), 'request');
  if (request !== undefined)
    notes.warn('FW-ISTIO-004', request, 'is left out: the proxy answers by itself', 'Remove it');
}

function backendsOf(
  route: Part | undefined,
  at: Part,
  context: DestinationContext,
): { readonly backends: readonly RawBackend[]; readonly authority?: NonNullable<HeaderChanges['authority']> } {
  const { notes } = context;
  const items = itemsOf(route);
  if (items.length === 0) {
    notes.error('FW-ISTIO-005', at, 'the route leads nowhere', 'Give it a route, a redirect or a directResponse');
    return { backends: [] };
  }
  let authority: HeaderChanges['authority'];
  const backends = items.flatMap((item): RawBackend[] => {
    const destination = child(item, 'destination');
    if (destination === undefined) {
      notes.error('FW-ISTIO-003', item, 'must have a destination');
      return [];
    }
    const target = targetOf(destination, context);
    if (target === undefined) return [];
    const headers = headerChangesOf(child(item, 'headers'), notes);
    if (headers.authority !== undefined) {
      if (items.length === 1) authority = headers.authority;
      else
        notes.error(
          'FW-ISTIO-005',
          headers.authority.at,
          'a share of the requests cannot have a host of its own',
          'Rewrite the host of all of them',
        );
    }
    const weightPart = child(item, 'weight');
    const weight = numberOf(weightPart, notes) ?? 0;
    return [
      {
        ...target,
        ...(items.length === 1 ? {} : { weight }),
        ...(headers.requestHeaders === undefined ? {} : { requestHeaders: headers.requestHeaders }),
        ...(headers.responseHeaders === undefined ? {} : { responseHeaders: headers.responseHeaders }),
      },
    ];
  });
  return { backends, ...(authority === undefined ? {} : { authority }) };
}
