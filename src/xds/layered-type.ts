/**
 * What a replica has of one type, of a view that shares most of it with others: the base's resources, and copies of those that are otherwise.
 * In: what changed in the base, and the names that are otherwise now. Out: as of a type of its own, at the cost of what differs.
 */

import { LayeredMap, type Overlay } from '../core/layered-map.ts';
import type { EncodedResource } from '../core/resource.ts';
import { LayeredNames } from './meant-by-all.ts';
import { SharedAnswers } from './shared-answers.ts';
import {
  addAliases,
  type OwnType,
  removeAliases,
  Sums,
  sameForClients,
  type TypeDiff,
  type TypeReplica,
  versionOfSums,
} from './type-replica.ts';

export const noDiff: TypeDiff = new Map();

export class LayeredType implements TypeReplica {
  readonly #replica: number;
  readonly #base: OwnType;
  /** undefined hides what the base has. */
  readonly #own = new Map<string, EncodedResource | undefined>();
  readonly #aliases = new Map<string, string>();
  readonly #answers: SharedAnswers;
  /** What is own, less what it stands in front of. */
  readonly #sums = new Sums();
  readonly resources: ReadonlyMap<string, EncodedResource>;
  readonly names: TypeReplica['names'];
  readonly meant: LayeredNames;
  edition = 0;

  /** `replica`: its number. */
  constructor(replica: number, base: OwnType) {
    this.#replica = replica;
    this.#base = base;
    this.meant = new LayeredNames(base.meant);
    this.resources = new LayeredMap(base.resources, this.#own);
    this.#answers = new SharedAnswers(this);
    const nameOf = (alias: string): string | undefined => this.#nameOf(alias);
    const aliases = this.#aliases;
    this.names = {
      get: nameOf,
      has: (alias) => nameOf(alias) !== undefined,
      get size() {
        return base.names.size + aliases.size;
      },
    };
  }

  get version(): string {
    const { low, high } = this.#base.sums;
    return versionOfSums((low + this.#sums.low) | 0, (high + this.#sums.high) | 0);
  }

  get bytes(): number {
    return this.#base.bytes + this.#sums.bytes;
  }

  /** Where nothing differs, clients of all views are sent the very same. */
  get page(): string {
    return this.#own.size === 0 ? this.#base.page : `${this.#replica}:${this.edition}`;
  }

  get answers(): SharedAnswers {
    return this.#own.size === 0 ? this.#base.answers : this.#answers;
  }

  /** Takes over all anew, whatever became of the base meanwhile. */
  reload(live: Overlay<EncodedResource>): TypeDiff {
    this.#own.clear();
    this.#aliases.clear();
    this.#sums.reset();
    this.edition++;
    return this.replaceAll(live, noDiff);
  }

  replaceAll(live: Overlay<EncodedResource>, ofBase: TypeDiff): TypeDiff {
    return this.replace(new Set([...this.#own.keys(), ...live.keys()]), live, ofBase);
  }

  /** `ofBase`: what differs there since the last time. `names`: what may be otherwise, or no longer, `live` having all that is. */
  replace(names: ReadonlySet<string>, live: Overlay<EncodedResource>, ofBase: TypeDiff): TypeDiff {
    let changed: Map<string, EncodedResource | undefined> | undefined;
    const diff = (): Map<string, EncodedResource | undefined> => {
      changed ??= new Map(ofBase);
      return changed;
    };
    for (const name of inBoth(this.#own, ofBase)) {
      diff().delete(name);
      this.#sums.count(ofBase.get(name), 1);
      this.#sums.count(this.#base.resources.get(name), -1);
    }
    for (const name of names) {
      const inBase = this.#base.resources.get(name);
      const before = this.#own.has(name) ? this.#own.get(name) : ofBase.has(name) ? ofBase.get(name) : inBase;
      this.#replace(name, inBase, live);
      if (sameForClients(before, this.resources.get(name))) {
        if (changed !== undefined || ofBase.has(name)) diff().delete(name);
      } else diff().set(name, before);
    }
    const all = changed ?? ofBase;
    if (all.size > 0) this.edition++;
    return all;
  }

  #replace(name: string, inBase: EncodedResource | undefined, live: Overlay<EncodedResource>): void {
    const own = this.#own.get(name);
    if (this.#own.has(name)) {
      this.#sums.count(own, -1);
      this.#sums.count(inBase, 1);
      if (own !== undefined) removeAliases(this.#aliases, own);
      this.#own.delete(name);
    }
    if (!live.has(name)) return;
    const resource = live.get(name);
    this.#own.set(name, resource);
    this.#sums.count(resource, 1);
    this.#sums.count(inBase, -1);
    if (resource !== undefined) addAliases(this.#aliases, resource);
  }

  #nameOf(alias: string): string | undefined {
    const own = this.#aliases.get(alias);
    if (own !== undefined) return own;
    const name = this.#base.names.get(alias);
    return name === undefined || this.#own.has(name) ? undefined : name;
  }
}

/** The names that both have, found by going through the one with fewer. */
function inBoth(one: ReadonlyMap<string, unknown>, two: ReadonlyMap<string, unknown>): string[] {
  const [few, many] = one.size < two.size ? [one, two] : [two, one];
  const found: string[] = [];
  for (const name of few.keys()) if (many.has(name)) found.push(name);
  return found;
}
