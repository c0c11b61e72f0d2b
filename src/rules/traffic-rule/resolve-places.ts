/**
 * Does a rule name places in which the service has endpoints? In: a valid rule, its service as all clusters together have it, the registered
 * clusters. Out: what is missing. A place exists for the rule when an endpoint is there, ready or not.
 */

import { type Destination, destinationName, type TrafficRule, toDestination } from '../../model/rule.ts';
import type { CatalogService, Endpoint } from '../../model/service.ts';
import type { Place } from '../../model/service-policy.ts';
import type { Missing } from './missing.ts';

/** In the order in which they stand in the rule; destinations' versions and clusters are judged elsewhere. */
export function missingPlaces(
  rule: TrafficRule,
  service: CatalogService,
  clusters: ReadonlySet<string>,
): readonly Missing[] {
  const endpoints = [...service.shards.values()].flatMap((shard) => shard.endpoints);
  const { locality, within } = rule.policy ?? {};
  const missing: Missing[] = [];
  const look = (place: Place, path: Missing['path']): void => {
    if (!endpoints.some((endpoint) => isAt(place, endpoint))) missing.push(lacking(place, rule, endpoints, path));
  };
  if (within !== undefined && !endpoints.some((endpoint) => isAt(within, endpoint))) {
    missing.push({
      reason: 'WithinNotFound',
      message: `no endpoint of ${rule.service} is within ${placeText(within)}: all requests are answered with 503`,
      hint: `Start endpoints there, or correct the place; there are ${placesOf(endpoints)}`,
      path: ['spec', 'within'],
    });
  }
  if (locality?.kind === 'order') {
    for (const [i, place] of locality.places.entries()) look(place, ['spec', 'locality', 'order', i]);
  }
  if (locality?.kind === 'shares') {
    for (const [i, { to }] of locality.entries.entries()) {
      for (const [k, { place }] of to.entries()) look(place, ['spec', 'locality', 'shares', i, 'to', k]);
    }
  }
  for (const [i, { matches }] of rule.routes.entries()) {
    for (const { source } of matches) {
      if (source === undefined || source.cluster === '' || clusters.has(source.cluster)) continue;
      const message = `no cluster named ${source.cluster} is registered`;
      const hint = 'Register the cluster, or correct the name';
      missing.push({ reason: 'ClusterNotFound', message, hint, path: ['spec', 'routes', i] });
    }
  }
  return missing;
}

/** What lacks of a destination that names a region or a zone; undefined for others, and where an endpoint is there. */
export function missingPlaceOf(
  destination: Destination,
  rule: TrafficRule,
  service: CatalogService,
): Omit<Missing, 'path'> | undefined {
  const { version, region, zone } = destination;
  if (region === '' && zone === '') return undefined;
  const endpoints = [...service.shards.values()].flatMap((shard) => shard.endpoints);
  if (endpoints.some((endpoint) => (version === '' || version === endpoint.version) && isAt(destination, endpoint))) {
    return undefined;
  }
  return lacking(destination, rule, endpoints, []);
}

function lacking(
  place: Place & { readonly version?: string },
  rule: TrafficRule,
  endpoints: readonly Endpoint[],
  path: Missing['path'],
): Missing {
  const version = place.version === undefined || place.version === '' ? '' : ` with version ${place.version}`;
  return {
    reason: 'PlaceNotFound',
    message: `no endpoint of ${rule.service}${version} is in ${placeText(place)}`,
    hint: `Correct the place, or start endpoints in it; there are ${placesOf(endpoints)}`,
    path,
  };
}

function isAt(place: Place, { locality, cluster }: Endpoint): boolean {
  return (
    (place.region === '' || place.region === locality.region) &&
    (place.zone === '' || place.zone === locality.zone) &&
    (place.cluster === '' || place.cluster === cluster)
  );
}

/** `region eu, zone eu-1a`. */
function placeText({ region, zone, cluster }: Place): string {
  return [
    ...(region === '' ? [] : [`region ${region}`]),
    ...(zone === '' ? [] : [`zone ${zone}`]),
    ...(cluster === '' ? [] : [`cluster ${cluster}`]),
  ].join(', ');
}

/** The first ten, as destinations are named: `.east@eu/eu-1a`. */
function placesOf(endpoints: readonly Endpoint[]): string {
  const names = endpoints.map(({ cluster, locality: { region, zone } }) =>
    destinationName(toDestination({ cluster, region, zone })),
  );
  const known = [...new Set(names)].sort().slice(0, 10);
  return known.length === 0 ? 'none' : known.join(', ');
}
