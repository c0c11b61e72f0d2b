/**
 * All that one service gives to sidecars, encoded once and shared by every scope that sees the same.
 *
 * In: the frozen service and the settings; each scope asks for its variant by a `HostKey`, which holds all else that decides the bytes.
 * What always holds: the same service object and settings give the very same resources; what a changed service has in common with its former
 * self stays the same objects, and is not encoded again where the inputs tell that it cannot differ.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { MeshService, MeshSettings } from '../model/mesh.ts';
import { anywhere } from '../model/rule.ts';
import { serviceClusters } from './clusters.ts';
import { serviceAssignments } from './endpoints.ts';
import { outboundCluster, serviceHost } from './names.ts';
import { addressListener, type HeadlessChain } from './outbound-listeners.ts';
import { encodeResource, type Plain } from './proto/encode.ts';
import { connectionShares } from './routes.ts';
import { type HostKey, isHttp, type VirtualHostPart, virtualHosts } from './virtual-hosts.ts';

/** What depends on who looks. */
export interface HostPieces {
  readonly hosts: readonly VirtualHostPart[];
  /** Captured: one per address and TCP port. */
  readonly listeners: readonly EncodedResource[];
  /** Captured: the ports whose `0.0.0.0_<port>` listener must speak HTTP. */
  readonly httpPorts: readonly number[];
  /** Captured: the Envoy clusters that listeners lead to. */
  readonly connections: readonly string[];
  /** Captured, headless: what the `0.0.0.0_<port>` listeners must know of its workloads. */
  readonly headless: readonly { readonly port: number; readonly chain: HeadlessChain }[];
}

export class ServicePieces {
  readonly service: MeshService;
  readonly #settings: MeshSettings;
  readonly clusters: readonly EncodedResource[];
  readonly assignments: readonly EncodedResource[];
  readonly #variants: Map<string, HostPieces>;
  /** The variants of the service's former self, for what they have in common. */
  readonly #formerVariants: ReadonlyMap<string, HostPieces> | undefined = undefined;

  constructor(service: MeshService, settings: MeshSettings, former: ServicePieces | undefined) {
    this.service = service;
    this.#settings = settings;
    this.assignments = keep(encode(typeUrl.endpoint, serviceAssignments(service, settings)), former?.assignments);
    if (former !== undefined && former.#settings === settings && haveSameShape(service, former.service)) {
      this.clusters = former.clusters;
      this.#variants = former.#variants;
      return;
    }
    this.clusters = keep(encode(typeUrl.cluster, serviceClusters(service, settings)), former?.clusters);
    this.#variants = new Map();
    this.#formerVariants = former === undefined ? undefined : former.#variants;
  }

  hosts(key: HostKey): HostPieces {
    const id = JSON.stringify([key.mode, key.sameNamespace, key.addresses, key.headless]);
    let pieces = this.#variants.get(id);
    if (pieces === undefined) {
      const former = this.#formerVariants?.get(id);
      pieces = hostPieces(this.service, key, this.#settings);
      if (former !== undefined) {
        pieces = {
          ...pieces,
          hosts: keep(pieces.hosts, former.hosts),
          listeners: keep(pieces.listeners, former.listeners),
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
  const hosts = virtualHosts(service, key, settings);
  if (key.mode === 'explicit') return { hosts, listeners: [], httpPorts: [], connections: [], headless: [] };
  const { catalog } = service;
  const tcp = catalog.ports
    .filter((port) => port.transport === 'TCP' && port.protocol === 'tcp')
    .map(({ port }) => port);
  const listeners = tcp.flatMap((port) => {
    const shares = connectionShares(service, port, settings);
    return key.addresses.map((address) =>
      addressListener(address, port, chainOf(service, port, settings), shares, settings),
    );
  });
  return {
    hosts,
    listeners: encode(
      typeUrl.listener,
      listeners.map((value) => ({ name: value.name, value })),
    ),
    connections: tcp.flatMap((port) => connectionShares(service, port, settings).map(({ name }) => name)),
    httpPorts: catalog.ports.filter(isHttp).map(({ port }) => port),
    headless: key.headless ? tcp.flatMap((port) => headlessChain(service, port, settings)) : [],
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
  return [{ port, chain: { name: chainOf(service, port, settings), addresses, shares } }];
}

/** The name of the service's Envoy cluster without a rule: known to readers of statistics, unique. */
function chainOf({ catalog }: MeshService, port: number, settings: MeshSettings): string {
  return outboundCluster(port, [anywhere], serviceHost(catalog, settings.clusterDomain));
}

/** All but endpoints and addresses is equal: clusters, hosts and listeners cannot differ. Headless services' listeners hold addresses. */
function haveSameShape(a: MeshService, b: MeshService): boolean {
  if (a.routes !== b.routes || a.rule?.name !== b.rule?.name || a.rule?.namespace !== b.rule?.namespace) return false;
  const one = a.catalog;
  const two = b.catalog;
  if (one.headless || two.headless || [...one.shards.values(), ...two.shards.values()].some(({ headless }) => headless))
    return false;
  return (
    one.ports.length === two.ports.length &&
    one.ports.every((port, index) => {
      const other = two.ports[index];
      return port.port === other?.port && port.transport === other.transport && port.protocol === other.protocol;
    })
  );
}

function encode(url: string, items: readonly { readonly name: string; readonly value: Plain }[]): EncodedResource[] {
  return items.map(({ name, value }) => encodeResource(url, name, value));
}

/** Replaces what equals its former self by that. */
function keep<T extends { readonly name: string; readonly version: string }>(
  fresh: readonly T[],
  former: readonly T[] | undefined,
): readonly T[] {
  if (former === undefined) return fresh;
  const byName = new Map(former.map((item) => [item.name, item]));
  return fresh.map((item) => {
    const before = byName.get(item.name);
    return before !== undefined && before.version === item.version ? before : item;
  });
}
