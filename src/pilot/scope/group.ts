/**
 * Views that stand on one base. In: services that may have changed, for all or for the proxies of single clusters, and time to work. Out: word
 * that everything is in.
 *
 * What always holds: the base comes first, then what is other in each view; and it is told in one go, base and all views together, when
 * nothing is left to do in any of them. Views that are not current take no part: they catch up by themselves while the others are at rest.
 */

import type { Mesh, Scope } from '../../model/mesh.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { ScopeBase } from './base.ts';
import type { ScopeView } from './view.ts';

export class ScopeGroup {
  readonly base: ScopeBase;
  readonly views = new Set<ScopeView>();
  /** The base has moved on, and not all has been told yet. */
  #isMoving = false;

  constructor(base: ScopeBase) {
    this.base = base;
  }

  get isUsed(): boolean {
    for (const { users } of this.views) if (users > 0) return true;
    return false;
  }

  /** Views may catch up with the base. */
  get isAtRest(): boolean {
    return this.base.ready && !this.#isMoving && !this.base.isMarked;
  }

  /** `ofClusters`: what may have changed for the proxies of single clusters alone. */
  mark(dirty: ReadonlySet<ServiceKey>, ofClusters: ReadonlyMap<string, ReadonlySet<ServiceKey>>): void {
    this.base.mark(dirty);
    this.base.mark(ofClusters.get(this.base.scope.cluster) ?? []);
    for (const view of this.views) {
      const own = ofClusters.get(view.scope.cluster);
      if (own !== undefined) view.mark([...own]);
    }
  }

  /** Works off what is marked, in the base and in the views that are current, until there is nothing or `isTimeUp`. Returns whether there is nothing. */
  work(meshFor: (scope: Scope) => Mesh, isTimeUp: () => boolean): boolean {
    this.#isMoving = true;
    do {
      if (!this.base.work(meshFor(this.base.scope), isTimeUp)) return false;
      const affected = this.base.takeAffected();
      for (const view of this.views) if (affected.size > 0) view.mark(affected);
      for (const view of this.current()) {
        if (!view.work(meshFor(view.scope), isTimeUp)) return false;
      }
    } while (this.base.isMarked);
    this.#isMoving = false;
    return true;
  }

  /** In use, and answered from. */
  current(): ScopeView[] {
    return [...this.views].filter(({ users, isCurrent }) => users > 0 && isCurrent);
  }

  /** In use, and not answered from yet. */
  behind(): ScopeView[] {
    return [...this.views].filter(({ users, isCurrent }) => users > 0 && !isCurrent);
  }
}
