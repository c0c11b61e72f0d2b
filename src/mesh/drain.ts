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
import {
  anywhere,
  chainName,
  type Destination,
  type OtherService,
  type RuleBackend,
  type RuleRoute,
} from '../model/rule.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { servicesElsewhere } from './elsewhere.ts';

/** A share of the requests (of `drainSteps`), and the places that they are kept from. */
interface Part {
  readonly weight: number;
  readonly places: readonly ServicePlace[];
}

type Split = Pick<MeshService, 'routes' | 'chains' | 'unrouted'>;

/** The parts of what a backend or a mirror takes. */
type PartsOf = (of: { readonly service?: OtherService }) => readonly Part[];

/** The drain of a service that routes lead to, where there is one. */
export type DrainOf = (service: ServiceKey) => ServiceDrain | undefined;

/** `service`: compiled without its drain, of which it may have none. Those of services that its routes lead to count for these shares. */
export function drainedService(service: MeshService, drain: ServiceDrain | undefined, drainOf: DrainOf): MeshService {
  const elsewhere = servicesElsewhere(service.routes).filter((key) => drainOf(key) !== undefined);
  if (drain === undefined && elsewhere.length === 0) return service;
  const id = [drain?.id ?? '', ...elsewhere.map((key) => `${key} ${drainOf(key)?.id}`)].join(' | ');
  return { ...service, ...splitOf(service, { id, own: drain, of: drainOf }) };
}

interface Drains {
  /** Of all that count. */
  readonly id: string;
  readonly own: ServiceDrain | undefined;
  readonly of: DrainOf;
}

/** By the routes as they are without a drain, then by the drain: the same objects for all services that share both, and over time. */
const known = new WeakMap<readonly RuleRoute[], Map<string, Split>>();
/** Splits of one rule's routes that are kept. */
const knownMax = 64;

function splitOf({ routes, chains }: MeshService, drains: Drains): Split {
  let ofRoutes = known.get(routes);
  if (ofRoutes === undefined) {
    ofRoutes = new Map();
    known.set(routes, ofRoutes);
  }
  let split = ofRoutes.get(drains.id);
  if (split === undefined) {
    if (ofRoutes.size >= knownMax) ofRoutes.clear();
    const own = partsOf(drains.own?.places ?? []);
    const parts: PartsOf = ({ service }) =>
      service === undefined ? own : partsOf(drains.of(serviceKey(service.namespace, service.name))?.places ?? []);
    split = {
      routes: routes.map((route) => splitRoute(route, parts)),
      chains: withTwins(chains, own),
      ...(drains.own === undefined ? {} : { unrouted: splitBackends([{ weight: 1, chain: [anywhere] }], parts) }),
    };
    ofRoutes.set(drains.id, split);
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

function splitRoute(route: RuleRoute, parts: PartsOf): RuleRoute {
  const { mirrors } = route;
  return {
    ...route,
    backends: splitBackends(route.backends, parts),
    ...(mirrors === undefined ? {} : { mirrors: mirrors.flatMap((mirror) => splitMirror(mirror, parts(mirror))) }),
  };
}

/** Where one part has everything, the weights stay as they were written. */
function splitBackends(backends: readonly RuleBackend[], partsOf: PartsOf): readonly RuleBackend[] {
  const split = backends.map((backend) => ({ backend, parts: partsOf(backend).filter(({ weight }) => weight > 0) }));
  const isWhole = split.every(({ parts }) => parts.length === 1);
  return split.flatMap(({ backend, parts }) =>
    parts.map((part) => ({
      ...backend,
      weight: isWhole ? backend.weight : backend.weight * part.weight,
      chain: twinOf(backend.chain, part),
    })),
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
