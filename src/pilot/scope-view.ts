/**
 * What the proxies of one scope see, brought up to the mesh bit by bit. In: the names of services that may have changed, and time to work.
 * Out: the names of the resources that changed, once all that was marked is in.
 *
 * What always holds: what is marked once is looked at once, in its newest form; and nothing is said to have changed before everything has, so
 * whoever takes over the resources when told sees a whole state of the mesh, never a part of one.
 */

import type { Finding } from '../core/errors.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl as types } from '../core/type-urls.ts';
import { ScopeResources } from '../envoy/scope-resources.ts';
import type { Mesh, Scope } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import { impliesWildcard } from '../xds/type-traits.ts';
import type { ResourceView } from '../xds/view.ts';

export class ScopeView implements ResourceView {
  readonly id: string;
  readonly scope: Scope;
  readonly #resources: ScopeResources;
  readonly #isReady: () => boolean;
  readonly #marked = new Set<ServiceKey>();
  #revision = 0;
  #isCurrent = false;
  /** Proxies in this scope, or on their way into it. */
  users = 0;

  constructor(id: string, scope: Scope, isReady: () => boolean) {
    this.id = id;
    this.scope = scope;
    this.#resources = new ScopeResources(scope);
    this.#isReady = isReady;
  }

  /** Of the mesh that all of the resources are of. */
  get revision(): number {
    return this.#revision;
  }

  get ready(): boolean {
    return this.#isCurrent && this.#isReady();
  }

  /** False until everything is in for the first time, and after `lapse`. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  resources(typeUrl: string): ReadonlyMap<string, EncodedResource> {
    return this.#resources.resources(typeUrl);
  }

  /** Envoy's first VHDS request names no host; a scope that has hosts as resources means all of them by it. */
  impliedWildcard(typeUrl: string): boolean {
    return typeUrl === types.virtualHost ? this.scope.routes !== 'tables' : impliesWildcard(typeUrl);
  }

  wildcardNames(typeUrl: string): ReadonlySet<string> | undefined {
    return this.#resources.unasked(typeUrl);
  }

  missing(typeUrl: string, name: string): EncodedResource | undefined {
    return typeUrl === types.virtualHost ? this.#resources.unknownHost(name) : undefined;
  }

  /** A route table's virtual hosts, whichever way they go out; the catch-all comes last. */
  hostsOfTable(table: string): ReturnType<ScopeResources['hostsOfTable']> {
    return this.#resources.hostsOfTable(table);
  }

  /** What of the mesh this scope's proxies do not get, and why. */
  findings(): readonly Finding[] {
    return this.#resources.findings();
  }

  /** These services may have changed. */
  mark(services: Iterable<ServiceKey>): void {
    for (const key of services) this.#marked.add(key);
  }

  /** Nobody works on it any more, so it is not answered from until it has caught up. */
  lapse(): void {
    this.#isCurrent = false;
  }

  /**
   * Takes over what the mesh says of marked services until there are none or `isTimeUp`. Returns the names that changed, by type, once all are
   * in; undefined before.
   */
  work(mesh: Mesh, isTimeUp: () => boolean): ReadonlyMap<string, ReadonlySet<string>> | undefined {
    this.#resources.absorb(mesh, new Set());
    for (const key of this.#marked) {
      this.#marked.delete(key);
      this.#resources.absorb(mesh, new Set([key]));
      if (isTimeUp()) break;
    }
    if (this.#marked.size > 0) return undefined;
    this.#revision = mesh.revision;
    this.#isCurrent = true;
    return this.#resources.settle();
  }
}
