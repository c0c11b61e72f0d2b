/**
 * Which of a service's endpoints come first for one group of proxies, without a word of any chain: a chain's levels are split by this one
 * after the other, so a wanted version stays wanted even far away.
 *
 * In: the service's placement, and an `AssignmentKey`, which holds all that decides the bytes besides. Out: who counts at all, and for each
 * endpoint its step (0 is the nearest) and its share. What always holds: an endpoint has one step; what is not known is never near, and never
 * within.
 */

import type { MeshService, Placement, Scope } from '../model/mesh.ts';
import type { Endpoint } from '../model/service.ts';
import type { NearnessStep, Place } from '../model/service-policy.ts';

/** The proxy's own place, as far as the service's placement reads it; '' elsewhere. */
export interface AssignmentKey {
  readonly region: string;
  readonly zone: string;
  readonly cluster: string;
  readonly network: string;
  readonly node: string;
  /** Shares: the entry that fits the proxy; -1 for none. */
  readonly entry: number;
  /** It is for gRPC's own clients. */
  readonly grpc?: true;
}

const nobody: AssignmentKey = { region: '', zone: '', cluster: '', network: '', node: '', entry: -1 };
const noGrpcClient: AssignmentKey = { ...nobody, grpc: true };

export function assignmentKey({ placement }: MeshService, scope: Scope): AssignmentKey {
  if (placement === undefined) return scope.mode === 'grpc' ? noGrpcClient : nobody;
  const { preference, nodeLocal, clusterLocal } = placement;
  const steps: readonly NearnessStep[] = preference?.kind === 'nearest' ? preference.order : [];
  const { region, zone, node } = scope.answers ?? nobody;
  const zoned = steps.includes('zone') && zone !== '';
  const noded = (steps.includes('node') || nodeLocal) && node !== '';
  return {
    region: zoned || steps.includes('region') ? region : '',
    zone: zoned ? zone : '',
    node: noded ? node : '',
    cluster: noded || clusterLocal === true || steps.includes('cluster') ? scope.cluster : '',
    network: steps.includes('network') ? scope.network : '',
    entry:
      preference?.kind === 'shares'
        ? preference.entries.findIndex(({ from }) => isIn(from, { region, zone, cluster: scope.cluster }))
        : -1,
    ...(scope.mode === 'grpc' ? { grpc: true } : {}),
  };
}

/** Equal keys, equal ids. */
export function assignmentId({ region, zone, cluster, network, node, entry, grpc }: AssignmentKey): string {
  return JSON.stringify([region, zone, cluster, network, node, entry, grpc === true]);
}

/** What is '' in `place` is not asked for. */
function isIn(place: Place, at: Place): boolean {
  return (
    (place.region === '' || place.region === at.region) &&
    (place.zone === '' || place.zone === at.zone) &&
    (place.cluster === '' || place.cluster === at.cluster)
  );
}

function isAt(place: Place, { locality: { region, zone }, cluster }: Endpoint): boolean {
  return isIn(place, { region, zone, cluster });
}

/** Traffic may go to this endpoint, as far as the rule's `within` is concerned. */
export function mayReach(placement: Placement | undefined, endpoint: Endpoint): boolean {
  return placement?.within === undefined || isAt(placement.within, endpoint);
}

export interface Nearness {
  /** The steps are 0 to `steps - 1`. */
  readonly steps: number;
  /** Endpoints elsewhere are as if they were not. */
  counts(endpoint: Endpoint): boolean;
  stepOf(endpoint: Endpoint): number;
  /** The index of the first place with a share that holds the endpoint; -1 for none. */
  shareOf(endpoint: Endpoint): number;
  /** Weights of the places with shares; [] where there are none. */
  readonly shares: readonly number[];
}

const everywhere: Nearness = { steps: 1, counts: () => true, stepOf: () => 0, shareOf: () => -1, shares: [] };

export function nearness(placement: Placement | undefined, key: AssignmentKey): Nearness {
  if (placement === undefined) return everywhere;
  const isLocal = placement.nodeLocal && key.node !== '';
  const counts = (endpoint: Endpoint): boolean =>
    mayReach(placement, endpoint) &&
    (!isLocal || hasInCommon('node', endpoint, key)) &&
    (placement.clusterLocal !== true || endpoint.cluster === key.cluster);
  return { ...preferred(placement, key), counts };
}

function preferred({ preference }: Placement, key: AssignmentKey): Omit<Nearness, 'counts'> {
  switch (preference?.kind) {
    case undefined:
      return everywhere;
    case 'nearest': {
      const { order } = preference;
      return {
        ...everywhere,
        steps: order.length + 1,
        stepOf: (endpoint) =>
          orEnd(
            order.findIndex((step) => hasInCommon(step, endpoint, key)),
            order.length,
          ),
      };
    }
    case 'order': {
      const { places } = preference;
      return {
        ...everywhere,
        steps: places.length + 1,
        stepOf: (endpoint) =>
          orEnd(
            places.findIndex((place) => isAt(place, endpoint)),
            places.length,
          ),
      };
    }
    case 'shares': {
      const to = preference.entries[key.entry]?.to;
      if (to === undefined) return everywhere;
      const shareOf = (endpoint: Endpoint): number => to.findIndex(({ place }) => isAt(place, endpoint));
      return {
        steps: 2,
        stepOf: (endpoint) => (shareOf(endpoint) < 0 ? 1 : 0),
        shareOf,
        shares: to.map(({ weight }) => weight),
      };
    }
  }
}

function orEnd(index: number, end: number): number {
  return index < 0 ? end : index;
}

function hasInCommon(step: NearnessStep, { locality, cluster, network, node }: Endpoint, key: AssignmentKey): boolean {
  switch (step) {
    case 'node':
      return key.node !== '' && node === key.node && cluster === key.cluster;
    case 'zone':
      return key.zone !== '' && locality.zone === key.zone && locality.region === key.region;
    case 'region':
      return key.region !== '' && locality.region === key.region;
    case 'cluster':
      return key.cluster !== '' && cluster === key.cluster;
    case 'network':
      return network === key.network;
  }
}
