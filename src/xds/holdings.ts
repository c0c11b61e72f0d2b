/**
 * What one client holds of one type, told from what the replica has and the client asked for. In: what was sent, what the client claims, and
 * the names that a change of the replica concerns (marking.ts). Out: what it holds, and where that is not what it should hold.
 *
 * What is held is not stored but implied: the client holds what the replica has of its subscription, except for the names in `behind` (it
 * holds something else, or nothing) and in `#extra` (it holds what the replica does not have). A stream that is in step costs no memory per
 * resource.
 */

import type { EncodedResource } from '../core/resource.ts';
import { Claims } from './claims.ts';
import { type Draft, type Held, same } from './draft.ts';
import type { Replica } from './replica.ts';
import type { Selection } from './selection.ts';
import { SparseMap } from './sparse-map.ts';

/** A name of which the client does not hold what it should, or is to be told again. */
export interface Behind {
  readonly held: Held | undefined;
  /** Send it, or say that it is not there, even if the client should have it. */
  readonly force: boolean;
}

export class Holdings {
  readonly #selection: Selection;
  readonly #behind = new SparseMap<Behind>();
  readonly #extra = new SparseMap<Held>();
  /** The client holds nothing yet, or what `claims` says; `behind` is filled when the first answer is drafted. */
  #unsettled = true;
  readonly claims = new Claims();

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  // ---- what is known -------------------------------------------------------------------------------------------------------------

  get behind(): ReadonlyMap<string, Behind> {
    return this.#behind.all;
  }

  /** Nothing was answered yet: what the client holds is nothing, or what it claims. */
  get unsettled(): boolean {
    return this.#unsettled;
  }

  /** Held though the replica has nothing of that name. */
  get extra(): ReadonlyMap<string, Held> {
    return this.#extra.all;
  }

  /** What the client does hold under `name`. */
  heldOf(name: string): Held | undefined {
    const entry = this.#behind.all.get(name);
    if (entry !== undefined) return entry.held;
    const extra = this.#extra.all.get(name);
    if (extra !== undefined) return extra;
    const resource = this.#selection.type.resources.get(name);
    return resource !== undefined && this.#selection.subscription.has(name, resource) ? resource : undefined;
  }

