/**
 * HTTP routes and their matches as they stand in Istio's objects, taken apart so that those of a root and of its delegate can be put together.
 * What always holds: every part still knows its object and place.
 */

import { entriesOf, fieldsOf, itemsOf, type Part } from './parts.ts';

/** The fields of a match whose values are maps. */
export const mapsOfMatch = ['headers', 'withoutHeaders', 'queryParams', 'sourceLabels'] as const;
export type MapOfMatch = (typeof mapsOfMatch)[number];

export interface MatchParts {
  readonly at: Part;
  /** All that are no maps. */
  readonly fields: ReadonlyMap<string, Part>;
  readonly maps: Readonly<Record<MapOfMatch, ReadonlyMap<string, Part>>>;
}

export interface RouteParts {
  readonly at: Part;
  /** All but the matches. */
  readonly fields: ReadonlyMap<string, Part>;
  /** [] matches everything. */
  readonly matches: readonly MatchParts[];
}

export function routePartsOf(route: Part): RouteParts {
  const fields = new Map(fieldsOf(route));
  const matches = itemsOf(fields.get('match')).map(matchPartsOf);
  fields.delete('match');
  return { at: route, fields, matches };
}

function matchPartsOf(match: Part): MatchParts {
  const fields = new Map(fieldsOf(match));
  const take = (name: MapOfMatch): ReadonlyMap<string, Part> => {
    const entries = new Map(entriesOf(fields.get(name)));
    fields.delete(name);
    return entries;
  };
  const maps = {
    headers: take('headers'),
    withoutHeaders: take('withoutHeaders'),
    queryParams: take('queryParams'),
    sourceLabels: take('sourceLabels'),
  };
  return { at: match, fields, maps };
}
