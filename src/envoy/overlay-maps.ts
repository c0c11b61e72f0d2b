/**
 * Resources by type that stand in front of those of a base: what is other than there, or is not to be seen. As with ResourceMaps, what is taken
 * away counts only if nothing sets the name again before the changes are taken.
 *
 * What always holds, once the changes are taken: nothing is kept that is as in the base. Whoever sets a name looks at it again when the base's
 * resource of that name changes.
 */

import { LayeredMap, type Overlay } from '../core/layered-map.ts';
import type { EncodedResource } from '../core/resource.ts';

interface Base {
  resources(url: string): ReadonlyMap<string, EncodedResource>;
}

interface TypeOverlay {
  readonly own: Map<string, EncodedResource | undefined>;
  /** What of the base's is not to be seen, unless something sets the name: a name may pass from one service to another. */
  readonly hidden: Map<string, EncodedResource>;
  /** Taken away, hidden or shown again since the changes were taken. */
  readonly open: Set<string>;
  changes: Set<string>;
}

const nothing: Overlay<EncodedResource> = new Map();

export class OverlayMaps {
  readonly #base: Base;
  readonly #types = new Map<string, TypeOverlay>();

  constructor(base: Base) {
    this.#base = base;
  }

  of(url: string): ReadonlyMap<string, EncodedResource> {
    const base = this.#base.resources(url);
    const own = this.own(url);
    return own.size === 0 ? base : new LayeredMap(base, own);
  }

  has(url: string, name: string): boolean {
    const own = this.own(url);
    return own.has(name) ? own.get(name) !== undefined : this.#base.resources(url).has(name);
  }

  ofBase(url: string, name: string): EncodedResource | undefined {
    return this.#base.resources(url).get(name);
  }

  /** Live: what is other than in the base. */
  own(url: string): Overlay<EncodedResource> {
    return this.#types.get(url)?.own ?? nothing;
  }

  set(url: string, resource: EncodedResource): void {
    const { own, open, changes } = this.#type(url);
    const { name, version } = resource;
    open.delete(name);
    if (this.#base.resources(url).get(name)?.version === version) {
      if (own.delete(name)) changes.add(name);
    } else if (own.get(name)?.version !== version) {
      own.set(name, resource);
      changes.add(name);
    }
  }

  /** Counts as changed, whatever its bytes. */
  touch(url: string, name: string): void {
    this.#type(url).changes.add(name);
  }

  remove(url: string, name: string): void {
    this.#type(url).open.add(name);
  }

  /** Removes what was set, unless another has set the name since. */
  takeBack(url: string, { name, version }: EncodedResource): void {
    const { own, open } = this.#type(url);
    if (own.get(name)?.version === version) open.add(name);
  }

  /** This resource of the base's is not to be seen. */
  hide(url: string, resource: EncodedResource): void {
    const { hidden, own, open } = this.#type(url);
    hidden.set(resource.name, resource);
    if (own.get(resource.name) === undefined) open.add(resource.name);
  }

  /** It is, as far as it was hidden. */
  show(url: string, resource: EncodedResource): void {
    const { name } = resource;
    const { hidden, own, open } = this.#type(url);
    if (hidden.get(name) !== resource) return;
    hidden.delete(name);
    if (own.get(name) === undefined) open.add(name);
  }

  /** Carries out what was taken away, hidden or shown: from here on `of` is one state, which `takeChanges` tells of. */
  settle(): void {
    for (const [url, type] of this.#types) {
      // Clearing an empty set costs as much as another.
      if (type.open.size === 0) continue;
      for (const name of type.open) this.#close(url, name, type);
      type.open.clear();
    }
  }

  takeChanges(): ReadonlyMap<string, ReadonlySet<string>> {
    this.settle();
    const all = new Map<string, ReadonlySet<string>>();
    for (const [url, type] of this.#types) {
      if (type.changes.size === 0) continue;
      all.set(url, type.changes);
      type.changes = new Set();
    }
    return all;
  }

  #close(url: string, name: string, { own, hidden, changes }: TypeOverlay): void {
    const wasOwn = own.has(name);
    const before = own.get(name);
    if (hidden.has(name) && this.#base.resources(url).has(name)) {
      own.set(name, undefined);
      if (!wasOwn || before !== undefined) changes.add(name);
    } else if (own.delete(name)) changes.add(name);
  }

  #type(url: string): TypeOverlay {
    let type = this.#types.get(url);
    if (type === undefined) {
      type = { own: new Map(), hidden: new Map(), open: new Set(), changes: new Set() };
      this.#types.set(url, type);
    }
    return type;
  }
}
