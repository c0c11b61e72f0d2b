/**
 * The scopes in use, each with its view: proxies whose scopes are equal share one view, and so the very same bytes.
 *
 * In: who uses which scope, and which services changed. Out: views that say something else now. What always holds: a small change is in every
 * view when `update` returns; what takes longer (a first view, ten thousand services at once) is done in slices between which others have
 * their turn. A view that nobody uses costs nothing but its memory until somebody comes back to it.
 */

import type { Mesh, Scope } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import { ScopeView } from './scope-view.ts';

/** How many scopes without a proxy are kept for those that come back. */
const idleScopesMax = 32;

/** How long one slice may take, ms; the last service of a slice may go beyond. */
const sliceMs = 4;

type Changes = ReadonlyMap<string, ReadonlySet<string>>;

export interface ScopesOptions {
  readonly isReady: () => boolean;
  /** The mesh as a scope sees it, which is the mesh but for scopes with rejections and clusters with rules of their own. The same object while nothing changes. */
  readonly meshFor: (scope: Scope) => Mesh;
  /** Monotonic, ms. */
  readonly now: () => number;
  /** Gives `job` its turn soon, once; false: nobody gives turns, and all is done at once. */
  readonly enqueue: (job: Job) => boolean;
  /** These resources of a view are others now, by type; or it can be answered from for the first time. */
  readonly changed: (view: ScopeView, changes: Changes) => void;
}

interface Job {
  turn(): void;
}

export class Scopes {
  readonly #options: ScopesOptions;
  readonly #views = new Map<string, ScopeView>();
  /** Without a proxy, the longest first. */
  readonly #idle = new Set<ScopeView>();
  /** Views that have work left, and wait for their turn to do it. */
  readonly #working = new Map<ScopeView, Job>();

  constructor(options: ScopesOptions) {
    this.#options = options;
  }

  views(): Iterable<ScopeView> {
    return this.#views.values();
  }

  /** Views that have not taken over all that changed. */
  get working(): number {
    return this.#working.size;
  }

  /** The view for a scope, made if it is new: then it is answered from later (`isCurrent`). Whoever acquires it releases it. */
  acquire(scope: Scope): ScopeView {
    const id = scopeId(scope);
    let view = this.#views.get(id);
    if (view === undefined) {
      view = new ScopeView(id, scope, this.#options.isReady);
      view.mark(this.#options.meshFor(scope).services.keys());
      this.#views.set(id, view);
    }
    view.users += 1;
    this.#idle.delete(view);
    if (!view.isCurrent) this.#enqueue(view);
    return view;
  }

  release(view: ScopeView): void {
    view.users -= 1;
    if (view.users > 0) return;
    // What is half done is left so: if somebody comes back to it, it goes on.
    if (this.#working.delete(view)) this.#lapse(view);
    this.#idle.add(view);
    if (this.#idle.size <= idleScopesMax) return;
    const [oldest] = this.#idle;
    if (oldest === undefined) return;
    this.#idle.delete(oldest);
    this.#views.delete(oldest.id);
  }

  /**
   * Brings every view that is in use up to the mesh; those with much to do when it is their turn. `ofClusters`: what is dirty in the views of
   * single clusters alone.
   */
  update(dirty: ReadonlySet<ServiceKey>, ofClusters: ReadonlyMap<string, ReadonlySet<ServiceKey>> = new Map()): void {
    const untilMs = this.#options.now() + sliceMs;
    for (const view of [...this.#views.values()]) {
      view.mark(dirty);
      view.mark(ofClusters.get(view.scope.cluster) ?? []);
      if (view.users === 0) this.#lapse(view);
      else if (this.#working.has(view)) continue;
      else if (this.#options.now() >= untilMs && this.#enqueue(view)) continue;
      else this.#work(view, untilMs);
    }
  }

  #lapse(view: ScopeView): void {
    if (!view.isCurrent) return;
    view.lapse();
    this.#options.changed(view, new Map());
  }

  /** False: it was worked off at once. */
  #enqueue(view: ScopeView): boolean {
    if (this.#working.has(view)) return true;
    const job: Job = {
      turn: () => {
        if (this.#working.get(view) !== job) return;
        this.#working.delete(view);
        this.#work(view, this.#options.now() + sliceMs);
      },
    };
    if (this.#options.enqueue(job)) {
      this.#working.set(view, job);
      return true;
    }
    this.#work(view, Number.POSITIVE_INFINITY);
    return false;
  }

  #work(view: ScopeView, untilMs: number): void {
    const { meshFor, now, changed } = this.#options;
    const changes = view.work(meshFor(view.scope), () => now() >= untilMs);
    if (changes !== undefined) changed(view, changes);
    else this.#enqueue(view);
  }
}

/** Equal scopes, equal ids: every field of the scope is in it, in a fixed order. */
export function scopeId(scope: Scope): string {
  const { cluster, network, namespace, mode, outbound, inboundAddress, inbound, routes, answers, egress, rejected } =
    scope;
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
    answers === undefined ? null : [answers.region, answers.zone, answers.node, answers.selectors],
    egress ?? '',
    rejected,
  ]);
}
