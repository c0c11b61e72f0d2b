/**
 * All that one service gives to sidecars and proxyless clients, encoded once and shared by every scope that sees the same.
 *
 * In: the frozen service and the settings; each scope asks for its variants by a `HostKey` and an `AssignmentKey`, which hold all else that
 * decides the bytes.
 * What always holds: the same service object and settings give the very same resources; what a changed service has in common with its former
 * self stays the same objects, and is not encoded again where the inputs tell that it cannot differ.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { MeshService, MeshSettings } from '../model/mesh.ts';
import { anywhere, chainName } from '../model/rule.ts';
import { serviceClusters } from './clusters.ts';
import { serviceAssignments } from './endpoints.ts';
import { grpcClusters } from './grpc/clusters.ts';
import { grpcAssignments } from './grpc/endpoints.ts';
import { grpcListeners } from './grpc/listeners.ts';
import { grpcRouteTables } from './grpc/routes.ts';
import { type AssignmentKey, assignmentId } from './locality-levels.ts';
import { outboundCluster, serviceHost } from './names.ts';
import { addressListener, type HeadlessChain } from './outbound-listeners.ts';
import { explicitPodHosts, type PodHosts } from './pod-hosts.ts';
import { encodeResource, type Plain } from './proto/encode.ts';
import { connectionShares, mirrorClusters, refusedCluster, sniShares } from './routes.ts';
import type { SniChain } from './sni-chains.ts';
import { seenFrom } from './sources.ts';
import { type HostKey, hostNames, isDetected, isHttp, type VirtualHostPart, virtualHosts } from './virtual-hosts.ts';

/** What depends on who looks. */
export interface HostPieces {
  readonly hosts: readonly VirtualHostPart[];
  /** Captured: one per address and TCP port. gRPC: one per name by which a port may be asked for. */
  readonly listeners: readonly EncodedResource[];
  /** gRPC: one route table per port. */
  readonly routes?: readonly EncodedResource[];
  /** Captured: the ports whose `0.0.0.0_<port>` listener must speak HTTP. */
  readonly httpPorts: readonly number[];
  /** Captured: the Envoy clusters that listeners lead to. */
  readonly connections: readonly string[];
  /** The Envoy clusters that requests are copied to: on demand nobody would ask for them. */
  readonly mirrored: readonly string[];
  /** Captured, headless: what the `0.0.0.0_<port>` listeners must know of its workloads. */
  readonly headless: readonly { readonly port: number; readonly chain: HeadlessChain }[];
  /** Captured, TLS without an address: the names by which the `0.0.0.0_<port>` listeners know it. */
  readonly sni: readonly { readonly port: number; readonly chain: SniChain }[];
  /** Explicit, headless: what its single workloads are reached by. */
  readonly pods?: PodHosts;
}

export class ServicePieces {
  readonly service: MeshService;
  readonly #settings: MeshSettings;
  readonly clusters: readonly EncodedResource[];
  #grpcClusters: readonly EncodedResource[] | undefined;
  #formerGrpcClusters: readonly EncodedResource[] | undefined;
  readonly #assignments = new Map<string, readonly EncodedResource[]>();
  /** The assignments of the service's former self, until those of today are made. */
  readonly #formerAssignments: Map<string, readonly EncodedResource[]>;
  readonly #variants: Map<string, HostPieces>;
  /** The variants of the service's former self, for what they have in common. */
  readonly #formerVariants: ReadonlyMap<string, HostPieces> | undefined = undefined;

  constructor(service: MeshService, settings: MeshSettings, former: ServicePieces | undefined) {
    this.service = service;
    this.#settings = settings;
    this.#formerAssignments = new Map(former === undefined ? [] : former.#assignments);
    if (former !== undefined && former.#settings === settings && haveSameShape(service, former.service)) {
      this.clusters = former.clusters;
      this.#grpcClusters = former.#grpcClusters;
      this.#variants = former.#variants;
      return;
    }
    this.#formerGrpcClusters = former === undefined ? undefined : former.#grpcClusters;
    this.clusters = keep(encode(typeUrl.cluster, serviceClusters(service, settings)), former?.clusters);
    this.#variants = new Map();
    this.#formerVariants = former === undefined ? undefined : former.#variants;
  }

  /** Those for gRPC's own clients, made when the first of them asks. */
  grpcClusters(): readonly EncodedResource[] {
    this.#grpcClusters ??= keep(grpcClusters(this.service, this.#settings), this.#formerGrpcClusters);
    this.#formerGrpcClusters = undefined;
    return this.#grpcClusters;
  }

