/**
 * The `0.0.0.0_<port>` listeners of a captured scope: each is what all services on that port need together.
 */

import type { Finding } from '../core/errors.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { MeshSettings } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import { listenerName } from './names.ts';
import { type HeadlessChain, portListener } from './outbound-listeners.ts';
import { encodeResource } from './proto/encode.ts';
import type { ResourceMaps } from './resource-maps.ts';
import type { HostPieces } from './service-pieces.ts';
import { distinctNames, type SniChain, serverNamesMax } from './sni-chains.ts';

/** Addresses of headless services' workloads in one listener. */
const headlessAddressesMax = 4096;

export interface PortUse {
  /** Another number after every change, over all ports. */
  edition: number;
  /** How many services speak HTTP on it. */
  http: number;
  readonly headless: Map<ServiceKey, HeadlessChain>;
  readonly sni: Map<ServiceKey, SniChain>;
  /** Addresses that did not fit, at the last flush. */
  dropped: number;
  /** Server names that did not fit, at the last flush. */
  droppedNames: number;
}

let editions = 0;

export function nextEdition(): number {
  return ++editions;
}

/** What did not fit into the listener of a port. */
export interface Dropped {
  readonly port: number;
  /** Addresses of workloads. */
  readonly addresses: number;
  /** Server names. */
  readonly names: number;
}

export class PortListeners {
  readonly #onDemand: boolean;
  readonly #ports = new Map<number, PortUse>();
  readonly #touched = new Set<number>();

  /** `onDemand`: hosts come when requests ask for them. */
  constructor(onDemand: boolean) {
    this.#onDemand = onDemand;
  }

  /** Something is to be written. */
  get isTouched(): boolean {
    return this.#touched.size > 0;
  }

  get uses(): ReadonlyMap<number, PortUse> {
    return this.#ports;
  }

  replace(key: ServiceKey, before: HostPieces | undefined, after: HostPieces | undefined): void {
    for (const port of before?.httpPorts ?? []) this.#use(port).http -= 1;
    for (const { port } of before?.headless ?? []) this.#use(port).headless.delete(key);
    for (const { port } of before?.sni ?? []) this.#use(port).sni.delete(key);
    for (const port of after?.httpPorts ?? []) this.#use(port).http += 1;
    for (const { port, chain } of after?.headless ?? []) this.#use(port).headless.set(key, chain);
    for (const { port, chain } of after?.sni ?? []) this.#use(port).sni.set(key, chain);
  }

  /** Writes what changed into `maps`; everything when `all`. */
  flush(settings: MeshSettings, hasIpv6: boolean, all: boolean, maps: ResourceMaps): void {
    for (const port of all ? [...this.#ports.keys()] : this.#touched) {
      const use = this.#ports.get(port);
      if (use === undefined) continue;
      if (use.http === 0 && use.headless.size === 0 && use.sni.size === 0) {
        this.#ports.delete(port);
        maps.remove(typeUrl.listener, listenerName('0.0.0.0', port));
      } else {
        maps.set(typeUrl.listener, listenerOfPort(port, use, settings, hasIpv6, this.#onDemand));
      }
    }
    this.#touched.clear();
  }

  findings(cluster: string): Finding[] {
    return portFindings(
      this.#ports.entries().map(([port, use]) => ({ port, addresses: use.dropped, names: use.droppedNames })),
      cluster,
    );
  }

  #use(port: number): PortUse {
    this.#touched.add(port);
    let use = this.#ports.get(port);
    if (use === undefined) {
      use = { edition: 0, http: 0, headless: new Map(), sni: new Map(), dropped: 0, droppedNames: 0 };
      this.#ports.set(port, use);
    }
    use.edition = nextEdition();
    return use;
  }
}

export function portFindings(dropped: Iterable<Dropped>, cluster: string): Finding[] {
  const byPort = [...dropped].sort((a, b) => a.port - b.port);
  return [
    ...byPort
      .filter(({ addresses }) => addresses > 0)
      .map(({ port, addresses }) => ({
        code: 'FW-ENVOY-002' as const,
        severity: 'warning' as const,
        message: `headless services on TCP port ${port} have ${addresses} more workload addresses than the ${headlessAddressesMax} that one listener holds; connections to those are treated as to unknown destinations`,
        where: { cluster },
        hint: 'give large services a cluster IP, or spread them over several ports',
      })),
    ...byPort
      .filter(({ names }) => names > 0)
      .map(({ port, names }) => ({
        code: 'FW-ENVOY-005' as const,
        severity: 'warning' as const,
        message: `services on TLS port ${port} have ${names} more server names than are told apart (${serverNamesMax}), or names that another service has; connections to those are treated as to unknown destinations`,
        where: { cluster },
        hint: 'spread the hosts over several ports, or give large groups of them a wildcard',
      })),
  ];
}

/** Listeners that only say HTTP are the same in every scope of the same settings: one encoding for all. */
const shared = new WeakMap<MeshSettings, Map<string, EncodedResource>>();

/** The listener for what services need on a port; says in `use` what did not fit. */
export function listenerOfPort(
  port: number,
  use: PortUse,
  settings: MeshSettings,
  hasIpv6: boolean,
  onDemand: boolean,
): EncodedResource {
  use.dropped = 0;
  use.droppedNames = 0;
  if (use.headless.size + use.sni.size > 0) {
    const { chains: sni, dropped } = distinctNames(use.sni);
    use.droppedNames = dropped;
    return encode(port, use.http > 0, distinctChains(use), sni, settings, hasIpv6, onDemand);
  }
  let ofSettings = shared.get(settings);
  if (ofSettings === undefined) {
    ofSettings = new Map();
    shared.set(settings, ofSettings);
  }
  const id = `${port} ${hasIpv6} ${onDemand}`;
  let resource = ofSettings.get(id);
  if (resource === undefined) {
    resource = encode(port, true, [], [], settings, hasIpv6, onDemand);
    ofSettings.set(id, resource);
  }
  return resource;
}

function encode(
  port: number,
  hasHttp: boolean,
  headless: readonly HeadlessChain[],
  sni: readonly SniChain[],
  settings: MeshSettings,
  hasIpv6: boolean,
  onDemand: boolean,
): EncodedResource {
  const value = portListener(port, hasHttp, headless, sni, settings, hasIpv6, onDemand);
  return encodeResource(typeUrl.listener, value.name, value);
}

/** Envoy refuses a listener in which two chains match alike: an address that two services share goes to the one whose key sorts first. */
function distinctChains(use: PortUse): HeadlessChain[] {
  const taken = new Set<string>();
  const chains: HeadlessChain[] = [];
  for (const [, chain] of [...use.headless].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const fresh = chain.addresses.filter((address) => !taken.has(address));
    const addresses = fresh.slice(0, Math.max(0, headlessAddressesMax - taken.size));
    use.dropped += fresh.length - addresses.length;
    for (const address of addresses) taken.add(address);
    if (addresses.length > 0) chains.push({ ...chain, addresses });
  }
  return chains;
}
