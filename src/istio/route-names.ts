/** Routes with names as a TrafficRule takes them: in small letters, and unique in the rule. */

import type { RawRoute } from '../rules/traffic-rule/schema/spec.ts';
import type { TranslatedRoute } from './http-routes.ts';

const maxLength = 63;

/** A route without a name keeps none, unless its number would be another's name. */
export function namedRoutes(routes: readonly TranslatedRoute[]): readonly RawRoute[] {
  const taken = new Set<string>();
  return routes.map(({ name, route }, index) => {
    const plain = plainName(name);
    if (plain === '') {
      taken.add(`route-${index}`);
      return route;
    }
    let unique = plain;
    for (let i = 2; taken.has(unique) || isNumbered(unique); i += 1) unique = `${plain.slice(0, maxLength - 4)}-${i}`;
    taken.add(unique);
    return { name: unique, ...route };
  });
}

/** The names that routes without one get. */
function isNumbered(name: string): boolean {
  return /^route-[0-9]+$/.test(name);
}

function plainName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, maxLength)
    .replaceAll(/^-+|-+$/g, '');
}
