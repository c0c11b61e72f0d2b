/**
 * Where an Envoy cluster finds its endpoints when they are not the mesh's: by DNS, or at addresses that somebody wrote down.
 *
 * In: the upstream of a service, a port, a chain and the Envoy cluster's name. Out: the fields that stand in the place of EDS. What always
 * holds: versions and places are the mesh's own, so only a chain that comes to `anywhere` leads out; and where traffic
 * must not leave a place, to those alone that are known to be there.
 */

import { type Destination, destinationName } from '../model/rule.ts';
import type { CatalogPort, ExternalEndpoint, Upstream } from '../model/service.ts';
import type { Place } from '../model/service-policy.ts';
import { socketAddress } from './common.ts';
import type { Plain } from './proto/encode.ts';

export type OutsidePort = Pick<CatalogPort, 'port' | 'targetPort'>;

/** `within`: traffic must not leave this place, and where a name leads nobody knows. */
export function upstreamFields(
  upstream: Upstream,
  port: OutsidePort,
  chain: readonly Destination[],
  name: string,
  within: Place | undefined,
): Plain {
  if (!chain.some((destination) => destinationName(destination) === '')) return { type: 'STATIC' };
  if (upstream.kind === 'dns')
    return within === undefined ? byDns(upstream.name, port.targetPort ?? port.port, name) : { type: 'STATIC' };
  const inside = upstream.endpoints.filter(({ locality }) => within === undefined || isInside(within, locality));
  return inside.length === 0 ? { type: 'STATIC' } : atAddresses(inside, port, name);
}

function isInside({ region, zone, cluster }: Place, at: ExternalEndpoint['locality']): boolean {
  return cluster === '' && (region === '' || region === at.region) && (zone === '' || zone === at.zone);
}

function byDns(host: string, port: number, name: string): Plain {
  return {
    type: 'STRICT_DNS',
    dns_lookup_family: 'V4_PREFERRED',
    respect_dns_ttl: true,
    // Where the answer has no TTL; a name that cannot be looked up is tried again from 1 s on, ever more rarely.
    dns_refresh_rate: '30s',
    dns_failure_refresh_rate: { base_interval: '1s', max_interval: '30s' },
    // A name server that does not answer must not keep a sidecar from starting with all else.
    wait_for_warm_on_init: false,
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(host, port) } }] }],
    },
  };
}

function atAddresses(endpoints: readonly ExternalEndpoint[], port: OutsidePort, name: string): Plain {
  return {
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: byLocality(endpoints).map((group) => localityOf(group, port)) },
  };
}

export function byLocality(endpoints: readonly ExternalEndpoint[]): readonly (readonly ExternalEndpoint[])[] {
  const groups = Map.groupBy(endpoints, ({ locality: { region, zone, subzone } }) =>
    JSON.stringify([region, zone, subzone]),
  );
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

function localityOf(group: readonly ExternalEndpoint[], port: OutsidePort): Plain {
  const { region, zone, subzone } = group[0]?.locality ?? { region: '', zone: '', subzone: '' };
  const isKnown = region !== '' || zone !== '' || subzone !== '';
  return {
    locality: isKnown ? { region, zone, sub_zone: subzone } : undefined,
    lb_endpoints: group.map(({ address, targetPorts, weight }) => ({
      endpoint: { address: socketAddress(address, targetPorts.get(port.port) ?? port.targetPort ?? port.port) },
      load_balancing_weight: weight,
    })),
    load_balancing_weight: group.reduce((sum, { weight }) => sum + weight, 0),
  };
}
