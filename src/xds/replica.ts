/**
 * The server's own copy of a view, as of the host's last word. In: a live view and the names that changed. Out: what each type holds, its
 * version, and a log of differences. Always: streams read only replicas, so a view that is half changed is never seen, and a view that is
 * not ready changes nothing (unknown is not empty).
 *
 * Of a view with a base, only what differs from the base is copied; the rest is read in the base's replica, which is brought up to date first.
 *
 * The log is a linked list. Each stream keeps the entry it has read last and catches up when it is its turn, so a change costs one append
 * here, and an entry is freed once the slowest stream has read it.
 */

import type { Overlay } from '../core/layered-map.ts';
import type { EncodedResource } from '../core/resource.ts';
import { pushOrder } from '../core/type-urls.ts';
import { LayeredType, noDiff } from './layered-type.ts';
import { OwnType, type TypeDiff, type TypeReplica } from './type-replica.ts';
import type { ResourceView } from './view.ts';

export interface LogEntry {
  readonly diffs: ReadonlyMap<string, TypeDiff>;
  next: LogEntry | undefined;
}

type Changes = ReadonlyMap<string, ReadonlySet<string>>;

/** What the types of a replica have in common, whether there is a base or not. */
interface MutableType extends TypeReplica {
  replace(
    names: ReadonlySet<string>,
    live: ReadonlyMap<string, EncodedResource | undefined>,
    ofBase: TypeDiff,
  ): TypeDiff;
  replaceAll(live: ReadonlyMap<string, EncodedResource | undefined>, ofBase: TypeDiff): TypeDiff;
  reload(live: ReadonlyMap<string, EncodedResource | undefined>): TypeDiff;
}

let replicas = 0;
const noNames: ReadonlySet<string> = new Set();
const nothing: Overlay<EncodedResource> = new Map();

export class Replica {
  readonly id: number;
  readonly view: ResourceView;
  readonly #base: Replica | undefined;
  /** The base's newest entry that this replica has read; undefined while it is not loaded, so that it holds on to none. */
  #baseSeen: LogEntry | undefined;
  #revision = 0;
  #loaded = false;
  #tail: LogEntry = { diffs: new Map(), next: undefined };
  readonly #types = new Map<string, MutableType>();
  /** The same, if there is no base. */
  readonly #ownTypes = new Map<string, OwnType>();

  /** `base`: of the view's base, if it has one. */
  constructor(view: ResourceView, base?: Replica) {
    this.id = ++replicas;
    this.view = view;
    this.#base = base;
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
    const known = this.#types.get(typeUrl);
    if (known !== undefined) return known;
    const type = this.#add(typeUrl);
    if (this.#loaded) type.reload(this.#live(typeUrl));
    return type;
  }

  /**
   * Takes over what the view says of the named resources, or of all if no names are given or the view was not ready before.
   * Returns the types in which something differs now.
   */
  update(changes: Changes | undefined): readonly string[] {
    if (!this.view.ready || this.#base?.ready === false) {
      // Whatever changes meanwhile is found by comparing everything later.
      this.#loaded = false;
      this.#baseSeen = undefined;
      return [];
    }
    const diffs = changes === undefined || !this.#loaded ? this.#updateAll() : this.#updateNamed(changes);
    this.#revision = this.view.revision;
    if (diffs.size > 0) {
      const entry: LogEntry = { diffs, next: undefined };
      this.#tail.next = entry;
      this.#tail = entry;
    }
    return [...diffs.keys()];
  }

  #updateAll(): ReadonlyMap<string, TypeDiff> {
    const ofBase = this.#readBase();
    const isReload = !this.#loaded;
    this.#loaded = true;
    for (const typeUrl of pushOrder) if (!this.#types.has(typeUrl)) this.#add(typeUrl);
    const diffs = new Map<string, TypeDiff>();
    for (const [typeUrl, type] of this.#types) {
      const live = this.#live(typeUrl);
      const diff = isReload ? type.reload(live) : type.replaceAll(live, ofBase.get(typeUrl) ?? noDiff);
      if (diff.size > 0) diffs.set(typeUrl, diff);
    }
    return diffs;
  }

  #updateNamed(changes: Changes): ReadonlyMap<string, TypeDiff> {
    const ofBase = this.#readBase();
    const diffs = new Map<string, TypeDiff>();
    for (const typeUrl of new Set([...ofBase.keys(), ...changes.keys()])) {
      const type = this.#types.get(typeUrl);
      // A type that nobody has asked for is loaded when somebody does.
      if (type === undefined) continue;
      const names = changes.get(typeUrl) ?? noNames;
      const diff = type.replace(names, this.#live(typeUrl), ofBase.get(typeUrl) ?? noDiff);
      if (diff.size > 0) diffs.set(typeUrl, diff);
    }
    return diffs;
  }

  /** What differs in the base since this was last called while loaded. */
  #readBase(): ReadonlyMap<string, TypeDiff> {
    if (this.#base === undefined) return new Map();
    const all = new Map<string, TypeDiff>();
    for (let entry = this.#baseSeen?.next; entry !== undefined; entry = entry.next) {
      for (const [typeUrl, diff] of entry.diffs) {
        const earlier = all.get(typeUrl);
        // What was before the first of them is what was before.
        all.set(typeUrl, earlier === undefined ? diff : new Map([...diff, ...earlier]));
      }
    }
    this.#baseSeen = this.#base.tail;
    return all;
  }

  #live(typeUrl: string): ReadonlyMap<string, EncodedResource | undefined> {
    return this.#base === undefined ? this.view.resources(typeUrl) : (this.view.own?.(typeUrl) ?? nothing);
  }

  #add(typeUrl: string): MutableType {
    let type: MutableType;
    if (this.#base === undefined) {
      const own = new OwnType(this.id);
      this.#ownTypes.set(typeUrl, own);
      type = own;
    } else type = new LayeredType(this.id, this.#base.ownType(typeUrl));
    this.#types.set(typeUrl, type);
    return type;
  }

  /** For views that stand on this one's. */
  ownType(typeUrl: string): OwnType {
    this.type(typeUrl);
    const type = this.#ownTypes.get(typeUrl);
    if (type === undefined) throw new Error('a base has no base of its own');
    return type;
  }
}
