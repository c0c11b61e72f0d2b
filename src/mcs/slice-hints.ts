/**
 * For whom imported endpoints are meant first, where the service asks for that (`trafficDistribution`): the same hints that Kubernetes' own controller
 * gives the endpoints of a Service. In: the clusterset service. Out: what makes an endpoint's hints.
 *
 * What always holds: a node is named in its own cluster alone, for in another the name is another node's; where one name of a zone stands for zones
 * of several regions, nobody gets a hint of it, for kube-proxy knows zones by name alone and takes no hint where an endpoint has none.
 */

import type { Endpoint } from '../model/service.ts';
import type { ClustersetService } from './clusterset.ts';

export interface EndpointHints {
  readonly forZones?: readonly [{ readonly name: string }];
  readonly forNodes?: readonly [{ readonly name: string }];
}

const closeBy: ReadonlySet<string | undefined> = new Set(['PreferClose', 'PreferSameZone', 'PreferSameNode']);

/** `isOwn`: the endpoint is imported into its own cluster. */
export type HintsOf = (endpoint: Endpoint, isOwn: boolean) => EndpointHints | undefined;

export function hintsFor(service: ClustersetService): HintsOf {
  const { trafficDistribution } = service;
  if (!closeBy.has(trafficDistribution)) return () => undefined;
  const ambiguous = hasAmbiguousZones(service);
  return ({ ready, locality: { zone }, node }, isOwn) => {
    const forZone = ready && zone !== '' && !ambiguous;
    const forNode = ready && node !== '' && isOwn && trafficDistribution === 'PreferSameNode';
    if (!forZone && !forNode) return undefined;
    return {
      ...(forZone ? { forZones: [{ name: zone }] } : {}),
      ...(forNode ? { forNodes: [{ name: node }] } : {}),
    };
  };
}

/** Endpoints of several regions say that they are in a zone of one name. */
export function hasAmbiguousZones({ exports }: ClustersetService): boolean {
  const regions = new Map<string, string>();
  for (const { endpoints } of exports.values()) {
    for (const { locality } of endpoints) {
      const { region, zone } = locality;
      if (region === '' || zone === '') continue;
      const known = regions.get(zone);
      if (known !== undefined && known !== region) return true;
      regions.set(zone, region);
    }
  }
  return false;
}
