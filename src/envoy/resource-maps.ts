/** Live maps of resources by type, which remember what changed since somebody last asked: a name whose bytes are as before has not. */

import type { EncodedResource } from '../core/resource.ts';

const none: ReadonlyMap<string, EncodedResource> = new Map();

export class ResourceMaps {
  readonly #byType = new Map<string, Map<string, EncodedResource>>();
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
    const before = map.get(resource.name);
    if (before?.version === resource.version) return;
    map.set(resource.name, resource);
    this.#note(url, resource.name);
  }

  delete(url: string, name: string): void {
    if (this.#byType.get(url)?.delete(name) === true) this.#note(url, name);
  }

  /** Sets `after`, and deletes what only `before` has. */
  replace(url: string, before: readonly EncodedResource[] | undefined, after: readonly EncodedResource[] | undefined): void {
    if (before === after) return;
    const names = new Set(after?.map(({ name }) => name));
    for (const { name } of before ?? []) if (!names.has(name)) this.delete(url, name);
    for (const resource of after ?? []) this.set(url, resource);
  }

  takeChanges(): ReadonlyMap<string, ReadonlySet<string>> {
    const changes = this.#changes;
    this.#changes = new Map();
    return changes;
  }

  #note(url: string, name: string): void {
    const names = this.#changes.get(url);
    if (names === undefined) this.#changes.set(url, new Set([name]));
    else names.add(name);
  }
}
