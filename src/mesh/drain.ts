/**
 * A service whose load is moved out of some places. In: the service compiled as if nothing were drained, and its drain. Out: the service with
 * each backend split in two or more: a part that goes where it always went, and parts for twins of its chain that leave places out.
 *
 * What always holds: the parts of a backend have its share of the route, to the last request; a request that one place is kept from at some
 * step is kept from it at every later step of the same drain; what a step changes is weights alone, for the twins are there from the start.
 * With several places, the one that is further on takes the larger part, and the others' parts lie within it: who is kept from the second is
 * kept from the first.
 */

import { drainSteps, type ServiceDrain, type ServicePlace } from '../model/drain.ts';
import type { MeshService } from '../model/mesh.ts';
import type { Mirror } from '../model/route-filters.ts';
import { anywhere, chainName, type Destination, type RuleBackend, type RuleRoute } from '../model/rule.ts';

/** A share of the requests (of `drainSteps`), and the places that they are kept from. */
interface Part {
  readonly weight: number;
  readonly places: readonly ServicePlace[];
}

type Split = Pick<MeshService, 'routes' | 'chains'> & { readonly unrouted: readonly RuleBackend[] };

/** `service`: compiled without its drain. */
export function drainedService(service: MeshService, drain: ServiceDrain): MeshService {
  return { ...service, ...splitOf(service, drain) };
}

/** By the routes as they are without a drain, then by the drain: the same objects for all services that share both, and over time. */
const known = new WeakMap<readonly RuleRoute[], Map<string, Split>>();
/** Splits of one rule's routes that are kept. */
const knownMax = 64;

function splitOf({ routes, chains }: MeshService, drain: ServiceDrain): Split {
  let ofRoutes = known.get(routes);
  if (ofRoutes === undefined) {
    ofRoutes = new Map();
    known.set(routes, ofRoutes);
  }
  let split = ofRoutes.get(drain.id);
  if (split === undefined) {
    if (ofRoutes.size >= knownMax) ofRoutes.clear();
    const parts = partsOf(drain.places);
    split = {
      routes: routes.map((route) => splitRoute(route, parts)),
      chains: withTwins(chains, parts),
      unrouted: splitBackends([{ weight: 1, chain: [anywhere] }], parts),
    };
    ofRoutes.set(drain.id, split);
  }
  return split;
}

/** Every set of places that some request is, or will be, kept from, with its share now; the undrained part first. The shares add up. */
function partsOf(places: readonly ServicePlace[]): readonly Part[] {
  // The furthest first; among equals the order in which they count.
  const order = [...places.keys()].sort((a, b) => (places[b]?.step ?? 0) - (places[a]?.step ?? 0) || a - b);
  const step = (nth: number): number => places[order[nth] ?? -1]?.step ?? 0;
  const parts: Part[] = [{ weight: drainSteps - step(0), places: [] }];
  for (const nth of order.keys()) {
    const within = new Set(order.slice(0, nth + 1));
    parts.push({ weight: step(nth) - step(nth + 1), places: places.filter((_, index) => within.has(index)) });
  }
  return parts;
}

function splitRoute(route: RuleRoute, parts: readonly Part[]): RuleRoute {
  const { mirrors } = route;
  return {
    ...route,
    backends: splitBackends(route.backends, parts),
    ...(mirrors === undefined ? {} : { mirrors: mirrors.flatMap((mirror) => splitMirror(mirror, parts)) }),
  };
}

/** Where one part has everything, the weights stay as they were written. */
function splitBackends(backends: readonly RuleBackend[], parts: readonly Part[]): readonly RuleBackend[] {
  const whole = parts.find(({ weight }) => weight === drainSteps);
  if (whole !== undefined) return backends.map(({ weight, chain }) => ({ weight, chain: twinOf(chain, whole) }));
  return backends.flatMap(({ weight, chain }) =>
    parts
      .filter((part) => part.weight > 0)
      .map((part) => ({ weight: weight * part.weight, chain: twinOf(chain, part) })),
  );
}

/** Copies go by their own dice. */
function splitMirror({ destination, percent, ...rest }: Mirror, parts: readonly Part[]): Mirror[] {
  return parts
    .filter(({ weight }) => weight > 0)
    .map((part) => ({
      ...rest,
      destination: except(destination, part),
      // Whole numbers first: a tenth of 30 is 3.
      percent: (percent * part.weight) / drainSteps,
    }));
}

function twinOf(chain: RuleBackend['chain'], part: Part): RuleBackend['chain'] {
  return part.places.length === 0 ? chain : chain.map((destination) => except(destination, part));
}

function except(destination: Destination, { places }: Part): Destination {
  if (places.length === 0) return destination;
  return { ...destination, except: places.map(({ cluster, zone, force }) => ({ cluster, zone, force })) };
}

/** With those that have no requests yet, and those that have none any more: nothing waits for an Envoy cluster when a step or an end comes. */
function withTwins(chains: MeshService['chains'], parts: readonly Part[]): MeshService['chains'] {
  const all = new Map(
    chains.flatMap((chain) => parts.map((part) => twinOf(chain, part))).map((chain) => [chainName(chain), chain]),
  );
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, chain]) => chain);
}
