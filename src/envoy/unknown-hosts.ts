/**
 * On-demand mode: what a sidecar is told of a host that it asks for and that is no service's name.
 *
 * In: the tables' catch-alls, and hosts with a wildcard (`*.db.shop`: workloads of a headless service), which nobody can ask for by name. Out: a
 * virtual host for that one name, with the routes that the name would meet in a whole table; never one that matches more than was asked for.
 */

import type { EncodedResource } from '../core/resource.ts';
import { versionOf } from './proto/encode.ts';
import { domainsOf, withDomain } from './virtual-host-bytes.ts';
import { noVirtualHost, pushedVirtualHost, tableMarker, virtualHostName } from './virtual-host-resources.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

/** How many answers of a table are kept for when they are asked for again. */
export const answersMax = 1024;

interface Table {
  catchAll: VirtualHostPart | undefined;
  /** By domain, `*.db.shop`. */
  readonly wildcards: Map<string, VirtualHostPart>;
  readonly answers: Map<string, EncodedResource>;
}

export class UnknownHosts {
  readonly #tables = new Map<string, Table>();

  /** undefined: the table is gone. */
  setCatchAll(name: string, part: VirtualHostPart | undefined): void {
    const table = this.#table(name);
    table.catchAll = part;
    table.answers.clear();
    if (part === undefined && table.wildcards.size === 0) this.#tables.delete(name);
  }

  catchAll(name: string): VirtualHostPart | undefined {
    return this.#tables.get(name)?.catchAll;
  }

  /** By domain. */
  wildcards(name: string): ReadonlyMap<string, VirtualHostPart> {
    return this.#tables.get(name)?.wildcards ?? none;
  }

  /** A service's virtual hosts are others. */
  replace(before: readonly VirtualHostPart[] = [], after: readonly VirtualHostPart[] = []): void {
    for (const part of before.filter(isWildcard)) {
      const { wildcards, answers } = this.#table(part.table);
      // An address may have passed to another service, which has said so already.
      for (const domain of domainsOf(part.body)) if (wildcards.get(domain) === part) wildcards.delete(domain);
      answers.clear();
    }
    for (const part of after.filter(isWildcard)) {
      const { wildcards, answers } = this.#table(part.table);
      for (const domain of domainsOf(part.body)) wildcards.set(domain, part);
      answers.clear();
    }
  }

  /** The resource that every sidecar has of a table; it is another when answers may be. */
  marker(name: string): EncodedResource {
    const { catchAll, wildcards } = this.#table(name);
    return markerOf(name, catchAll, wildcards);
  }

  /** `name`: `<table>/<host>`, as it is meant (`askedHost`). undefined for a table that does not exist. */
  answer(name: string): EncodedResource | undefined {
    const slash = name.lastIndexOf('/');
    const table = this.#tables.get(name.slice(0, Math.max(0, slash)));
    if (table?.catchAll === undefined) return undefined;
    let answer = table.answers.get(name);
    if (answer === undefined) {
      answer = answerFor(name.slice(slash + 1), table.catchAll, table.wildcards);
      if (table.answers.size >= answersMax) table.answers.clear();
      table.answers.set(name, answer);
    }
    return answer;
  }

  #table(name: string): Table {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = { catchAll: undefined, wildcards: new Map(), answers: new Map() };
      this.#tables.set(name, table);
    }
    return table;
  }
}

const none: ReadonlyMap<string, VirtualHostPart> = new Map();

export function markerOf(
  table: string,
  catchAll: VirtualHostPart | undefined,
  wildcards: ReadonlyMap<string, VirtualHostPart>,
): EncodedResource {
  const parts = [...wildcards].map(([domain, { version }]) => `${domain} ${version}`).sort();
  return tableMarker(table, versionOf([catchAll?.version ?? '', ...parts].join('\n')));
}

export function answerFor(
  host: string,
  catchAll: VirtualHostPart,
  wildcards: ReadonlyMap<string, VirtualHostPart>,
): EncodedResource {
  const { table } = catchAll;
  // A star would match more than was asked for; Envoy asks in lower case.
  if (host === '' || host.includes('*') || host !== host.toLowerCase())
    return noVirtualHost(virtualHostName(table, host));
  const like = longestWildcard(host, wildcards) ?? catchAll;
  return pushedVirtualHost({ table, name: host, version: like.version, body: withDomain(like.body, host) });
}

/** As Envoy matches: the wildcard of most labels, which may stand for several of the host's. */
function longestWildcard(host: string, wildcards: ReadonlyMap<string, VirtualHostPart>): VirtualHostPart | undefined {
  for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const part = wildcards.get(`*${host.slice(dot)}`);
    if (part !== undefined) return part;
  }
  return undefined;
}

export function isWildcard({ name }: VirtualHostPart): boolean {
  return name.startsWith('*');
}
