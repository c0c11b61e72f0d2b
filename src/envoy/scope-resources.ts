/**
 * Everything that the sidecars of one scope get, kept up with the mesh.
 *
 * In: the scope (once), then the mesh and which of its services may have changed. Out: live maps of encoded resources by type, and the names
 * in them that changed. What always holds: the cost follows the changed services, and any sequence of updates ends in the same bytes as one
 * update from nothing.
 */

import type { Finding } from '../core/errors.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { Mesh, MeshService, MeshSettings, Scope } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import { AddressClaims } from './address-claims.ts';
import { catchAll } from './catch-all.ts';
import { grpcFindings } from './grpc/findings.ts';
import { claimedAddresses, type Held, heldBy, seenBy, type Wanted } from './host-key.ts';
import { httpProxy } from './names.ts';
import { OwnResources } from './own-resources.ts';
import { podFindings } from './pod-hosts.ts';
import { PortListeners } from './port-listeners.ts';
import { ResourceMaps } from './resource-maps.ts';
import { RouteTable } from './route-table.ts';
import { settingsOf } from './scope-settings.ts';
import { servicePieces } from './service-pieces.ts';
import { tunnelFindings } from './tunnel-findings.ts';
import { UnaskedClusters } from './unasked-clusters.ts';
import { UnknownHosts } from './unknown-hosts.ts';
import { askedVirtualHost, pushedVirtualHost, virtualHostName } from './virtual-host-resources.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

interface Move {
  readonly key: ServiceKey;
  readonly before: Held | undefined;
  readonly after: Held | undefined;
}

