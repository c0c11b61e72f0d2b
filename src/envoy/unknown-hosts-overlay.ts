/**
 * On-demand mode, for a scope that shares the rest with others: what is said of hosts that are no service's name, where tables or wildcards are
 * other than in the base.
 */

import type { EncodedResource } from '../core/resource.ts';
import type { Sides } from './port-overlay.ts';
import { answerFor, answersMax, isWildcard, markerOf, type UnknownHosts } from './unknown-hosts.ts';
import { domainsOf } from './virtual-host-bytes.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

interface Table {
  /** Of the base's. */
  readonly hidden: Set<VirtualHostPart>;
  readonly wildcards: Map<string, VirtualHostPart>;
  readonly answers: Map<string, EncodedResource>;
  /** What `answers` were made from. */
  version: string;
}

export class UnknownHostsOverlay {
  readonly #base: UnknownHosts;
  readonly #tables = new Map<string, Table>();
  /** Tables that this scope alone has, or alone has not (`undefined`). */
  readonly #catchAlls = new Map<string, VirtualHostPart | undefined>();

  constructor(base: UnknownHosts) {
    this.#base = base;
  }

  replace(before: Sides | undefined, after: Sides | undefined): void {
    for (const part of before?.base?.hosts.filter(isWildcard) ?? []) this.#table(part.table).hidden.delete(part);
    for (const part of before?.own?.hosts.filter(isWildcard) ?? []) {
      const { wildcards } = this.#table(part.table);
      for (const domain of domainsOf(part.body)) if (wildcards.get(domain) === part) wildcards.delete(domain);
    }
    for (const part of after?.base?.hosts.filter(isWildcard) ?? []) this.#table(part.table).hidden.add(part);
    for (const part of after?.own?.hosts.filter(isWildcard) ?? []) {
      const { wildcards } = this.#table(part.table);
      for (const domain of domainsOf(part.body)) wildcards.set(domain, part);
    }
  }

  /** The table is one that this scope alone has; undefined: that it has not though the base does. */
  setCatchAll(name: string, part: VirtualHostPart | undefined): void {
    this.#catchAlls.set(name, part);
  }

  /** The table is there as in the base. */
  forgetCatchAll(name: string): void {
    this.#catchAlls.delete(name);
  }

  /** Tables whose wildcards are other than in the base. */
  differing(): Iterable<string> {
    for (const [name, { hidden, wildcards }] of this.#tables)
      if (hidden.size + wildcards.size === 0) this.#tables.delete(name);
    return this.#tables.keys();
  }

  marker(name: string): EncodedResource {
    const marker = markerOf(name, this.#catchAllOf(name), this.#wildcardsOf(name));
    const table = this.#tables.get(name);
    if (table !== undefined && table.version !== marker.version) {
      table.version = marker.version;
      table.answers.clear();
    }
    return marker;
  }

  /** `name`: `<table>/<host>`. undefined for a table that does not exist. */
  answer(name: string): EncodedResource | undefined {
    const slash = name.lastIndexOf('/');
    const table = name.slice(0, Math.max(0, slash));
    if (!this.#tables.has(table) && !this.#catchAlls.has(table)) return this.#base.answer(name);
    const catchAll = this.#catchAllOf(table);
    if (catchAll === undefined) return undefined;
    const { answers } = this.#table(table);
    let answer = answers.get(name);
    if (answer === undefined) {
      answer = answerFor(name.slice(slash + 1), catchAll, this.#wildcardsOf(table));
      if (answers.size >= answersMax) answers.clear();
      answers.set(name, answer);
    }
    return answer;
  }

  #catchAllOf(name: string): VirtualHostPart | undefined {
    return this.#catchAlls.has(name) ? this.#catchAlls.get(name) : this.#base.catchAll(name);
  }

  #wildcardsOf(name: string): ReadonlyMap<string, VirtualHostPart> {
    const table = this.#tables.get(name);
    const ofBase = this.#base.wildcards(name);
    if (table === undefined || (table.hidden.size === 0 && table.wildcards.size === 0)) return ofBase;
    return new Map([...[...ofBase].filter(([, part]) => !table.hidden.has(part)), ...table.wildcards]);
  }

  #table(name: string): Table {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = { hidden: new Set(), wildcards: new Map(), answers: new Map(), version: '' };
      this.#tables.set(name, table);
    }
    return table;
  }
}
