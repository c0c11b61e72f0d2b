/** Sources and places of a valid spec, as the mesh takes them. */

import { destinationName, type RuleRoute, type SourceMatch, toDestination } from '../../../model/rule.ts';
import type { LocalityPreference, Place, ServicePolicy } from '../../../model/service-policy.ts';
import type { Findings } from '../../objects/findings.ts';
import type { RawMatch, RawSpec } from '../schema/spec.ts';

/** Undefined where it asks for nothing. */
export function buildSource(source: RawMatch['source']): SourceMatch | undefined {
  const { cluster = '', namespace = '', labels = {} } = source ?? {};
  const entries = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  if (cluster === '' && namespace === '' && entries.length === 0) return undefined;
  return { cluster, namespace, labels: Object.fromEntries(entries) };
}

/** The part of the service's policy that speaks of places. */
export function buildPlaces({
  locality,
  spillover,
  within,
}: RawSpec): Pick<ServicePolicy, 'locality' | 'overprovisioningPercent' | 'within'> {
  return {
    ...(locality === undefined ? {} : { locality: buildLocality(locality) }),
    ...(spillover === undefined ? {} : { overprovisioningPercent: spillover }),
    ...(within === undefined ? {} : { within: toPlace(within) }),
  };
}

function buildLocality({ prefer, order, shares }: NonNullable<RawSpec['locality']>): LocalityPreference {
  if (prefer !== undefined) return { kind: 'nearest', order: prefer };
  if (order !== undefined) return { kind: 'order', places: order.map(toPlace) };
  return {
    kind: 'shares',
    entries: (shares ?? []).map(({ from, to }) => ({
      from: toPlace(from ?? {}),
      to: to.map(({ weight, ...place }) => ({ place: toPlace(place), weight })),
    })),
  };
}

function toPlace({ region = '', zone = '', cluster = '' }: Partial<Place>): Place {
  return { region, zone, cluster };
}

/** Destinations that no endpoint within the place can have. */
export function warnOfOutside(routes: readonly RuleRoute[], within: Place | undefined, findings: Findings): void {
  if (within === undefined) return;
  const inside = destinationName(toDestination(within));
  for (const [i, { backends }] of routes.entries()) {
    const outside = new Set(
      backends.flatMap(({ chain }) => chain).filter((destination) => contradicts(destination, within)),
    );
    for (const destination of outside) {
      const message = `${destinationName(destination)} never takes a request: it is outside of ${inside}, which traffic must not leave`;
      findings.warn('FW-RULE-130', ['spec', 'routes', i], message, 'Remove it, or widen within');
    }
  }
}

function contradicts(destination: Place, within: Place): boolean {
  return (['region', 'zone', 'cluster'] as const).some(
    (name) => within[name] !== '' && destination[name] !== '' && within[name] !== destination[name],
  );
}
