/**
 * The route tables of a scope that shares the rest with others: those whose virtual hosts are other than in the base, or that are there only
 * here or only there. In: hosts that are otherwise. Out: the tables' resources, and over VHDS what each table has whatever its hosts.
 */

import { LayeredMap, type Overlay } from '../core/layered-map.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { MeshSettings, Scope } from '../model/mesh.ts';
import { catchAll } from './catch-all.ts';
import { httpProxy } from './names.ts';
import type { OverlayMaps } from './overlay-maps.ts';
import type { Sides } from './port-overlay.ts';
import { discoveredTable, type RouteTable, tableOver } from './route-table.ts';
import type { UnknownHostsOverlay } from './unknown-hosts-overlay.ts';
import { pushedVirtualHost, tableMarker } from './virtual-host-resources.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

interface Table {
  readonly parts: Map<string, VirtualHostPart | undefined>;
  /** What was made of it last; undefined when hosts have changed since. */
  made: Made | undefined;
  /** What of the base's is hidden, by type, and what is written in its place or without one. */
  readonly hidden: Map<string, EncodedResource>;
  readonly written: Map<string, string>;
}

/** What a table's resources were made from. */
interface Made {
  readonly base: RouteTable | undefined;
  readonly ofBase: EncodedResource | undefined;
  readonly hostsOfBase: number;
  readonly settings: MeshSettings;
}

const noParts: ReadonlyMap<string, VirtualHostPart> = new Map();

export class TableOverlays {
  readonly #scope: Scope;
  readonly #base: ReadonlyMap<string, RouteTable>;
  readonly #unknownHosts: UnknownHostsOverlay;
  readonly #tables = new Map<string, Table>();
  /** On demand: what was written over VHDS of tables whose wildcards are other than in the base. */
  readonly #markers = new Set<string>();
  /** On demand: names that sidecars get unasked, besides those of the base. */
  readonly always = new Set<string>();

  constructor(scope: Scope, base: ReadonlyMap<string, RouteTable>, unknownHosts: UnknownHostsOverlay) {
    this.#scope = scope;
    this.#base = base;
    this.#unknownHosts = unknownHosts;
  }

  takeAway(sides: Sides): void {
    for (const { table, name } of [...(sides.base?.hosts ?? []), ...(sides.own?.hosts ?? [])])
      this.#table(table).parts.delete(name);
  }

  put(sides: Sides): void {
    for (const { table, name } of sides.base?.hosts ?? []) this.#table(table).parts.set(name, undefined);
    for (const part of sides.own?.hosts ?? []) this.#table(part.table).parts.set(part.name, part);
  }

  /** By name, without the catch-all; undefined if there is no such table. */
  parts(name: string): ReadonlyMap<string, VirtualHostPart> | undefined {
    const own = this.#tables.get(name)?.parts;
    const base = this.#base.get(name)?.parts;
    if (own === undefined || own.size === 0) return base;
    const parts = new LayeredMap(base ?? noParts, own);
    return parts.size === 0 && name !== httpProxy ? undefined : parts;
  }

  catchAll(name: string, settings: MeshSettings): VirtualHostPart {
    return this.#base.get(name)?.catchAll ?? catchAll(name, this.#scope.mode, settings);
  }

  flush(settings: MeshSettings, maps: OverlayMaps): void {
    if (this.#markers.size > 0) {
      for (const name of this.#markers) maps.remove(typeUrl.virtualHost, name);
      this.#markers.clear();
    }
    for (const [name, table] of this.#tables) {
      const base = this.#base.get(name);
      const made = { base, ofBase: base?.resource(), hostsOfBase: base?.parts.size ?? 0, settings };
      if (table.made !== undefined && isSame(table.made, made, table.parts)) continue;
      this.#asInBase(name, table, maps);
      if (table.parts.size === 0) {
        this.#tables.delete(name);
        continue;
      }
      table.made = made;
      const parts = new LayeredMap(base?.parts ?? noParts, table.parts);
      if (parts.size === 0 && name !== httpProxy) this.#hide(name, table, base, maps);
      else this.#write(name, table, base, settings, maps);
    }
    if (this.#scope.routes === 'on-demand') this.#writeMarkers(maps);
  }

  #writeMarkers(maps: OverlayMaps): void {
    for (const table of this.#unknownHosts.differing()) {
      if (this.parts(table) === undefined) continue;
      const marker = this.#unknownHosts.marker(table);
      maps.set(typeUrl.virtualHost, marker);
      this.#markers.add(marker.name);
    }
  }

  #write(name: string, table: Table, base: RouteTable | undefined, settings: MeshSettings, maps: OverlayMaps): void {
    const { routes, mode } = this.#scope;
    if (routes === 'tables') {
      table.written.set(typeUrl.route, name);
      maps.set(typeUrl.route, tableOver(name, base, table.parts, this.catchAll(name, settings)));
      return;
    }
    if (base !== undefined) return;
    table.written.set(typeUrl.route, name);
    maps.set(typeUrl.route, discoveredTable(name));
    const part = catchAll(name, mode, settings);
    this.#unknownHosts.setCatchAll(name, part);
    const standing = routes === 'vhds' ? pushedVirtualHost(part) : this.#unknownHosts.marker(name);
    table.written.set(typeUrl.virtualHost, standing.name);
    this.always.add(standing.name);
    maps.set(typeUrl.virtualHost, standing);
  }

  #hide(name: string, table: Table, base: RouteTable | undefined, maps: OverlayMaps): void {
    if (base === undefined) return;
    const { routes } = this.#scope;
    table.hidden.set(typeUrl.route, base.resource());
    if (routes !== 'tables') {
      const standing = routes === 'vhds' ? pushedVirtualHost(base.catchAll).name : tableMarker(name, '').name;
      const ofBase = maps.ofBase(typeUrl.virtualHost, standing);
      if (ofBase !== undefined) table.hidden.set(typeUrl.virtualHost, ofBase);
      this.#unknownHosts.setCatchAll(name, undefined);
    }
    for (const [url, resource] of table.hidden) maps.hide(url, resource);
  }

  #asInBase(name: string, table: Table, maps: OverlayMaps): void {
    for (const [url, resource] of table.hidden) maps.show(url, resource);
    table.hidden.clear();
    for (const [url, written] of table.written) {
      maps.remove(url, written);
      if (url === typeUrl.virtualHost) this.always.delete(written);
    }
    table.written.clear();
    this.#unknownHosts.forgetCatchAll(name);
  }

  /** A table that is about to differ otherwise. */
  #table(name: string): Table {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = { parts: new Map(), made: undefined, hidden: new Map(), written: new Map() };
      this.#tables.set(name, table);
    }
    table.made = undefined;
    return table;
  }
}

/** Where a table holds none of its hosts, their number counts only if it may be that none is left. */
function isSame(one: Made, two: Made, parts: Overlay<VirtualHostPart>): boolean {
  if (one.base !== two.base || one.ofBase !== two.ofBase || one.settings !== two.settings) return false;
  if (one.hostsOfBase === two.hostsOfBase) return true;
  for (const part of parts.values()) if (part !== undefined) return true;
  return false;
}
