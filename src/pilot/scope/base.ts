/**
 * What the views of many scopes have in common: the resources that the mesh's services give to one of these scopes, made and kept up once. Each
 * view has what is other in its own scope (view.ts).
 *
 * In: the names of services that may have changed, and time to work. Out: which services were looked at, and the names of the resources that
 * changed. What always holds: what is marked once is looked at once, in its newest form.
 */

import type { EncodedResource } from '../../core/resource.ts';
import type { Wanted } from '../../envoy/host-key.ts';
import { ScopeResources } from '../../envoy/scope-resources.ts';
import type { Mesh, Scope } from '../../model/mesh.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { NameSet, ResourceView } from '../../xds/view.ts';

type Changes = ReadonlyMap<string, ReadonlySet<string>>;

export class ScopeBase implements ResourceView {
  readonly id: string;
  readonly shared: ScopeResources;
  readonly #marked = new Set<ServiceKey>();
  #affected = new Set<ServiceKey>();
  #changes = new Map<string, Set<string>>();
  #revision = 0;
  #isCurrent = false;

  /** As this scope sees the services; `wanted`: those of them that it is made for. */
  constructor(id: string, scope: Scope, wanted?: Wanted) {
    this.id = id;
    this.shared = new ScopeResources(scope, 'services', wanted);
  }

  get scope(): Scope {
    return this.shared.scope;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Everything is in, and views may stand on it. */
  get ready(): boolean {
    return this.#isCurrent;
  }

  get isMarked(): boolean {
    return this.#marked.size > 0;
  }

  resources(typeUrl: string): ReadonlyMap<string, EncodedResource> {
    return this.shared.resources(typeUrl);
  }

  wildcardNames(typeUrl: string): NameSet | undefined {
    return this.shared.unasked(typeUrl);
  }

  /** These services may have changed. */
  mark(services: Iterable<ServiceKey>): void {
    for (const key of services) this.#marked.add(key);
  }

  /** Nobody works on it any more. */
  lapse(): void {
    this.#isCurrent = false;
  }

  /** Takes over what the mesh says of marked services until there are none or `isTimeUp`. Returns whether there are none. */
  work(mesh: Mesh, isTimeUp: () => boolean): boolean {
    this.shared.absorb(mesh, new Set());
    for (const key of this.#marked) {
      this.#marked.delete(key);
      for (const looked of this.shared.absorb(mesh, new Set([key]))) this.#affected.add(looked);
      if (isTimeUp()) break;
    }
    if (this.#marked.size > 0) return false;
    for (const [typeUrl, names] of this.shared.settle())
      this.#changes.set(typeUrl, names.union(this.#changes.get(typeUrl) ?? new Set()));
    return true;
  }

  /** The services that were looked at since this was last asked, which views have to look at, too. Never written to again. */
  takeAffected(): ReadonlySet<ServiceKey> {
    const affected = this.#affected;
    if (affected.size > 0) this.#affected = new Set();
    return affected;
  }

  /** All is in. Returns the names that changed, by type, since the last time. */
  commit(revision: number): Changes {
    const changes = this.#changes;
    this.#changes = new Map();
    this.#revision = revision;
    this.#isCurrent = true;
    return changes;
  }
}
