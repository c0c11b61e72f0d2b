/**
 * What a replica has of one type, of a view that shares nothing with others. In: names, and what the live view has of them. Out: the resources
 * as of then, their aliases, a version, and what was before under the names that differ.
 */

import type { EncodedResource } from '../core/resource.ts';
import { OwnNames } from './meant-by-all.ts';
import { SharedAnswers } from './shared-answers.ts';
import type { NameSet } from './view.ts';

/** Names whose resource differs now, with what it was before; undefined where there was none. */
export type TypeDiff = ReadonlyMap<string, EncodedResource | undefined>;

export interface TypeReplica {
  readonly resources: ReadonlyMap<string, EncodedResource>;
  /** Alias → name of the resource that goes by it. */
  readonly names: Pick<ReadonlyMap<string, string>, 'get' | 'has' | 'size'>;
  /** Equal content, equal version; told to clients as the version of the type. */
  readonly version: string;
  /** Counts the changes of this type. */
  readonly edition: number;
  /** Tells what there is of this type, now, from all else that there is or was of it in this process: no two editions or replicas have the same unless they share all. */
  readonly page: string;
  /** Of all bodies. */
  readonly bytes: number;
  readonly answers: SharedAnswers;
  /** The names that a wildcard means, whether there is something of that name or not. */
  readonly meant: { readonly names: NameSet | undefined };
}

/** Sums over resources: they follow one change in constant time, and do not depend on the order of changes. */
export class Sums {
  bytes = 0;
  low = 0;
  high = 0;

  reset(): void {
    this.bytes = 0;
    this.low = 0;
    this.high = 0;
  }

  /** undefined counts nothing. */
  count(resource: EncodedResource | undefined, sign: 1 | -1): void {
    if (resource === undefined) return;
    const text = `${resource.name}\0${resource.version}`;
    this.bytes += sign * resource.body.length;
    this.low = (this.low + sign * fnv1a(text, 0x811c9dc5)) | 0;
    this.high = (this.high + sign * fnv1a(text, 0x9747b28c)) | 0;
  }
}

export function versionOfSums(low: number, high: number): string {
  return hex(high) + hex(low);
}

export class OwnType implements TypeReplica {
  readonly #replica: number;
  readonly resources = new Map<string, EncodedResource>();
  readonly names = new Map<string, string>();
  readonly answers = new SharedAnswers(this);
  readonly sums = new Sums();
  readonly meant: OwnNames;
  edition = 0;

  /** `replica`: its number. `meant`: what a wildcard means. */
  constructor(replica: number, meant: NameSet | undefined) {
    this.#replica = replica;
    this.meant = new OwnNames(meant);
  }

  get version(): string {
    return versionOfSums(this.sums.low, this.sums.high);
  }

  get bytes(): number {
    return this.sums.bytes;
  }

  get page(): string {
    return `${this.#replica}:${this.edition}`;
  }

  reload(live: ReadonlyMap<string, EncodedResource>): TypeDiff {
    return this.replaceAll(live);
  }

  replaceAll(live: ReadonlyMap<string, EncodedResource>): TypeDiff {
    return this.replace(new Set([...this.resources.keys(), ...live.keys()]), live);
  }

  replace(names: ReadonlySet<string>, live: ReadonlyMap<string, EncodedResource>): TypeDiff {
    const diff = new Map<string, EncodedResource | undefined>();
    for (const name of names) {
      const before = this.resources.get(name);
      const after = live.get(name);
      if (sameForClients(before, after)) continue;
      diff.set(name, before);
      if (before !== undefined) this.#remove(before);
      if (after !== undefined) this.#add(after);
    }
    if (diff.size > 0) this.edition++;
    return diff;
  }

  #add(resource: EncodedResource): void {
    this.resources.set(resource.name, resource);
    addAliases(this.names, resource);
    this.sums.count(resource, 1);
  }

  #remove(resource: EncodedResource): void {
    this.resources.delete(resource.name);
    removeAliases(this.names, resource);
    this.sums.count(resource, -1);
  }
}

export function addAliases(names: Map<string, string>, { name, aliases }: EncodedResource): void {
  for (const alias of aliases ?? []) names.set(alias, name);
}

export function removeAliases(names: Map<string, string>, { name, aliases }: EncodedResource): void {
  for (const alias of aliases ?? []) if (names.get(alias) === name) names.delete(alias);
}

/** Whether a client that holds the one needs not be sent the other. */
export function sameForClients(a: EncodedResource | undefined, b: EncodedResource | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return a.version === b.version && a.ttlMs === b.ttlMs && sameAliases(a.aliases, b.aliases);
}

export function sameAliases(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === b) return true;
  const [left, right] = [a ?? [], b ?? []];
  return left.length === right.length && left.every((alias, i) => alias === right[i]);
}

function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
