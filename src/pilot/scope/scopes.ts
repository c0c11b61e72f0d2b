/**
 * The scopes in use, each with its view: proxies whose scopes are equal share one view, and so the very same bytes; and scopes that differ in
 * little share a base, so that a change costs once what is the same for all of them.
 *
 * In: who uses which scope, and which services changed. Out: views that say something else now. What always holds: a small change is in every
 * view when `update` returns; what takes longer (a first view, ten thousand services at once) is done in slices between which others have
 * their turn. A view that nobody uses costs nothing but its memory until somebody comes back to it.
 */

import type { Mesh, Scope } from '../../model/mesh.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { ResourceView } from '../../xds/view.ts';
import { ScopeFamilies } from './families.ts';
import type { ScopeGroup } from './group.ts';
import { ScopeView } from './view.ts';

/** How many scopes without a proxy are kept for those that come back. */
const idleScopesMax = 32;

/** How long one slice may take, ms; the last service of a slice may go beyond. */
const sliceMs = 4;

type Changes = ReadonlyMap<string, ReadonlySet<string>>;

export interface ScopesOptions {
  readonly isReady: () => boolean;
  /** The services that proxyless clients ask for; live. What comes or goes there is said by `wantedChanged`. Default: none. */
  readonly wanted?: ReadonlySet<ServiceKey>;
  /** The mesh as a scope sees it, which is the mesh but for scopes with rejections and clusters with rules of their own. The same object while nothing changes. */
  readonly meshFor: (scope: Scope) => Mesh;
  /** Monotonic, ms. */
  readonly now: () => number;
  /** Gives `job` its turn soon, once; false: nobody gives turns, and all is done at once. */
  readonly enqueue: (job: Job) => boolean;
  /**
   * These resources of a view, or of a base that views share, are others now, by type; or it can be answered from for the first time. Bases come
   * before the views that stand on them. For those who copy: the views are told one after the other.
   */
  readonly changed: (view: ResourceView, changes: Changes) => void;
  /** All views have been told of, and this one is current. */
  readonly caughtUp: (view: ScopeView) => void;
}

interface Job {
  turn(): void;
}

export class Scopes {
  readonly #options: ScopesOptions;
  readonly #views = new Map<string, ScopeView>();
  readonly #families: ScopeFamilies;
  readonly #groupOf = new Map<ScopeView, ScopeGroup>();
  /** Without a proxy, the longest first. */
  readonly #idle = new Set<ScopeView>();
  /** Groups with changes left to take over, and views with a first state, that wait for their turn. */
  readonly #working = new Map<ScopeGroup | ScopeView, Job>();

  constructor(options: ScopesOptions) {
    this.#options = options;
    this.#families = new ScopeFamilies(options.wanted ?? new Set());
  }

  views(): Iterable<ScopeView> {
    return this.#views.values();
  }

