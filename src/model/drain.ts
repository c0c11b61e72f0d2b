/**
 * Draining: a share of the requests to some services is kept away from the endpoints of one place, a cluster or a zone. What an object says,
 * what of all objects counts for one service, and which endpoints that leaves.
 */

/** A drain moves the load in this many steps, each of the same share. */
export const drainSteps = 10;

/** At least one of the two is not ''; what is '' is not asked for. */
export interface DrainedPlace {
  readonly cluster: string;
  /** In any region. */
  readonly zone: string;
}

/** Drain (fairway.dev/v1alpha1) after parsing and defaulting. */
export interface Drain {
  readonly ref: { readonly name: string; readonly generation: number };
  /** 0 where the object does not say. */
  readonly createdAtMs: number;
  readonly place: DrainedPlace;
  /** Keys of services, sorted; [] means all. */
  readonly services: readonly `${string}/${string}`[];
  /** From the first step to the last; 0: all at once. */
  readonly overMs: number;
  /** undefined: when the object was made. */
  readonly startAtMs?: number;
  /** The way back: when it begins, and how long it takes to its last step; undefined: none. */
  readonly back?: { readonly startAtMs: number; readonly overMs: number };
  /** Services that are left with nothing are moved all the same, which is to say refused. */
  readonly force: boolean;
  readonly hash: string;
  /** For people: `rules/west.yaml`, `cluster primary`. */
  readonly origin: string;
}

/** A place as it counts for one service. */
export interface ServicePlace extends DrainedPlace {
  /** 0 (nothing is moved yet) to `drainSteps` (everything). */
  readonly step: number;
  readonly force: boolean;
}

/** Never without a place; of a service that has endpoints in each of them. */
export interface ServiceDrain {
  /** Each place once, in the order in which they count: those by force, then the oldest. */
  readonly places: readonly ServicePlace[];
  /** Equal drains, equal ids. */
  readonly id: string;
}

/** `west`, `west@/eu-1a`, `@/eu-1a`: as `destinationName` writes places. */
export function drainedPlaceName({ cluster, zone }: DrainedPlace): string {
  return zone === '' ? cluster : `${cluster}@/${zone}`;
}

/** For people: `cluster west`, `zone eu-1a of cluster west`, `zone eu-1a`. */
export function drainedPlaceWords({ cluster, zone }: DrainedPlace): string {
  if (zone === '') return `cluster ${cluster}`;
  return cluster === '' ? `zone ${zone}` : `zone ${zone} of cluster ${cluster}`;
}

/** `places`: the oldest drain's first. Of several drains of one place the one that is further on counts. undefined: none. */
export function serviceDrain(places: readonly ServicePlace[]): ServiceDrain | undefined {
  const byName = new Map<string, ServicePlace>();
  for (const place of places) {
    const name = drainedPlaceName(place);
    const known = byName.get(name);
    if (known === undefined || known.step < place.step) byName.set(name, place);
  }
  if (byName.size === 0) return undefined;
  const list = [...byName.values()];
  const ordered = [...list.filter(({ force }) => force), ...list.filter(({ force }) => !force)];
  const id = ordered.map((place) => `${place.force ? '+' : ''}${drainedPlaceName(place)} ${place.step}`).join();
  return { places: ordered, id };
}

/** As much of an endpoint as tells where it is. */
interface Located {
  readonly cluster: string;
  readonly locality: { readonly zone: string };
}

export function isDrained({ cluster, zone }: DrainedPlace, endpoint: Located): boolean {
  return (cluster === '' || cluster === endpoint.cluster) && (zone === '' || zone === endpoint.locality.zone);
}

/**
 * Those of `places` whose endpoints are left out. `ready`: the ready endpoints among which some requests choose. A place by force always
 * counts; any other, in their order, only where the places before it and itself leave a ready endpoint.
 */
export function placesInForce<P extends DrainedPlace & { readonly force: boolean }>(
  places: readonly P[],
  ready: readonly Located[],
): readonly P[] {
  const forced = places.filter(({ force }) => force);
  let left = ready.filter((endpoint) => !forced.some((place) => isDrained(place, endpoint)));
  const counted = [...forced];
  for (const place of places) {
    if (place.force) continue;
    const rest = left.filter((endpoint) => !isDrained(place, endpoint));
    if (rest.length === 0) continue;
    left = rest;
    counted.push(place);
  }
  return counted;
}
