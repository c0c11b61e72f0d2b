/**
 * The `0.0.0.0_<port>` listeners of a captured scope that shares the rest with others: those that are other than the base's. In: services that
 * are otherwise here. Out: listeners for the ports on which that makes a difference.
 */

import type { Finding } from '../core/errors.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { MeshSettings } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import { listenerName } from './names.ts';
import type { OverlayMaps } from './overlay-maps.ts';
import {
  type Dropped,
  listenerOfPort,
  nextEdition,
  type PortListeners,
  type PortUse,
  portFindings,
} from './port-listeners.ts';
import type { HostPieces } from './service-pieces.ts';

/** As `PortUse`, but `http` counts more or fewer services than in the base, whose chains of services in `hidden` do not count. */
interface Difference extends Omit<PortUse, 'dropped' | 'droppedNames'> {
  readonly hidden: Set<ServiceKey>;
}

/** What a service is here, and what it is in the base. */
export interface Sides {
  readonly own: HostPieces | undefined;
  readonly base: HostPieces | undefined;
}

interface Made extends Dropped {
  /** Of all that it was made from. */
  readonly id: string;
  /** What it stands in front of. */
  readonly ofBase: EncodedResource | undefined;
}

export class PortOverlay {
  readonly #base: PortListeners;
  readonly #onDemand: boolean;
  readonly #differences = new Map<number, Difference>();
  readonly #made = new Map<number, Made>();

  constructor(base: PortListeners, onDemand: boolean) {
    this.#base = base;
    this.#onDemand = onDemand;
  }

  replace(key: ServiceKey, before: Sides | undefined, after: Sides | undefined): void {
    this.#count(before?.own, -1);
    this.#count(before?.base, 1);
    this.#count(after?.own, 1);
    this.#count(after?.base, -1);
    for (const { port } of before?.own?.headless ?? []) this.#at(port).headless.delete(key);
    for (const { port } of before?.own?.sni ?? []) this.#at(port).sni.delete(key);
    for (const { port } of chainsOf(before?.base)) this.#at(port).hidden.delete(key);
    for (const { port } of chainsOf(after?.base)) this.#at(port).hidden.add(key);
    for (const { port, chain } of after?.own?.headless ?? []) this.#at(port).headless.set(key, chain);
    for (const { port, chain } of after?.own?.sni ?? []) this.#at(port).sni.set(key, chain);
  }

  /** Writes what changed into `maps`; everything when `all`. */
  flush(settings: MeshSettings, hasIpv6: boolean, baseHasIpv6: boolean, all: boolean, maps: OverlayMaps): void {
    for (const [port, { http, headless, sni, hidden }] of this.#differences)
      if (http === 0 && headless.size + sni.size + hidden.size === 0) this.#differences.delete(port);
    if (this.#differences.size + this.#made.size === 0 && hasIpv6 === baseHasIpv6) return;
    const ports = new Set(this.#differences.keys());
    if (hasIpv6 !== baseHasIpv6) for (const port of this.#base.uses.keys()) ports.add(port);
    for (const port of this.#made.keys()) {
      if (ports.has(port)) continue;
      this.#asInBase(port, maps);
    }
    for (const port of ports) {
      const base = this.#base.uses.get(port);
      const id = `${base?.edition} ${this.#differences.get(port)?.edition} ${hasIpv6} ${baseHasIpv6}`;
      if (!all && this.#made.get(port)?.id === id) continue;
      const use = this.#useOf(port);
      this.#asInBase(port, maps);
      const ofBase = maps.ofBase(typeUrl.listener, listenerName('0.0.0.0', port));
      if (use.http > 0 || use.headless.size + use.sni.size > 0)
        maps.set(typeUrl.listener, listenerOfPort(port, use, settings, hasIpv6, this.#onDemand));
      else if (ofBase !== undefined) maps.hide(typeUrl.listener, ofBase);
      this.#made.set(port, { id, port, ofBase, addresses: use.dropped, names: use.droppedNames });
    }
  }

  findings(cluster: string): Finding[] {
    const others = [...this.#base.uses].filter(([port]) => !this.#made.has(port));
    const ofBase = others.map(([port, use]) => ({ port, addresses: use.dropped, names: use.droppedNames }));
    return portFindings([...ofBase, ...this.#made.values()], cluster);
  }

  #useOf(port: number): PortUse {
    const base = this.#base.uses.get(port);
    const own = this.#differences.get(port);
    const both = <T>(theirs: ReadonlyMap<ServiceKey, T> | undefined, ours: ReadonlyMap<ServiceKey, T> | undefined) =>
      new Map([...[...(theirs ?? [])].filter(([key]) => own?.hidden.has(key) !== true), ...(ours ?? [])]);
    return {
      edition: 0,
      http: (base?.http ?? 0) + (own?.http ?? 0),
      headless: both(base?.headless, own?.headless),
      sni: both(base?.sni, own?.sni),
      dropped: 0,
      droppedNames: 0,
    };
  }

  #asInBase(port: number, maps: OverlayMaps): void {
    const made = this.#made.get(port);
    if (made === undefined) return;
    this.#made.delete(port);
    if (made.ofBase !== undefined) maps.show(typeUrl.listener, made.ofBase);
    maps.remove(typeUrl.listener, listenerName('0.0.0.0', port));
  }

  #count(pieces: HostPieces | undefined, by: 1 | -1): void {
    for (const port of pieces?.httpPorts ?? []) this.#at(port).http += by;
  }

  /** A port that is about to differ otherwise. */
  #at(port: number): Difference {
    let difference = this.#differences.get(port);
    if (difference === undefined) {
      difference = { edition: 0, http: 0, headless: new Map(), sni: new Map(), hidden: new Set() };
      this.#differences.set(port, difference);
    }
    difference.edition = nextEdition();
    return difference;
  }
}

function chainsOf(pieces: HostPieces | undefined): readonly { readonly port: number }[] {
  return pieces === undefined ? [] : [...pieces.headless, ...pieces.sni];
}