  /** name → what the client holds, as far as it was sent or told us. */
  *held(): Generator<[string, Held]> {
    if (this.#unsettled) {
      for (const [name, version] of this.claims.entries()) yield [name, { version }];
      return;
    }
    for (const [name, resource] of this.#selection.resources()) {
      if (!this.#behind.all.has(name)) yield [name, resource];
    }
    for (const [name, held] of this.#extra.all) if (!this.#behind.all.has(name)) yield [name, held];
    for (const [name, entry] of this.#behind.all) if (entry.held !== undefined) yield [name, entry.held];
  }

  heldCount(): number {
    let count = 0;
    if (this.#unsettled) return this.claims.size;
    const hasAll = this.#selection.subscription.wildcard && this.#selection.all === undefined;
    if (hasAll) count = this.#selection.type.resources.size;
    else for (const _ of this.#selection.resources()) count++;
    for (const name of this.#extra.all.keys()) if (!this.#behind.all.has(name)) count++;
    for (const [name, entry] of this.#behind.all) {
      const current = this.#selection.type.resources.get(name);
      const counted = current !== undefined && this.#selection.subscription.has(name, current);
      if (counted && entry.held === undefined) count--;
      if (!counted && entry.held !== undefined) count++;
    }
    return count;
  }

  /** Compares what the client claims to hold, or that it holds nothing, with what it should hold. A first answer that is all there is stays due. */
  settle(wholeSet: boolean): void {
    if (!this.#unsettled) return;
    const { subscription, type } = this.#selection;
    const { resources } = type;
    const { claims } = this;
    for (const name of subscription.names) {
      const canonical = this.#selection.canonical(name);
      if (claims.versionOf(canonical) === undefined) this.#behind.set(canonical, { held: undefined, force: true });
    }
    if (claims.size === 0) {
      if (!subscription.wildcard && !wholeSet) this.#unsettled = false;
      return;
    }
    /** Claims for resources that are there. */
    let compared = 0;
    for (const [name, resource] of this.#selection.resources()) {
      const claim = claims.versionOf(name);
      if (claim !== undefined) compared++;
      if (claim === resource.version) continue;
      const held = claim === undefined ? undefined : { version: claim };
      this.#behind.set(name, { held, force: this.#behind.all.get(name)?.force ?? false });
    }
    if (compared < claims.size)
      for (const [name, version] of claims.entries())
        if (!resources.has(name)) this.#behind.set(name, { held: { version }, force: false });
    this.begin();
  }

  /** From here on it is known what the client holds. */
  begin(): void {
    this.#unsettled = false;
    this.claims.clear();
  }

  /** The client holds nothing: it starts again. */
  reset(): void {
    this.#unsettled = true;
    this.claims.clear();
    this.#behind.clear();
    this.#extra.clear();
  }

  // ---- what happens --------------------------------------------------------------------------------------------------------------

  /** What the client holds in the host's words for names by which there is a resource now: two that match alike would be refused. */
  ghostsOf(resource: EncodedResource): readonly string[] {
    return (resource.aliases ?? []).filter((alias) => {
      if (alias === resource.name) return false;
      const held = this.#behind.all.get(alias)?.held ?? this.#extra.all.get(alias);
      return held !== undefined && (held as Partial<EncodedResource>).body?.length !== 0;
    });
  }

  /** The client is to hold what another replica has. What it holds stays what it was. */
  rebase(replica: Replica): void {
    const held = this.#unsettled ? undefined : new Map(this.held());
    const forced = [...this.#behind.all].filter(([, entry]) => entry.force).map(([name]) => name);
    this.#selection.rebase(replica);
    const { subscription, type } = this.#selection;
    // As in `markTurned`: it goes on wanting what it was given unasked.
    if (subscription.wildcard && this.#selection.all !== undefined) {
      const given = held ?? new Map(this.claims.entries());
      subscription.assume(
        [...given.keys()].filter((name) => type.resources.has(name) && !this.#selection.includes(name)),
      );
    }
    if (held === undefined) return;
    this.#behind.clear();
    this.#extra.clear();
    for (const [name, resource] of this.#selection.resources()) {
      const before = held.get(name);
      if (before !== undefined && same(before, resource)) continue;
      this.#behind.set(name, { held: before, force: false });
    }
    for (const [name, before] of held) {
      if (!this.#selection.type.resources.has(name)) this.#behind.set(name, { held: before, force: false });
    }
    for (const asked of this.#selection.subscription.names) {
      const name = this.#selection.subscription.meant(asked);
      const { names, resources } = this.#selection.type;
      if (this.#behind.all.has(name) || names.has(name) || resources.has(name)) continue;
      if (this.#selection.current(name) !== undefined) this.#behind.set(name, { held: held.get(name), force: false });
    }
    for (const name of forced) this.#behind.set(name, { held: held.get(name), force: true });
  }

  /** `draft` was sent: the client is taken to hold it. Returns what `behind` said of its names, for `takeBack`. */
  sent(draft: Draft, wholeSet: boolean): ReadonlyMap<string, Behind> {
    if (draft.cacheKey !== undefined) {
      // It is all that the client should hold, and nothing else.
      const undo = this.#behind.all;
      this.begin();
      this.#behind.clear();
      this.#extra.clear();
      return undo;
    }
    const undo = new Map<string, Behind>();
    const settle = (name: string): void => {
      const entry = this.#behind.all.get(name);
      if (entry === undefined) return;
      undo.set(name, entry);
      this.#behind.delete(name);
    };
    if (this.#unsettled) this.begin();
    for (const resource of draft.resources) {
      // A removed cluster that goes along until its removal is due stays known as such, also where something takes its place then.
      const current = this.#selection.current(resource.name);
      if (current === undefined) continue;
      if (!same(current, resource)) {
        if (!wholeSet) this.#standsIn(resource, undo);
        continue;
      }
      settle(resource.name);
      for (const alias of resource.aliases ?? []) this.#extra.delete(alias);
      if (this.#selection.type.resources.has(resource.name)) this.#extra.delete(resource.name);
      else this.#extra.set(resource.name, resource);
    }
    for (const name of draft.removed) {
      settle(name);
      this.#extra.delete(name);
    }
    if (wholeSet) {
      const all = new Set(draft.resources.map((resource) => resource.name));
      for (const name of [...this.#behind.all.keys()]) {
        if (all.has(name)) continue;
        settle(name);
        this.#extra.delete(name);
      }
    }
    return undo;
  }

  /** What was sent is not what the client should hold in the end. */
  #standsIn(resource: EncodedResource, undo: Map<string, Behind>): void {
    const entry = this.#behind.all.get(resource.name);
    if (entry !== undefined) undo.set(resource.name, entry);
    this.#behind.set(resource.name, { held: resource, force: entry?.force ?? false });
  }

  /** What was sent was refused: the client holds what it held before. */
  takeBack(undo: ReadonlyMap<string, Behind>): void {
    for (const [name, entry] of undo) {
      const held = entry.held !== undefined && 'body' in entry.held ? entry.held : undefined;
      const current = this.#selection.type.resources.get(name);
      if (!this.#selection.subscription.has(name, current) && !this.#selection.subscription.has(name, held)) continue;
      this.#extra.delete(name);
      this.#behind.set(name, { held: entry.held, force: this.#behind.all.get(name)?.force ?? false });
    }
  }

  /** Nothing was taken of `draft`, the first answer. */
  nothingTaken(draft: Draft, wholeSet: boolean): void {
    if (wholeSet) {
      this.#unsettled = true;
      this.#behind.clear();
      return;
    }
    for (const { name } of draft.resources) {
      if (!this.#selection.includes(name)) continue;
      this.#behind.set(name, { held: undefined, force: this.#behind.all.get(name)?.force ?? false });
    }
  }

  // ---- single names --------------------------------------------------------------------------------------------------------------

  /** The client holds `held` of `name`, which is not what it should hold, or is to be told again. */
  fallsBehind(name: string, held: Held | undefined, force: boolean): void {
    this.#behind.set(name, { held, force });
  }

  /** Of what the client holds of `name` and should not, only the version is kept. */
  keepVersion(name: string): void {
    const entry = this.#behind.all.get(name);
    if (entry?.held === undefined || !('body' in entry.held)) return;
    this.#behind.set(name, { held: { version: entry.held.version }, force: entry.force });
  }

  /** Nothing is to be said of `name`. */
  settled(name: string): void {
    this.#behind.delete(name);
  }

  /** The client holds again what it should. */
  inStep(name: string, held: Held): void {
    this.#behind.delete(name);
    if (!this.#selection.type.resources.has(name)) this.#extra.set(name, held);
  }

  /** The client keeps what it holds, and cannot be told that it should not. */
  keeps(name: string, held: Held | undefined): void {
    this.#behind.delete(name);
    if (held !== undefined) this.#extra.set(name, held);
  }

  /** The client holds nothing of `name`, or nothing that counts, and is owed nothing. */
  forget(name: string): void {
    this.#behind.delete(name);
    this.#extra.delete(name);
  }

  forgetExtra(name: string): void {
    this.#extra.delete(name);
  }

  forgetUnsubscribed(): void {
    for (const map of [this.#behind, this.#extra]) {
      for (const name of map.all.keys()) if (!this.isAskedFor(name)) map.delete(name);
    }
  }

  /** Asked for by its name, or by an alias of what there is or of what the client holds. */
  isAskedFor(name: string): boolean {
    if (this.#selection.includes(name)) return true;
    const held = this.#behind.all.get(name)?.held;
    return held !== undefined && 'body' in held && this.#selection.subscription.has(name, held);
  }
}
