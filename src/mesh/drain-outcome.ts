/**
 * Where a drain ends for one service: whether requests that may go to a drained place have a ready endpoint elsewhere. In: the service, compiled
 * with its drain. Out: the places that keep some of its load, and whether some of its requests are left with nothing.
 *
 * Judged for the last step, whichever is taken; by the endpoints alone, so that what single proxies prefer (nodes, zones) does not count. Envoy's
 * assignments decide the same, chain by chain (`placesInForce`).
 */

import { type DrainedPlace, drainedPlaceName, isDrained, placesInForce } from '../model/drain.ts';
import type { MeshService } from '../model/mesh.ts';
import { anywhere, chainName, namesEndpoint, type RuleBackend } from '../model/rule.ts';
import type { CatalogPort, CatalogService, Endpoint } from '../model/service.ts';

export interface DrainOutcome {
  /** `drainedPlaceName`s of the places that some requests go on to, for they have no ready endpoint elsewhere. */
  readonly kept: ReadonlySet<string>;
  /** By force, some requests have no ready endpoint at all. */
  readonly isEmptied: boolean;
}

const nothing: DrainOutcome = { kept: new Set(), isEmptied: false };

const known = new WeakMap<MeshService, DrainOutcome>();

export function drainOutcome(service: MeshService): DrainOutcome {
  if (service.catalog.drain === undefined) return nothing;
  let outcome = known.get(service);
  if (outcome === undefined) {
    outcome = judge(service);
    known.set(service, outcome);
  }
  return outcome;
}

function judge(service: MeshService): DrainOutcome {
  const places = service.catalog.drain?.places ?? [];
  const kept = new Set<string>();
  let isEmptied = false;
  for (const port of service.catalog.ports) {
    if (port.transport !== 'TCP') continue;
    const all = readyEndpoints(service, port);
    for (const chain of chainsInUse(service, port)) {
      const ready = all.filter((endpoint) => chain.some((destination) => namesEndpoint(destination, endpoint)));
      const counted = placesInForce(places, ready);
      const left = ready.filter((endpoint) => !counted.some((place) => isDrained(place, endpoint)));
      isEmptied ||= ready.length > 0 && left.length === 0;
      for (const place of places) {
        if (!counted.includes(place) && left.some((endpoint) => isDrained(place, endpoint)))
          kept.add(drainedPlaceName(place));
      }
    }
  }
  return { kept, isEmptied };
}

/** Those behind a port that requests may reach at all. */
export function readyEndpoints({ catalog, placement }: MeshService, port: CatalogPort): Endpoint[] {
  const within = placement?.within;
  return port.clusters.flatMap((cluster) => {
    const name = port.otherNames.get(cluster) ?? port.name;
    const endpoints = catalog.shards.get(cluster)?.endpoints ?? [];
    return endpoints.filter(
      (endpoint) =>
        endpoint.ready &&
        endpoint.ports.has(name) &&
        (within === undefined || namesEndpoint({ ...within, version: '' }, endpoint)),
    );
  });
}

/** As they are without a drain, each once. */
export function chainsInUse({ routes }: MeshService, port: CatalogPort): readonly RuleBackend['chain'][] {
  const chains = routes.flatMap(({ backends, mirrors = [] }) => [
    ...backends.filter(({ weight, service }) => weight > 0 && service === undefined).map(({ chain }) => chain),
    ...mirrors.filter(({ service }) => service === undefined).map(({ destination }) => [destination]),
  ]);
  // A connection that no route takes goes anywhere.
  const takesAll = routes.some(({ matches, backends }) => matches.length === 0 && backends.length > 0);
  if (port.protocol === 'tcp' && !takesAll) chains.push([anywhere]);
  const whole = chains.map((chain) => chain.map(({ except: _left, ...destination }) => destination));
  return [...new Map(whole.map((chain) => [chainName(chain), chain])).values()];
}

/** Some endpoint of the service is in the place, ready or not. */
export function hasEndpoints({ shards }: CatalogService, place: DrainedPlace): boolean {
  const shard = shards.get(place.cluster);
  const within = place.cluster === '' ? [...shards.values()] : shard === undefined ? [] : [shard];
  return within.some(({ endpoints }) => endpoints.some((endpoint) => isDrained(place, endpoint)));
}
