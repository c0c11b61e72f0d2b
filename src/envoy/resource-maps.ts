/**
 * Live maps of resources by type, which remember what changed since somebody last asked: a name whose bytes are as before has not.
 * A removal counts only if nothing sets the name again before the changes are taken: a name may pass from one owner to another.
 */

import type { EncodedResource } from '../core/resource.ts';

const none: ReadonlyMap<string, EncodedResource> = new Map();

export class ResourceMaps {
  readonly #byType = new Map<string, Map<string, EncodedResource>>();
  readonly #removed = new Map<string, Set<string>>();
  #changes = new Map<string, Set<string>>();

  of(url: string): ReadonlyMap<string, EncodedResource> {
    return this.#byType.get(url) ?? none;
  }

  set(url: string, resource: EncodedResource): void {
    let map = this.#byType.get(url);
    if (map === undefined) {
      map = new Map();
      this.#byType.set(url, map);
    }
    this.#removed.get(url)?.delete(resource.name);
    if (map.get(resource.name)?.version === resource.version) return;
    map.set(resource.name, resource);
    note(this.#changes, url, resource.name);
  }

  /** Counts as changed, whatever its bytes: somebody is to get it who did not, or the other way round. */
  touch(url: string, name: string): void {
    note(this.#changes, url, name);
  }

  remove(url: string, name: string): void {
    note(this.#removed, url, name);
  }

  /** Removes what `before` has and `after` has not. Whoever replaces several owners' resources removes all before it sets any. */
  removeAbsent(
    url: string,
    before: readonly EncodedResource[] | undefined,
    after: readonly EncodedResource[] | undefined,
  ): void {
    if (before === after || before === undefined) return;
    const names = new Set(after?.map(({ name }) => name));
    for (const { name } of before) if (!names.has(name)) this.remove(url, name);
  }

  /** Carries out what was removed: from here on `of` is one state, which `takeChanges` tells of. */
  settle(): void {
    for (const [url, names] of this.#removed) {
      for (const name of names) if (this.#byType.get(url)?.delete(name) === true) note(this.#changes, url, name);
    }
    this.#removed.clear();
  }

  takeChanges(): ReadonlyMap<string, ReadonlySet<string>> {
    this.settle();
    const changes = this.#changes;
    this.#changes = new Map();
    return changes;
  }
}

function note(byType: Map<string, Set<string>>, url: string, name: string): void {
  const names = byType.get(url);
  if (names === undefined) byType.set(url, new Set([name]));
  else names.add(name);
}
