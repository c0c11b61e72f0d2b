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
import { type LayeredNames, noneTurned, type Turned } from './meant-by-all.ts';
import { OwnType, type TypeDiff, type TypeReplica } from './type-replica.ts';
import type { NameSet, ResourceView } from './view.ts';

export interface LogEntry {
  readonly diffs: ReadonlyMap<string, TypeDiff>;
  /** By type; most often there are none. */
  readonly turned: ReadonlyMap<string, Turned>;
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
  readonly meant: Pick<LayeredNames, 'names' | 'replace' | 'replaceAll'>;
}

/** What differs, by type. */
type Differences = Pick<LogEntry, 'diffs' | 'turned'>;

let replicas = 0;
const noNames: ReadonlySet<string> = new Set();
const nothing: Overlay<EncodedResource> = new Map();
const noDifferences: Differences = { diffs: new Map(), turned: new Map() };

export class Replica {
  readonly id: number;
  readonly view: ResourceView;
  readonly #base: Replica | undefined;
  /** The base's newest entry that this replica has read; undefined while it is not loaded, so that it holds on to none. */
  #baseSeen: LogEntry | undefined;
  #revision = 0;
  #loaded = false;
  #tail: LogEntry = { diffs: new Map(), turned: new Map(), next: undefined };
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
    if (this.#loaded) {
      type.reload(this.#live(typeUrl));
      type.meant.replaceAll(this.#meant(typeUrl), noneTurned);
    }
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
    const differences = changes === undefined || !this.#loaded ? this.#updateAll() : this.#updateNamed(changes);
    this.#revision = this.view.revision;
    const types = new Set([...differences.diffs.keys(), ...differences.turned.keys()]);
    if (types.size > 0) {
      const entry: LogEntry = { ...differences, next: undefined };
      this.#tail.next = entry;
      this.#tail = entry;
    }
    return [...types];
  }

  #updateAll(): Differences {
    const ofBase = this.#readBase();
    const isReload = !this.#loaded;
    this.#loaded = true;
    for (const typeUrl of pushOrder) if (!this.#types.has(typeUrl)) this.#add(typeUrl);
    const [diffs, turned] = [new Map<string, TypeDiff>(), new Map<string, Turned>()];
    for (const [typeUrl, type] of this.#types) {
      const live = this.#live(typeUrl);
      const diff = isReload ? type.reload(live) : type.replaceAll(live, ofBase.diffs.get(typeUrl) ?? noDiff);
      if (diff.size > 0) diffs.set(typeUrl, diff);
      const names = type.meant.replaceAll(this.#meant(typeUrl), ofBase.turned.get(typeUrl) ?? noneTurned);
      if (names.size > 0) turned.set(typeUrl, names);
    }
    return { diffs, turned };
  }

  #updateNamed(changes: Changes): Differences {
    const ofBase = this.#readBase();
    const [diffs, turned] = [new Map<string, TypeDiff>(), new Map<string, Turned>()];
    for (const typeUrl of new Set([...ofBase.diffs.keys(), ...ofBase.turned.keys(), ...changes.keys()])) {
      const type = this.#types.get(typeUrl);
      // A type that nobody has asked for is loaded when somebody does.
      if (type === undefined) continue;
      const names = changes.get(typeUrl) ?? noNames;
      const diff = type.replace(names, this.#live(typeUrl), ofBase.diffs.get(typeUrl) ?? noDiff);
      if (diff.size > 0) diffs.set(typeUrl, diff);
      const others = type.meant.replace(names, this.#meant(typeUrl), ofBase.turned.get(typeUrl) ?? noneTurned);
      if (others.size > 0) turned.set(typeUrl, others);
    }
    return { diffs, turned };
  }

  /** What differs in the base since this was last called while loaded. */
  #readBase(): Differences {
    if (this.#base === undefined) return noDifferences;
    const all = differencesSince(this.#baseSeen);
    this.#baseSeen = this.#base.tail;
    return all;
  }

  /** A wildcard's names, if it does not mean everything. */
  #meant(typeUrl: string): NameSet | undefined {
    return this.view.wildcardNames?.(typeUrl);
  }

  #live(typeUrl: string): ReadonlyMap<string, EncodedResource | undefined> {
    return this.#base === undefined ? this.view.resources(typeUrl) : (this.view.own?.(typeUrl) ?? nothing);
  }

  #add(typeUrl: string): MutableType {
    let type: MutableType;
    if (this.#base === undefined) {
      const own = new OwnType(this.id, this.#meant(typeUrl));
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

/** All that differs since `entry`, as if it had come at once; none for undefined. */
function differencesSince(entry: LogEntry | undefined): Differences {
  if (entry?.next === undefined) return noDifferences;
  if (entry.next.next === undefined) return entry.next;
  const [diffs, turned] = [new Map<string, TypeDiff>(), new Map<string, Turned>()];
  for (let next: LogEntry | undefined = entry.next; next !== undefined; next = next.next) {
    addLater(diffs, next.diffs);
    addLater(turned, next.turned);
  }
  return { diffs, turned };
}

/** By type, the names that turned since `entry`, with whether a wildcard meant them then. */
export function turnedSince(entry: LogEntry): ReadonlyMap<string, Turned> {
  if (entry.next?.next === undefined) return entry.next?.turned ?? noDifferences.turned;
  const turned = new Map<string, Turned>();
  for (let next: LogEntry | undefined = entry.next; next !== undefined; next = next.next) addLater(turned, next.turned);
  return turned;
}

/** What was before the first of them is what was before. */
function addLater<V>(
  all: Map<string, ReadonlyMap<string, V>>,
  later: ReadonlyMap<string, ReadonlyMap<string, V>>,
): void {
  for (const [typeUrl, names] of later) {
    const earlier = all.get(typeUrl);
    all.set(typeUrl, earlier === undefined ? names : new Map([...names, ...earlier]));
  }
}
