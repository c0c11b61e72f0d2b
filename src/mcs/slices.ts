/**
 * The EndpointSlices by which a clusterset service's endpoints are imported. In: the clusterset service, a source cluster and its id. Out: slices,
 * each of one source cluster, one address family and one set of target ports.
 *
 * What always holds: the result depends on the endpoints alone; a slice holds `sliceEndpointsMax` endpoints at most; an endpoint stays in its slice while
 * others come and go (it is chosen by a hash of its address), so that one that changes costs one write, unless their number doubles or halves.
 */

import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { serviceNameLabel, sourceClusterLabel } from '../model/import-labels.ts';
import type { Endpoint } from '../model/service.ts';
import type { ClustersetService } from './clusterset.ts';
import { hashOf } from './derived-name.ts';
import { compare } from './order.ts';
import { type EndpointHints, type HintsOf, hintsFor } from './slice-hints.ts';

export interface SliceEndpoint {
  readonly addresses: readonly [string];
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly hints?: EndpointHints;
}

export interface ImportedSlice {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addressType: 'IPv4' | 'IPv6';
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly protocol: string;
    readonly appProtocol?: string;
  }[];
  /** Sorted by address. */
  readonly endpoints: readonly SliceEndpoint[];
}

/** What the API takes. */
export const sliceEndpointsMax = 1_000;
/** How many are aimed at: what kube-controller-manager puts into one. */
const sliceEndpointsWanted = 100;
/** Of one source cluster; what is over it is left out and said. */
export const importedEndpointsMax = 10_000;

interface Group {
  readonly addressType: 'IPv4' | 'IPv6';
  readonly ports: ImportedSlice['ports'];
  readonly endpoints: Endpoint[];
}

export interface ImportedSlices {
  /** Sorted by name. */
  readonly slices: readonly ImportedSlice[];
  /** Endpoints over the bound. */
  readonly dropped: number;
}

const none: ImportedSlices = { slices: [], dropped: 0 };
const made = new WeakMap<ClustersetService, Map<string, ImportedSlices>>();

/**
 * What one cluster exports of a service. `id`: its id in the clusterset. `isOwn`: it is imported into that very cluster, where its nodes are known.
 * The same service object gives the same slices, made once for all clusters.
 */
export function slicesFrom(service: ClustersetService, cluster: string, id: string, isOwn: boolean): ImportedSlices {
  let ofService = made.get(service);
  if (ofService === undefined) {
    ofService = new Map();
    made.set(service, ofService);
  }
  const key = JSON.stringify([cluster, id, isOwn]);
  let slices = ofService.get(key);
  if (slices === undefined) {
    slices = makeSlices(service, cluster, id, isOwn);
    ofService.set(key, slices);
  }
  return slices;
}

function makeSlices(service: ClustersetService, cluster: string, id: string, isOwn: boolean): ImportedSlices {
  const shard = service.exports.get(cluster);
  if (shard === undefined) return none;
  const all = [...shard.endpoints, ...shard.export.otherFamily];
  const groups = new Map<string, Group>();
  for (const endpoint of all.slice(0, importedEndpointsMax)) {
    const ports = portsOf(service, cluster, endpoint);
    // A service without ports (headless) is its addresses alone.
    if (ports.length === 0 && service.ports.length > 0) continue;
    const addressType = isIPv6(endpoint.address) ? 'IPv6' : 'IPv4';
    const group = groups.get(`${addressType} ${JSON.stringify(ports)}`);
    if (group !== undefined) group.endpoints.push(endpoint);
    else groups.set(`${addressType} ${JSON.stringify(ports)}`, { addressType, ports, endpoints: [endpoint] });
  }
  const hintsOf = hintsFor(service);
  const slices = [...groups.values()].flatMap((group) => slicesOf(service, group, id, isOwn, hintsOf));
  return {
    slices: slices.sort((a, b) => compare(a.name, b.name)),
    dropped: Math.max(0, all.length - importedEndpointsMax),
  };
}

/** The clusterset's ports that this endpoint serves, with its own numbers. */
function portsOf(service: ClustersetService, cluster: string, endpoint: Endpoint): ImportedSlice['ports'] {
  return service.ports.flatMap(({ name, clusters, otherNames, transport, appProtocol }) => {
    const port = clusters.includes(cluster) ? endpoint.ports.get(otherNames.get(cluster) ?? name) : undefined;
    return port === undefined
      ? []
      : [{ name, port, protocol: transport, ...(appProtocol === '' ? {} : { appProtocol }) }];
  });
}

function slicesOf(
  service: ClustersetService,
  group: Group,
  id: string,
  isOwn: boolean,
  hintsOf: HintsOf,
): ImportedSlice[] {
  const { addressType, ports, endpoints } = group;
  const kind = hashOf(JSON.stringify([service.name, id, addressType, ports]));
  const labels = { [serviceNameLabel]: service.name, [sourceClusterLabel]: id };
  return buckets(endpoints).map(([bucket, members]) => ({
    name: `${service.name.slice(0, 100)}-${id}-${kind}-${bucket}`,
    labels,
    addressType,
    ports,
    endpoints: members.map((endpoint) => sliceEndpoint(endpoint, isOwn, hintsOf(endpoint, isOwn))),
  }));
}

/** Numbered by the number of buckets too: an endpoint that moves on when they double is never in two slices of one name. */
function buckets(endpoints: readonly Endpoint[]): (readonly [string, readonly Endpoint[]])[] {
  const sorted = endpoints.toSorted((a, b) => compare(a.address, b.address) || compare(a.workload, b.workload));
  for (let count = 1; ; count *= 2) {
    if (count * sliceEndpointsWanted < sorted.length && count < importedEndpointsMax) continue;
    const byBucket = Map.groupBy(sorted, ({ address }) => bucketOf(address, count));
    const groups = [...byBucket].sort(([a], [b]) => a - b);
    if (groups.some(([, members]) => members.length > sliceEndpointsMax) && count < importedEndpointsMax) continue;
    return groups.flatMap(([bucket, members]) =>
      chunks(members).map((part, index) => {
        return [`${count}-${bucket}${index === 0 ? '' : `-${index}`}`, part] as const;
      }),
    );
  }
}

function bucketOf(address: string, count: number): number {
  return count === 1 ? 0 : createHash('sha256').update(address).digest().readUInt32BE(0) % count;
}

/** One address with very many ports could fill a bucket by itself. */
function chunks(members: readonly Endpoint[]): (readonly Endpoint[])[] {
  const parts: Endpoint[][] = [];
  for (let at = 0; at < members.length; at += sliceEndpointsMax) parts.push(members.slice(at, at + sliceEndpointsMax));
  return parts;
}

/** Another cluster's nodes and pods are not named: here these names would mean others. */
function sliceEndpoint(endpoint: Endpoint, isOwn: boolean, hints: EndpointHints | undefined): SliceEndpoint {
  const { address, ready, serving, terminating, hostname, locality, node } = endpoint;
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname === '' ? {} : { hostname }),
    ...(isOwn && node !== '' ? { nodeName: node } : {}),
    ...(locality.zone === '' ? {} : { zone: locality.zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}