  /** Bases that views share. */
  *bases(): Generator<ResourceView, undefined> {
    for (const { base } of this.#families.groups()) yield base;
  }

  /** Groups and views that have not taken over all that changed. */
  get working(): number {
    return this.#working.size;
  }

  /** The view for a scope, made if it is new: then it is answered from later (`isCurrent`). Whoever acquires it releases it. */
  acquire(scope: Scope): ScopeView {
    const id = scopeId(scope);
    let view = this.#views.get(id);
    if (view === undefined) {
      const group = this.#families.join(id, scope, this.#options.meshFor(scope));
      view = new ScopeView(id, scope, group.base, this.#options.isReady);
      group.views.add(view);
      this.#groupOf.set(view, group);
      this.#views.set(id, view);
    }
    view.users += 1;
    this.#idle.delete(view);
    const group = this.#groupOf.get(view);
    if (!view.isCurrent && group !== undefined) this.#catchUp(view, group);
    return view;
  }

  release(view: ScopeView): void {
    view.users -= 1;
    if (view.users > 0) return;
    // What is half done is left so: if somebody comes back to it, it goes on.
    const group = this.#groupOf.get(view);
    if (this.#working.delete(view) || (group !== undefined && this.#working.has(group))) this.#lapse(view);
    this.#idle.add(view);
    if (this.#idle.size <= idleScopesMax) return;
    const [oldest] = this.#idle;
    if (oldest !== undefined) this.#forget(oldest);
  }

  /**
   * Brings every view that is in use up to the mesh; those with much to do when it is their turn. `ofClusters`: what is dirty in the views of
   * single clusters alone.
   */
  update(dirty: ReadonlySet<ServiceKey>, ofClusters: ReadonlyMap<string, ReadonlySet<ServiceKey>> = new Map()): void {
    const untilMs = this.#options.now() + sliceMs;
    for (const group of [...this.#families.groups()]) {
      for (const view of group.views) if (view.users === 0) this.#lapse(view);
      group.mark(dirty, ofClusters);
      if (!group.isUsed) this.#lapseBase(group);
      else if (this.#working.has(group)) continue;
      else if (this.#options.now() >= untilMs && this.#enqueue(group, () => this.#workGroup(group, this.#slice())))
        continue;
      else this.#workGroup(group, untilMs);
    }
  }

  /** Proxyless clients ask for other services: their views have them when this returns. */
  wantedChanged(services: ReadonlySet<ServiceKey>): void {
    for (const group of [...this.#families.groups()]) {
      if (group.base.scope.mode !== 'grpc') continue;
      group.mark(services, new Map());
      if (!group.isUsed || !group.base.ready) continue;
      this.#working.delete(group);
      this.#workGroup(group, Number.POSITIVE_INFINITY);
    }
  }

  #forget(view: ScopeView): void {
    const group = this.#groupOf.get(view);
    this.#idle.delete(view);
    this.#views.delete(view.id);
    this.#groupOf.delete(view);
    group?.views.delete(view);
    if (group === undefined || group.views.size > 0) return;
    this.#working.delete(group);
    this.#families.remove(group);
  }

  #lapse(view: ScopeView): void {
    const wasCurrent = view.isCurrent;
    view.lapse();
    if (wasCurrent) this.#options.changed(view, new Map());
  }

  #lapseBase(group: ScopeGroup): void {
    this.#working.delete(group);
    if (!group.base.ready) return;
    group.base.lapse();
    this.#options.changed(group.base, new Map());
  }

  /** A view that is not current: after its base, if that is not at rest. */
  #catchUp(view: ScopeView, group: ScopeGroup): void {
    if (group.isAtRest) this.#enqueueOrWork(view, () => this.#workView(view, group, this.#slice()));
    else this.#enqueueOrWork(group, () => this.#workGroup(group, this.#slice()));
  }

  #slice(): number {
    return this.#options.now() + sliceMs;
  }

  #enqueueOrWork(what: ScopeGroup | ScopeView, work: () => void): void {
    if (!this.#working.has(what) && !this.#enqueue(what, work)) work();
  }

  /** False: nobody gives turns. */
  #enqueue(what: ScopeGroup | ScopeView, work: () => void): boolean {
    const job: Job = {
      turn: () => {
        if (this.#working.get(what) !== job) return;
        this.#working.delete(what);
        work();
      },
    };
    if (!this.#options.enqueue(job)) return false;
    this.#working.set(what, job);
    return true;
  }

  #workGroup(group: ScopeGroup, untilMs: number): void {
    const { meshFor, now, changed, caughtUp } = this.#options;
    if (!group.isUsed) return this.#lapseBase(group);
    while (!group.work(meshFor, () => now() >= untilMs))
      if (this.#enqueue(group, () => this.#workGroup(group, this.#slice()))) return;
    changed(group.base, group.base.commit(meshFor(group.base.scope).revision));
    const current = group.current();
    const told = current.map((view) => [view, view.commit(meshFor(view.scope).revision)] as const);
    for (const [view, changes] of told) changed(view, changes);
    for (const view of group.behind()) this.#catchUp(view, group);
    for (const view of current) caughtUp(view);
  }

  #workView(view: ScopeView, group: ScopeGroup, untilMs: number): void {
    const { meshFor, now, changed, caughtUp } = this.#options;
    // The group says when it is at rest again.
    if (!group.isAtRest) return;
    while (!view.work(meshFor(view.scope), () => now() >= untilMs))
      if (this.#enqueue(view, () => this.#workView(view, group, this.#slice()))) return;
    changed(view, view.commit(group.base.revision));
    caughtUp(view);
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