  /** One per TCP port and chain. */
  assignments(key: AssignmentKey): readonly EncodedResource[] {
    const id = assignmentId(key);
    let assignments = this.#assignments.get(id);
    if (assignments === undefined) {
      const make = key.grpc === true ? grpcAssignments : serviceAssignments;
      assignments = keep(make(this.service, key, this.#settings), this.#formerAssignments.get(id));
      this.#assignments.set(id, assignments);
      this.#formerAssignments.delete(id);
    }
    return assignments;
  }

  hosts(key: HostKey): HostPieces {
    const id = JSON.stringify([
      key.mode,
      key.sameNamespace,
      key.addresses,
      key.headless,
      key.sources,
      key.pods,
      key.onDemand,
    ]);
    let pieces = this.#variants.get(id);
    if (pieces === undefined) {
      const former = this.#formerVariants?.get(id);
      pieces = hostPieces(seenFrom(this.service, key.sources), key, this.#settings);
      if (former !== undefined) {
        pieces = {
          ...pieces,
          hosts: keep(pieces.hosts, former.hosts),
          listeners: keep(pieces.listeners, former.listeners),
          ...(pieces.routes === undefined ? {} : { routes: keep(pieces.routes, former.routes) }),
        };
      }
      this.#variants.set(id, pieces);
    }
    return pieces;
  }
}

const cache = new WeakMap<MeshSettings, WeakMap<MeshService, ServicePieces>>();

/** `former`: what this service was before, if the caller knows. */
export function servicePieces(service: MeshService, settings: MeshSettings, former?: ServicePieces): ServicePieces {
  let ofSettings = cache.get(settings);
  if (ofSettings === undefined) {
    ofSettings = new WeakMap();
    cache.set(settings, ofSettings);
  }
  let pieces = ofSettings.get(service);
  if (pieces === undefined) {
    pieces = new ServicePieces(service, settings, former);
    ofSettings.set(service, pieces);
  }
  return pieces;
}

function hostPieces(service: MeshService, key: HostKey, settings: MeshSettings): HostPieces {
  if (key.mode === 'grpc') {
    const listeners = grpcListeners(service.catalog, hostNames(service.catalog, key, settings), settings);
    return { ...noListeners, hosts: [], mirrored: [], listeners, routes: grpcRouteTables(service, settings) };
  }
  const hosts = virtualHosts(service, key, settings);
  if (key.mode === 'explicit') {
    const pods = key.pods === undefined ? undefined : explicitPodHosts(service, key.pods, settings);
    const all = pods === undefined ? hosts : [...hosts, ...pods.hosts];
    return {
      hosts: all,
      ...noListeners,
      mirrored: mirrored(service, settings),
      ...(pods === undefined ? {} : { pods }),
    };
  }
  const { catalog } = service;
  const tcpPorts = catalog.ports.filter((port) => port.transport === 'TCP' && port.protocol === 'tcp');
  const tcp = tcpPorts.map(({ port }) => port);
  // Where hosts of others may share an address, TLS goes by its names.
  const byAddress = isOutsideOf(catalog) ? tcpPorts.filter(({ tls }) => tls !== true) : tcpPorts;
  const listeners = byAddress.flatMap((port) => {
    const shares = connectionShares(service, port.port, settings);
    const detect = isDetected(port, settings) ? { onDemand: key.onDemand === true } : undefined;
    const name = chainOf(service, port.port, settings);
    const sni = sniShares(service, port.port, settings).map((byName, index) => ({
      name: `${name}#${index}`,
      serverNames: byName.names,
      shares: byName.shares,
      policy: service.policy,
    }));
    return key.addresses.map((address) =>
      addressListener(address, port.port, { name, shares, policy: service.policy, sni, detect }, settings),
    );
  });
  return {
    hosts,
    listeners: encode(
      typeUrl.listener,
      listeners.map((value) => ({ name: value.name, value })),
    ),
    connections: tcp.flatMap((port) =>
      [connectionShares(service, port, settings), ...sniShares(service, port, settings).map(({ shares }) => shares)]
        .flat()
        .flatMap(({ name }) => (name === refusedCluster ? [] : name)),
    ),
    mirrored: mirrored(service, settings),
    httpPorts: catalog.ports.filter((port) => isHttp(port, settings)).map(({ port }) => port),
    headless: key.headless ? tcp.flatMap((port) => headlessChain(service, port, settings)) : [],
    sni: sniChains(service, key, settings),
  };
}

/**
 * A headless TCP service's workloads are reached at their own addresses. Where the mesh passes unknown destinations through and no rule is in
 * force there is nothing to say of them; so that, without need, no listener changes with every workload.
 */
function headlessChain(
  service: MeshService,
  port: number,
  settings: MeshSettings,
): { port: number; chain: HeadlessChain }[] {
  if (service.rule === undefined && settings.outbound === 'allow-any') return [];
  const endpoints = [...service.catalog.shards.values()].flatMap((shard) => shard.endpoints);
  const addresses = [...new Set(endpoints.map(({ address }) => address))].sort();
  if (addresses.length === 0) return [];
  const shares = service.rule === undefined ? undefined : connectionShares(service, port, settings);
  const { policy } = service;
  return [{ port, chain: { name: chainOf(service, port, settings), addresses, shares, policy } }];
}

/**
 * TLS hosts that no address tells: what is outside, what is an alias, what other clusters alone have, and headless services with a rule
 * (without one, a client has chosen the workload by its address).
 */
function sniChains(service: MeshService, key: HostKey, settings: MeshSettings): { port: number; chain: SniChain }[] {
  const { catalog, policy, rule } = service;
  const isOutside = isOutsideOf(catalog);
  if (!isOutside && (key.addresses.length > 0 || (key.headless && rule === undefined))) return [];
  const serverNames = hostNames(catalog, key, settings);
  return catalog.ports
    .filter(({ transport, tls }) => transport === 'TCP' && tls === true)
    .map(({ port }) => {
      const shares = connectionShares(service, port, settings);
      return { port, chain: { name: chainOf(service, port, settings), serverNames, shares, policy } };
    });
}

/** A host that is not of the mesh; other such hosts may share its addresses. */
function isOutsideOf({ host, clusterset }: MeshService['catalog']): boolean {
  return host !== undefined && clusterset === undefined;
}

function mirrored(service: MeshService, settings: MeshSettings): readonly string[] {
  if (service.routes.every(({ mirrors }) => mirrors === undefined)) return [];
  const ports = service.catalog.ports.filter((port) => isHttp(port, settings));
  return ports.flatMap(({ port }) => mirrorClusters(service, port, settings));
}

const noListeners = { listeners: [], httpPorts: [], connections: [], headless: [], sni: [] } as const;

/** The name of the service's Envoy cluster without a rule: known to readers of statistics, unique. */
function chainOf({ catalog }: MeshService, port: number, settings: MeshSettings): string {
  return outboundCluster(port, [anywhere], serviceHost(catalog, settings.clusterDomain));
}

/** All but endpoints and addresses is equal: clusters, hosts and listeners cannot differ. Headless services' listeners hold addresses. */
function haveSameShape(a: MeshService, b: MeshService): boolean {
  if (a.chains !== b.chains && a.chains.map(chainName).join() !== b.chains.map(chainName).join()) return false;
  if (a.placement?.preference !== b.placement?.preference) return false;
  if (a.catalog.drain?.id !== b.catalog.drain?.id) return false;
  if (
    a.routes !== b.routes ||
    a.policy !== b.policy ||
    a.rule?.name !== b.rule?.name ||
    a.rule?.namespace !== b.rule?.namespace
  )
    return false;
  const one = a.catalog;
  const two = b.catalog;
  if (one.upstream !== undefined || two.upstream !== undefined) return false;
  if (one.clusterset?.names !== two.clusterset?.names) return false;
  if (one.headless || two.headless || [...one.shards.values(), ...two.shards.values()].some(({ headless }) => headless))
    return false;
  return (
    one.ports.length === two.ports.length &&
    one.ports.every((port, index) => {
      const other = two.ports[index];
      return (
        port.port === other?.port &&
        port.transport === other.transport &&
        port.protocol === other.protocol &&
        port.tls === other.tls &&
        port.undeclared === other.undeclared
      );
    })
  );
}

function encode(url: string, items: readonly { readonly name: string; readonly value: Plain }[]): EncodedResource[] {
  return items.map(({ name, value }) => encodeResource(url, name, value));
}

/** Replaces what equals its former self by that. Hosts of several tables may have one name, and be equal but for the table. */
function keep<T extends { readonly name: string; readonly version: string; readonly table?: string }>(
  fresh: readonly T[],
  former: readonly T[] | undefined,
): readonly T[] {
  if (former === undefined) return fresh;
  const keyOf = ({ name, table = '' }: T): string => `${table}/${name}`;
  const byKey = new Map(former.map((item) => [keyOf(item), item]));
  return fresh.map((item) => {
    const before = byKey.get(keyOf(item));
    return before !== undefined && before.version === item.version ? before : item;
  });
}
