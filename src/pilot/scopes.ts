/**
 * The scopes in use, each with its resources: proxies whose scopes are equal share one view, and so the very same bytes.
 */

import type { Finding } from '../core/errors.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl as types } from '../core/type-urls.ts';
import { ScopeResources } from '../envoy/scope-resources.ts';
import type { Mesh, Scope } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import { impliesWildcard } from '../xds/type-traits.ts';
import type { ResourceView } from '../xds/view.ts';

/** How many scopes without a proxy are kept for those that come back. */
const idleScopesMax = 32;

export class ScopeView implements ResourceView {
  readonly id: string;
  readonly scope: Scope;
  readonly #resources: ScopeResources;
  readonly #isReady: () => boolean;
  #revision = 0;
  /** Proxies in this scope. */
  users = 0;

  constructor(id: string, scope: Scope, isReady: () => boolean) {
    this.id = id;
    this.scope = scope;
    this.#resources = new ScopeResources(scope);
    this.#isReady = isReady;
  }

  get revision(): number {
    return this.#revision;
  }

  get ready(): boolean {
    return this.#isReady();
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

  /** What of the mesh this scope's proxies do not get, and why. */
  findings(): readonly Finding[] {
    return this.#resources.findings();
  }

  update(mesh: Mesh, dirty: ReadonlySet<ServiceKey> | 'all'): ReadonlyMap<string, ReadonlySet<string>> {
    this.#revision = mesh.revision;
    return this.#resources.update(mesh, dirty);
  }
}

export class Scopes {
  readonly #views = new Map<string, ScopeView>();
  readonly #isReady: () => boolean;
  /** The mesh as a scope sees it, which is the mesh but for scopes with rejections. */
  readonly #meshFor: (scope: Scope) => Mesh;

  constructor(isReady: () => boolean, meshFor: (scope: Scope) => Mesh) {
    this.#isReady = isReady;
    this.#meshFor = meshFor;
  }

  views(): Iterable<ScopeView> {
    return this.#views.values();
  }

  /** The view for a scope, made if it is new. Whoever acquires it releases it. */
  acquire(scope: Scope): ScopeView {
    const id = scopeId(scope);
    let view = this.#views.get(id);
    if (view === undefined) {
      view = new ScopeView(id, scope, this.#isReady);
      view.update(this.#meshFor(scope), 'all');
      this.#views.set(id, view);
    }
    view.users += 1;
    return view;
  }

  release(view: ScopeView): void {
    view.users -= 1;
    if (view.users > 0) return;
    // Last in, last out: a Map keeps the order of insertion.
    this.#views.delete(view.id);
    this.#views.set(view.id, view);
    const idle = [...this.#views.values()].filter(({ users }) => users === 0);
    for (const { id } of idle.slice(0, Math.max(0, idle.length - idleScopesMax))) this.#views.delete(id);
  }

  /** Brings every view up to the mesh; returns what changed in each. */
  update(dirty: ReadonlySet<ServiceKey>): { view: ScopeView; changes: ReadonlyMap<string, ReadonlySet<string>> }[] {
    return [...this.#views.values()].map((view) => ({ view, changes: view.update(this.#meshFor(view.scope), dirty) }));
  }
}

/** Equal scopes, equal ids: every field of the scope is in it, in a fixed order. */
export function scopeId(scope: Scope): string {
  const { cluster, network, namespace, mode, outbound, inboundAddress, inbound, routes, rejected } = scope;
  const ports = inbound.map(({ port, targetPort, protocol }) => `${port}:${targetPort}:${protocol}`);
  return JSON.stringify([
    cluster,
    network,
    namespace,
    mode,
    outbound.address,
    outbound.port,
    inboundAddress,
    ports,
    routes,
    rejected,
  ]);
}
