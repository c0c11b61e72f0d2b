/**
 * What the sidecars of one scope get, where most of it is what others get too: only what differs from a base, which holds the resources of the
 * services as one scope of the same kind sees them, once for all.
 *
 * In: the base (brought up to the mesh first), then the mesh and which of its services may have changed. Out: the base's resources with what
 * differs in front of them. What always holds: memory and work follow what differs; and read through the overlay, the resources are byte for
 * byte those that `ScopeResources` has for the scope alone.
 */

import type { Finding } from '../core/errors.ts';
import type { Overlay } from '../core/layered-map.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { Mesh, MeshService, MeshSettings, Scope } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import { AddressClaims } from './address-claims.ts';
import { grpcFindings } from './grpc/findings.ts';
import { claimedAddresses, type Held, heldBy, maySeeOtherwise, seeAlike, seenBy } from './host-key.ts';
import { OverlayMaps } from './overlay-maps.ts';
import { OwnResources } from './own-resources.ts';
import { podFindings } from './pod-hosts.ts';
import { PortOverlay, type Sides } from './port-overlay.ts';
import type { ScopeResources } from './scope-resources.ts';
import { servicePieces } from './service-pieces.ts';
import { TableOverlays } from './table-overlays.ts';
import { tunnelFindings } from './tunnel-findings.ts';
import { UnaskedClusters } from './unasked-clusters.ts';
import { UnknownHostsOverlay } from './unknown-hosts-overlay.ts';
import { askedVirtualHost, pushedVirtualHost } from './virtual-host-resources.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

/** A service that is otherwise here: what it is here, and what of the base it stands in for. undefined: not seen. */
interface Other {
  readonly own: Held | undefined;
  readonly base: Held | undefined;
}

interface Move {
  readonly key: ServiceKey;
  readonly before: Other | undefined;
  readonly after: Other | undefined;
}

/** Names, to be looked up and gone through. */
export interface NameSet extends Iterable<string> {
  has(name: string): boolean;
}

export class ScopeOverlay {
  readonly #scope: Scope;
  readonly #base: ScopeResources;
  /** Nothing of the mesh is otherwise, if both see the same mesh. */
  readonly #isAsBase: boolean;
  readonly #maps: OverlayMaps;
  readonly #others = new Map<ServiceKey, Other>();
  /** The base's where both are of the same cluster, or nobody claims anything. */
  readonly #claims: AddressClaims;
  readonly #ports: PortOverlay;
  readonly #tables: TableOverlays;
  readonly #unknownHosts: UnknownHostsOverlay;
  readonly #own = new OwnResources();
  /** Of the services that are otherwise here; the others' are the base's. */
  readonly #unaskedClusters = new UnaskedClusters((name) => this.#maps.touch(typeUrl.cluster, name));
  /** Something was moved since the last `settle`. */
  #isTouched = true;
  /** Of the base, at the last `settle`. */
  #structure = -1;
  /** As of the last `settle`. */
  #settled: { readonly settings: MeshSettings; readonly hasIpv6: boolean } | undefined;

  constructor(scope: Scope, base: ScopeResources) {
    this.#scope = scope;
    this.#base = base;
    this.#isAsBase = seeAlike(scope, base.scope);
    this.#maps = new OverlayMaps(base);
    const isClaimedAlike = scope.mode !== 'captured' || scope.cluster === base.scope.cluster;
    this.#claims = isClaimedAlike ? base.claims : new AddressClaims();
    this.#ports = new PortOverlay(base.ports, scope.routes === 'on-demand');
    this.#unknownHosts = new UnknownHostsOverlay(base.unknownHosts);
    this.#tables = new TableOverlays(scope, base.tables, this.#unknownHosts);
  }

  /** Live, for reading, once `settle` has been called after the last `absorb`. */
  resources(url: string): ReadonlyMap<string, EncodedResource> {
    return this.#maps.of(url);
  }

  /** Live: what is other than in the base. */
  own(url: string): Overlay<EncodedResource> {
    return this.#maps.own(url);
  }

