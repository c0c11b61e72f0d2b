/**
 * The server's own copy of a view, as of the host's last word. In: a live view and the names that changed. Out: what each type holds, its
 * version, and a log of differences. Always: streams read only replicas, so a view that is half changed is never seen, and a view that is
 * not ready changes nothing (unknown is not empty).
 *
 * The log is a linked list. Each stream keeps the entry it has read last and catches up when it is its turn, so a change costs one append
 * here, and an entry is freed once the slowest stream has read it.
 */

import type { EncodedResource } from '../core/resource.ts';
import { pushOrder } from '../core/type-urls.ts';
import { SharedAnswers } from './shared-answers.ts';
import type { ResourceView } from './view.ts';

/** Names whose resource differs now, with what it was before; undefined where there was none. */
export type TypeDiff = ReadonlyMap<string, EncodedResource | undefined>;

export interface LogEntry {
  readonly diffs: ReadonlyMap<string, TypeDiff>;
  next: LogEntry | undefined;
}

export interface TypeReplica {
  readonly resources: ReadonlyMap<string, EncodedResource>;
  /** Alias → name of the resource that goes by it. */
  readonly names: ReadonlyMap<string, string>;
  /** Equal content, equal version; told to clients as the version of the type. */
  readonly version: string;
  /** Counts the changes of this type. */
  readonly edition: number;
  /** Of all bodies. */
  readonly bytes: number;
  readonly answers: SharedAnswers;
}

let replicas = 0;

export class Replica {
  readonly id: number;
  readonly view: ResourceView;
  #revision = 0;
  #loaded = false;
  #tail: LogEntry = { diffs: new Map(), next: undefined };
  readonly #types = new Map<string, MutableType>();

  constructor(view: ResourceView) {
    this.id = ++replicas;
    this.view = view;
    this.update(undefined);
  }

  /** The view's revision that the resources are of. */
  get revision(): number {
    return this.#revision;
  }

  /** False: answer nothing. */
  get ready(): boolean {
    return this.#loaded && this.view.ready;
  }

  /** The newest entry; what is appended later is reached over `next`. */
  get tail(): LogEntry {
    return this.#tail;
  }

  type(typeUrl: string): TypeReplica {
    let type = this.#types.get(typeUrl);
    if (type === undefined) {
      type = new MutableType();
      this.#types.set(typeUrl, type);
      if (this.#loaded) type.replaceAll(this.view.resources(typeUrl));
    }
    return type;
  }

  /**
   * Takes over what the view says of the named resources, or of all if no names are given or the view was not ready before.
   * Returns the types in which something differs now.
   */
  update(changes: ReadonlyMap<string, ReadonlySet<string>> | undefined): readonly string[] {
    if (!this.view.ready) {
      // Whatever changes meanwhile is found by comparing everything later.
      this.#loaded = false;
      return [];
    }
    const diffs = new Map<string, TypeDiff>();
    if (changes === undefined || !this.#loaded) {
      this.#loaded = true;
      for (const typeUrl of new Set([...pushOrder, ...this.#types.keys()])) {
        const type = this.#types.get(typeUrl) ?? new MutableType();
        this.#types.set(typeUrl, type);
        const diff = type.replaceAll(this.view.resources(typeUrl));
        if (diff.size > 0) diffs.set(typeUrl, diff);
      }
    } else {
      for (const [typeUrl, names] of changes) {
        const type = this.#types.get(typeUrl);
        // A type that nobody has asked for is loaded when somebody does.
        if (type === undefined) continue;
        const diff = type.replace(names, this.view.resources(typeUrl));
        if (diff.size > 0) diffs.set(typeUrl, diff);
      }
    }
    this.#revision = this.view.revision;
    if (diffs.size > 0) {
      const entry: LogEntry = { diffs, next: undefined };
      this.#tail.next = entry;
      this.#tail = entry;
    }
    return [...diffs.keys()];
  }
}

class MutableType implements TypeReplica {
  readonly resources = new Map<string, EncodedResource>();
  readonly names = new Map<string, string>();
  readonly answers = new SharedAnswers(this);
  edition = 0;
  bytes = 0;
  #low = 0;
  #high = 0;

  get version(): string {
    return hex(this.#high) + hex(this.#low);
  }

  replaceAll(live: ReadonlyMap<string, EncodedResource>): Map<string, EncodedResource | undefined> {
    return this.replace(new Set([...this.resources.keys(), ...live.keys()]), live);
  }

  replace(
    names: ReadonlySet<string>,
    live: ReadonlyMap<string, EncodedResource>,
  ): Map<string, EncodedResource | undefined> {
    const diff = new Map<string, EncodedResource | undefined>();
    for (const name of names) {
      const before = this.resources.get(name);
      const after = live.get(name);
      if (before === after) continue;
      if (before !== undefined && after !== undefined && sameForClients(before, after)) continue;
      diff.set(name, before);
      if (before !== undefined) this.#remove(before);
      if (after !== undefined) this.#add(after);
    }
    if (diff.size > 0) this.edition++;
    return diff;
  }

  #add(resource: EncodedResource): void {
    this.resources.set(resource.name, resource);
    for (const alias of resource.aliases ?? []) this.names.set(alias, resource.name);
    this.bytes += resource.body.length;
    this.#mix(resource, 1);
  }

  #remove(resource: EncodedResource): void {
    this.resources.delete(resource.name);
    for (const alias of resource.aliases ?? []) {
      if (this.names.get(alias) === resource.name) this.names.delete(alias);
    }
    this.bytes -= resource.body.length;
    this.#mix(resource, -1);
  }

  /** A sum of hashes: it follows one change in constant time, and does not depend on the order of changes. */
  #mix(resource: EncodedResource, sign: 1 | -1): void {
    const text = `${resource.name}\0${resource.version}`;
    this.#low = (this.#low + sign * fnv1a(text, 0x811c9dc5)) | 0;
    this.#high = (this.#high + sign * fnv1a(text, 0x9747b28c)) | 0;
  }
}

/** Whether a client that holds the one needs not be sent the other. */
function sameForClients(a: EncodedResource, b: EncodedResource): boolean {
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