export class ScopeResources {
  readonly #scope: Scope;
  readonly #part: 'whole' | 'services';
  /** A service that comes or goes here counts as changed. */
  readonly wanted: Wanted;
  readonly #maps = new ResourceMaps();
  readonly #held = new Map<ServiceKey, Held>();
  readonly #claims = new AddressClaims();
  readonly #ports: PortListeners;
  readonly #tables = new Map<string, RouteTable>();
  readonly #touchedTables = new Set<string>();
  /** The resource over VHDS that each table has whatever its hosts, by table. */
  readonly #standing = new Map<string, string>();
  readonly #own = new OwnResources();
  readonly #unaskedClusters = new UnaskedClusters((name) => this.#maps.touch(typeUrl.cluster, name));
  /** On demand: names that every sidecar gets; the others it asks for. */
  readonly #always = new Map<string, Set<string>>([
    [typeUrl.cluster, this.#unaskedClusters.names],
    [typeUrl.virtualHost, new Set()],
  ]);
  readonly #unknownHosts = new UnknownHosts();
  #structure = 0;
  #settings: MeshSettings | undefined;
  /** As of the last `settle`. */
  #settled: { readonly settings: MeshSettings; readonly hasIpv6: boolean } | undefined;

  /** `services`: only what comes of the mesh's services, for overlays (scope-overlay.ts) to stand on. `wanted`: live. */
  constructor(scope: Scope, part: 'whole' | 'services' = 'whole', wanted?: Wanted) {
    this.#scope = scope;
    this.#part = part;
    this.wanted = wanted;
    this.#ports = new PortListeners(scope.routes === 'on-demand');
  }

  get scope(): Scope {
    return this.#scope;
  }

  /** As of the last part of an update; undefined before the first. */
  get settings(): MeshSettings | undefined {
    return this.#settings;
  }

  get claims(): AddressClaims {
    return this.#claims;
  }

  get ports(): PortListeners {
    return this.#ports;
  }

  get tables(): ReadonlyMap<string, RouteTable> {
    return this.#tables;
  }

  get unknownHosts(): UnknownHosts {
    return this.#unknownHosts;
  }

  /** Counts up with each state in which more is another than resources of single services: tables, ports, settings. */
  get structure(): number {
    return this.#structure;
  }

  /** By key, the services that are seen. */
  get held(): ReadonlyMap<ServiceKey, Held> {
    return this.#held;
  }

  /** Live, for reading: it changes with the next update. Empty for a type that sidecars do not get. */
  resources(url: string): ReadonlyMap<string, EncodedResource> {
    return this.#maps.of(url);
  }

  /** A route table's virtual hosts, each encoded by itself, by name; without the catch-all. */
  virtualHosts(table: string): ReadonlyMap<string, VirtualHostPart> | undefined {
    return this.#tables.get(table)?.parts;
  }

  /** The same with the catch-all, which comes last. */
  hostsOfTable(name: string): readonly VirtualHostPart[] | undefined {
    const table = this.#tables.get(name);
    return table === undefined ? undefined : [...table.parts.values(), table.catchAll];
  }

  /** What of a type a sidecar gets without asking for it by name, live; undefined: all that there is. */
  unasked(url: string): ReadonlySet<string> | undefined {
    return this.#scope.routes === 'on-demand' ? this.#always.get(url) : undefined;
  }

  /** On demand: the answer to a request for a virtual host that no service has. */
  unknownHost(name: string): EncodedResource | undefined {
    return this.#scope.routes === 'on-demand' ? this.#unknownHosts.answer(name) : undefined;
  }

  /** What of the mesh this scope's sidecars do not get, and why. */
  findings(): readonly Finding[] {
    const { cluster, mode } = this.#scope;
    const services = [...this.#held].map(([key, { pieces }]) => [key, pieces.service] as const);
    if (mode === 'grpc') return grpcFindings(services, cluster);
    return [
      ...(mode === 'explicit' ? tunnelFindings(services, cluster) : []),
      ...this.#claims.findings(cluster),
      ...this.#ports.findings(cluster),
      ...podFindings(
        [...this.#held].map(([key, { hosts }]) => [key, hosts.pods?.dropped ?? 0] as const),
        cluster,
      ),
    ];
  }

  /**
   * Brings the resources up to the mesh. `dirty` names at least the services whose object in the mesh is another than at the last update;
   * the first update, and one with other settings, count as `all`. Returns the names that came, changed or went, by type.
   */
  update(mesh: Mesh, dirty: ReadonlySet<ServiceKey> | 'all'): ReadonlyMap<string, ReadonlySet<string>> {
    const { services } = mesh;
    const all = dirty === 'all' || settingsOf(mesh.settings, this.#scope) !== this.#settings;
    this.absorb(mesh, all ? new Set([...this.#held.keys(), ...services.keys()]) : dirty);
    return this.settle();
  }

  /**
   * An update in parts: takes over what the mesh says of these services. `resources` is between two states until `settle`; what comes to
   * differ from the mesh meanwhile is absorbed again. The settings are the same in all parts. Returns the services that were looked at: those,
   * and others that claim their addresses.
   */
  absorb({ settings: ofMesh, services }: Mesh, keys: ReadonlySet<ServiceKey>): ReadonlySet<ServiceKey> {
    const settings = settingsOf(ofMesh, this.#scope);
    this.#settings = settings;
    const affected = this.#claim(keys, services);
    const moves = [...affected].flatMap(
      (key) => this.#move(key, seenBy(this.#scope, services.get(key), this.wanted), settings) ?? [],
    );
    for (const move of moves) this.#takeAway(move);
    for (const move of moves) this.#put(move);
    return affected;
  }

  /** Ends an update in parts: `resources` is one state again. Returns the names that came, changed or went since the last one, by type. */
  settle(): ReadonlyMap<string, ReadonlySet<string>> {
    const settings = this.#settings;
    if (settings === undefined) return new Map();
    const { hasIpv6 } = this.#claims;
    const anew = settings !== this.#settled?.settings;
    const ownChanged = anew || hasIpv6 !== this.#settled?.hasIpv6;
    this.#settled = { settings, hasIpv6 };
    if (ownChanged || this.#ports.isTouched || this.#touchedTables.size > 0) this.#structure += 1;
    if (ownChanged && this.#part === 'whole') {
      for (const url of [typeUrl.cluster, typeUrl.listener] as const)
        this.#own.write(url, this.#scope, settings, hasIpv6, this.#maps, this.#always.get(url));
    }
    this.#ports.flush(settings, hasIpv6, ownChanged, this.#maps);
    this.#flushTables(settings, anew);
    this.#maps.settle();
    this.#unaskedClusters.forget((name) => this.#maps.of(typeUrl.cluster).has(name));
    return this.#maps.takeChanges();
  }

  /** Renews the services' claims to addresses; returns them and those whose share of the addresses may have changed with theirs. */
  #claim(keys: ReadonlySet<ServiceKey>, services: Mesh['services']): ReadonlySet<ServiceKey> {
    if (this.#scope.mode !== 'captured') return keys;
    const affected = new Set(keys);
    for (const key of keys) {
      const service = seenBy(this.#scope, services.get(key), this.wanted);
      const addresses = claimedAddresses(this.#scope, service);
      for (const other of this.#claims.set(key, service?.catalog.createdAtMs ?? 0, addresses)) affected.add(other);
    }
    return affected;
  }

  /** What the service was and is to this scope; undefined if that is the same. */
  #move(key: ServiceKey, service: MeshService | undefined, settings: MeshSettings): Move | undefined {
    const before = this.#held.get(key);
    if (service === undefined) {
      if (before === undefined) return undefined;
      this.#held.delete(key);
      return { key, before, after: undefined };
    }
    const pieces = servicePieces(service, settings, before?.pieces);
    const after = heldBy(this.#scope, pieces, settings, this.#claims.of(key));
    if (before?.pieces === pieces && before.hosts === after.hosts) return undefined;
    this.#held.set(key, after);
    return { key, before, after };
  }

  #takeAway({ before, after }: Move): void {
    this.#maps.removeAbsent(typeUrl.cluster, before?.clusters, after?.clusters);
    this.#maps.removeAbsent(typeUrl.endpoint, before?.assignments, after?.assignments);
    this.#maps.removeAbsent(typeUrl.listener, before?.hosts.listeners, after?.hosts.listeners);
    this.#maps.removeAbsent(typeUrl.route, before?.hosts.routes, after?.hosts.routes);
    this.#maps.removeAbsent(typeUrl.cluster, before?.hosts.pods?.clusters, after?.hosts.pods?.clusters);
    this.#maps.removeAbsent(typeUrl.endpoint, before?.hosts.pods?.assignments, after?.hosts.pods?.assignments);
    if (before === undefined || before.hosts === after?.hosts) return;
    const stays = new Set((after?.hosts.hosts ?? []).map(({ table, name }) => `${table} ${name}`));
    for (const { table, name } of before.hosts.hosts) {
      if (stays.has(`${table} ${name}`)) continue;
      this.#table(table).delete(name);
      if (this.#scope.routes !== 'tables') this.#maps.remove(typeUrl.virtualHost, virtualHostName(table, name));
    }
  }

  #put({ key, before, after }: Move): void {
    for (const resource of after?.clusters ?? []) this.#maps.set(typeUrl.cluster, resource);
    for (const resource of after?.assignments ?? []) this.#maps.set(typeUrl.endpoint, resource);
    for (const resource of after?.hosts.listeners ?? []) this.#maps.set(typeUrl.listener, resource);
    for (const resource of after?.hosts.routes ?? []) this.#maps.set(typeUrl.route, resource);
    for (const resource of after?.hosts.pods?.clusters ?? []) this.#maps.set(typeUrl.cluster, resource);
    for (const resource of after?.hosts.pods?.assignments ?? []) this.#maps.set(typeUrl.endpoint, resource);
    if (before?.hosts === after?.hosts) return;
    this.#ports.replace(key, before?.hosts, after?.hosts);
    this.#unknownHosts.replace(before?.hosts.hosts, after?.hosts.hosts);
    const { routes } = this.#scope;
    if (routes === 'on-demand') this.#unaskedClusters.replace(before?.hosts, after?.hosts);
    for (const part of after?.hosts.hosts ?? []) {
      this.#table(part.table).set(part);
      if (routes !== 'tables') {
        const resource = routes === 'vhds' ? pushedVirtualHost(part) : askedVirtualHost(part);
        this.#maps.set(typeUrl.virtualHost, resource);
      }
    }
  }

  /** A table that is about to change. */
  #table(name: string): RouteTable {
    this.#touchedTables.add(name);
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new RouteTable(
        name,
        catchAll(name, this.#scope.mode, this.#settings as MeshSettings),
        this.#scope.routes,
      );
      this.#tables.set(name, table);
    }
    return table;
  }

  #flushTables(settings: MeshSettings, anew: boolean): void {
    if (anew) {
      if (this.#scope.mode === 'explicit') this.#table(httpProxy);
      for (const name of this.#tables.keys()) this.#table(name).setCatchAll(catchAll(name, this.#scope.mode, settings));
    }
    for (const name of this.#touchedTables) {
      const table = this.#tables.get(name);
      if (table === undefined) continue;
      // The one table of explicit mode is there from the start; a captured port's table goes with the last service on that port.
      if (table.size === 0 && name !== httpProxy) {
        this.#tables.delete(name);
        this.#maps.remove(typeUrl.route, name);
        this.#setStanding(name, undefined);
      } else {
        this.#maps.set(typeUrl.route, table.resource());
        this.#setStanding(name, table.catchAll);
      }
    }
    this.#touchedTables.clear();
  }

  /** Envoy holds a table back until something comes for it over VHDS: so every table has something, though it have no hosts. */
  #setStanding(table: string, part: VirtualHostPart | undefined): void {
    const { routes } = this.#scope;
    if (routes === 'tables') return;
    const before = this.#standing.get(table);
    if (part === undefined) {
      this.#standing.delete(table);
      this.#unknownHosts.setCatchAll(table, undefined);
    } else {
      this.#unknownHosts.setCatchAll(table, part);
      const resource = routes === 'vhds' ? pushedVirtualHost(part) : this.#unknownHosts.marker(table);
      this.#standing.set(table, resource.name);
      this.#always.get(typeUrl.virtualHost)?.add(resource.name);
      this.#maps.set(typeUrl.virtualHost, resource);
    }
    if (before === undefined || before === this.#standing.get(table)) return;
    this.#always.get(typeUrl.virtualHost)?.delete(before);
    this.#maps.remove(typeUrl.virtualHost, before);
  }
}