  /** A route table's virtual hosts, whichever way they go out; the catch-all comes last. */
  hostsOfTable(name: string): readonly VirtualHostPart[] | undefined {
    const { settings } = this.#base;
    const parts = this.#tables.parts(name);
    return parts && settings && [...parts.values(), this.#tables.catchAll(name, settings)];
  }

  /** What of a type a sidecar gets without asking for it by name, live; undefined: all that there is. */
  unasked(url: string): NameSet | undefined {
    const ofBase = this.#scope.routes === 'on-demand' ? this.#base.unasked(url) : undefined;
    if (ofBase === undefined) return undefined;
    return bothOf(ofBase, this.#ownUnasked(url));
  }

  /** The same, besides those of the base. */
  ownUnasked(url: string): NameSet | undefined {
    if (this.#scope.routes !== 'on-demand' || this.#base.unasked(url) === undefined) return undefined;
    return this.#ownUnasked(url);
  }

  #ownUnasked(url: string): ReadonlySet<string> {
    return url === typeUrl.cluster ? this.#unaskedClusters.names : this.#tables.always;
  }

  /** On demand: the answer to a request for a virtual host that no service has. */
  unknownHost(name: string): EncodedResource | undefined {
    return this.#scope.routes === 'on-demand' ? this.#unknownHosts.answer(name) : undefined;
  }

  /** What of the mesh this scope's sidecars do not get, and why. */
  findings(): readonly Finding[] {
    const { cluster, mode } = this.#scope;
    if (mode === 'grpc') return grpcFindings(this.#services(), cluster);
    const dropped: (readonly [ServiceKey, number])[] = [];
    if (mode === 'explicit') {
      for (const [key, { hosts }] of this.#base.held)
        if (!this.#others.has(key) && hosts.pods !== undefined) dropped.push([key, hosts.pods.dropped]);
      for (const [key, { own }] of this.#others) dropped.push([key, own?.hosts.pods?.dropped ?? 0]);
    }
    return [
      ...(mode === 'explicit' ? tunnelFindings(this.#services(), cluster) : []),
      ...this.#claims.findings(cluster),
      ...this.#ports.findings(cluster),
      ...podFindings(dropped, cluster),
    ];
  }

  /** Whether the service is otherwise here, or may be. */
  concerns(mesh: Mesh, key: ServiceKey): boolean {
    if (this.#others.has(key) || (this.#claims !== this.#base.claims && this.#claims.has(key))) return true;
    if (this.#base.wanted?.has(key) === false) return false;
    const service = mesh.services.get(key);
    if (service !== this.#base.held.get(key)?.pieces.service) return true;
    return service !== undefined && !this.#isAsBase && maySeeOtherwise(service, this.#scope, this.#base.scope);
  }

  /** Services that have to be looked at for a first state, or after changes that were not told. */
  *toLookAt(mesh: Mesh): Generator<ServiceKey, undefined> {
    for (const key of [...this.#others.keys(), ...(this.#claims === this.#base.claims ? [] : this.#claims.services())])
      yield key;
    if (!this.#isAsBase) yield* this.#base.wanted ?? mesh.services.keys();
  }

  /**
   * Takes over what the mesh says of a service, after the base has. `resources` is between two states until `settle`. Returns whether there was
   * anything to do.
   */
  absorb(mesh: Mesh, key: ServiceKey): boolean {
    const { settings } = this.#base;
    if (settings === undefined || !this.concerns(mesh, key)) return false;
    const affected = this.#claim(key, mesh.services);
    const moves = affected.flatMap((each) => this.#move(each, this.#seen(mesh.services.get(each)), settings) ?? []);
    this.#isTouched ||= moves.some(isVisible);
    for (const move of moves) this.#takeAway(move);
    for (const move of moves) this.#put(move);
    return true;
  }

  /** Ends an update: `resources` is one state again. Returns the names that may differ otherwise since the last one, by type. */
  settle(): ReadonlyMap<string, ReadonlySet<string>> {
    const { settings, structure } = this.#base;
    const { hasIpv6 } = this.#claims;
    const isTouched = this.#isTouched || structure !== this.#structure || hasIpv6 !== this.#settled?.hasIpv6;
    if (settings === undefined || !isTouched) return nothing;
    this.#isTouched = false;
    this.#structure = structure;
    const ownChanged = settings !== this.#settled?.settings || hasIpv6 !== this.#settled.hasIpv6;
    this.#settled = { settings, hasIpv6 };
    if (ownChanged) {
      this.#own.write(typeUrl.cluster, this.#scope, settings, hasIpv6, this.#maps, this.#unaskedClusters.names);
      this.#own.write(typeUrl.listener, this.#scope, settings, hasIpv6, this.#maps, undefined);
    }
    this.#ports.flush(settings, hasIpv6, this.#base.claims.hasIpv6, ownChanged, this.#maps);
    this.#tables.flush(settings, this.#maps);
    this.#maps.settle();
    this.#unaskedClusters.forget((name) => this.#maps.has(typeUrl.cluster, name));
    return this.#maps.takeChanges();
  }

  *#services(): Generator<readonly [ServiceKey, MeshService], undefined> {
    for (const [key, { pieces }] of this.#base.held) if (!this.#others.has(key)) yield [key, pieces.service];
    for (const [key, { own }] of this.#others) if (own !== undefined) yield [key, own.pieces.service];
  }

  #seen(service: MeshService | undefined): MeshService | undefined {
    return seenBy(this.#scope, service, this.#base.wanted);
  }

  #claim(key: ServiceKey, services: Mesh['services']): ServiceKey[] {
    if (this.#claims === this.#base.claims) return [key];
    const service = this.#seen(services.get(key));
    const addresses = claimedAddresses(this.#scope, service);
    return [key, ...this.#claims.set(key, service?.catalog.createdAtMs ?? 0, addresses)];
  }

  /** How the service was and is otherwise; undefined if that is the same. */
  #move(key: ServiceKey, service: MeshService | undefined, settings: MeshSettings): Move | undefined {
    const before = this.#others.get(key);
    const after = this.#otherOf(key, service, settings, before);
    if (after === undefined) {
      if (before === undefined) return undefined;
      this.#others.delete(key);
      return { key, before, after };
    }
    if (
      before?.base === after.base &&
      before?.own?.pieces === after.own?.pieces &&
      before?.own?.hosts === after.own?.hosts
    )
      return undefined;
    this.#others.set(key, after);
    return { key, before, after };
  }

  #otherOf(
    key: ServiceKey,
    service: MeshService | undefined,
    settings: MeshSettings,
    before: Other | undefined,
  ): Other | undefined {
    const base = this.#base.held.get(key);
    if (service === undefined) return base === undefined ? undefined : { own: undefined, base };
    const pieces = servicePieces(service, settings, base?.pieces ?? before?.own?.pieces);
    const own = heldBy(this.#scope, pieces, settings, this.#claims.of(key));
    const isSame = base?.pieces === pieces && base.hosts === own.hosts && base.assignments === own.assignments;
    return isSame ? undefined : { own, base };
  }

  #takeAway({ key, before, after }: Move): void {
    if (before === undefined) return;
    for (const list of lists) {
      if (isSameList(list, before, after)) continue;
      for (const resource of this.#listOf(list, before, 'base')) this.#maps.show(list.url, resource);
      for (const resource of this.#listOf(list, before, 'own')) this.#maps.takeBack(list.url, resource);
    }
    if (after === undefined) this.#replaceHosts(key, sidesOf(before), undefined);
  }

  #put({ key, before, after }: Move): void {
    if (this.#scope.routes === 'on-demand') this.#unaskedClusters.replace(before?.own?.hosts, after?.own?.hosts);
    if (after === undefined) return;
    for (const list of lists) {
      if (isSameList(list, before, after)) continue;
      for (const resource of this.#listOf(list, after, 'base')) this.#maps.hide(list.url, resource);
      for (const resource of this.#listOf(list, after, 'own')) this.#maps.set(list.url, resource);
    }
    const [one, two] = [before && sidesOf(before), sidesOf(after)];
    if (one === undefined || one.own !== two.own || one.base !== two.base) this.#replaceHosts(key, one, two);
  }

  /** The resources of a list as they are here or in the base; none where that is the same. */
  *#listOf(list: List, other: Other, side: 'own' | 'base'): Generator<EncodedResource, undefined> {
    const items = itemsOf(list, other, side);
    const { routes } = this.#scope;
    if (list.url !== typeUrl.virtualHost) yield* items as readonly EncodedResource[];
    else if (routes !== 'tables')
      for (const part of items as readonly VirtualHostPart[])
        yield routes === 'vhds' ? pushedVirtualHost(part) : askedVirtualHost(part);
  }

  #replaceHosts(key: ServiceKey, before: Sides | undefined, after: Sides | undefined): void {
    this.#ports.replace(key, before, after);
    if (this.#scope.routes === 'on-demand') this.#unknownHosts.replace(before, after);
    if (before !== undefined) this.#tables.takeAway(before);
    if (after !== undefined) this.#tables.put(after);
  }
}

/** What a service gives to a scope, piece by piece. */
interface List {
  readonly url: string;
  readonly of: (held: Held) => readonly (EncodedResource | VirtualHostPart)[] | undefined;
}

const lists: readonly List[] = [
  { url: typeUrl.cluster, of: ({ clusters }) => clusters },
  { url: typeUrl.endpoint, of: ({ assignments }) => assignments },
  { url: typeUrl.listener, of: ({ hosts }) => hosts.listeners },
  { url: typeUrl.route, of: ({ hosts }) => hosts.routes },
  { url: typeUrl.cluster, of: ({ hosts }) => hosts.pods?.clusters },
  { url: typeUrl.endpoint, of: ({ hosts }) => hosts.pods?.assignments },
  { url: typeUrl.virtualHost, of: ({ hosts }) => hosts.hosts },
];
const noItems: readonly never[] = [];
const nothing: ReadonlyMap<string, ReadonlySet<string>> = new Map();

function itemsOf(list: List, { own, base }: Other, side: 'own' | 'base'): ReturnType<List['of']> & object {
  const [here, there] = [own && list.of(own), base && list.of(base)];
  if (here === there) return noItems;
  return (side === 'own' ? here : there) ?? noItems;
}

/** Anything but which objects stand for what is as before. */
function isVisible({ before, after }: Move): boolean {
  return (
    !lists.every((list) => isSameList(list, before, after)) ||
    before?.own?.hosts !== after?.own?.hosts ||
    before?.base?.hosts !== after?.base?.hosts
  );
}

function isSameList(list: List, before: Other | undefined, after: Other | undefined): boolean {
  const sides = ['own', 'base'] as const;
  return sides.every(
    (side) =>
      (before === undefined ? noItems : itemsOf(list, before, side)) ===
      (after === undefined ? noItems : itemsOf(list, after, side)),
  );
}

function sidesOf({ own, base }: Other): Sides {
  return { own: own?.hosts, base: base?.hosts };
}

function bothOf(one: ReadonlySet<string>, two: ReadonlySet<string>): NameSet {
  return {
    has: (name) => one.has(name) || two.has(name),
    *[Symbol.iterator]() {
      yield* one;
      for (const name of two) if (!one.has(name)) yield name;
    },
  };
}
