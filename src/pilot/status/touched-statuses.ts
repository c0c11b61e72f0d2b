/**
 * Which statuses are to be judged again: what happens in the pilot goes in, and each keeper of statuses is told of what may concern it. A batch
 * concerns what it looked at, an acknowledgement what some proxy does not hold yet; who comes, goes or refuses concerns all.
 *
 * What always holds: keepers are told after the mesh has taken up what happened.
 */

import { exportedKey } from '../../model/clusterset.ts';
import type { CatalogService, ServiceKey } from '../../model/service.ts';
import type { Link } from './status-keeper.ts';

/** A keeper of statuses. */
export interface Touchable {
  touch(): void;
  touchLinks(links: Iterable<Link>): void;
  touchProgress(): void;
}

export interface TouchedInputs {
  readonly keepers: () => Iterable<Touchable>;
  /** Some proxy sets something aside, or did when this was last asked: who does is counted otherwise than all. */
  readonly takeApart: () => boolean;
  readonly serviceOf: (key: ServiceKey) => CatalogService | undefined;
}

export class TouchedStatuses {
  readonly #inputs: TouchedInputs;
  #noted = new Set<Link>();

  constructor(inputs: TouchedInputs) {
    this.#inputs = inputs;
  }

  all(): void {
    for (const keeper of this.#inputs.keepers()) keeper.touch();
  }

  /** With the next batch. */
  note(links: Iterable<Link>): void {
    for (const link of links) this.#noted.add(link);
  }

  /** `services`: what a batch changed or looked at. */
  batch(...services: readonly ReadonlySet<ServiceKey>[]): void {
    const links = this.#noted;
    this.#noted = new Set();
    if (this.#inputs.takeApart()) return this.all();
    for (const key of services.flatMap((keys) => [...keys])) {
      links.add(key);
      // Rules are for the service that is exported, and for the object whose host it is.
      links.add(exportedKey(key));
      const { ruledAs } = this.#inputs.serviceOf(key) ?? {};
      if (ruledAs !== undefined) links.add(ruledAs);
    }
    for (const keeper of this.#inputs.keepers()) keeper.touchLinks(links);
  }

  acknowledged(): void {
    if (this.#inputs.takeApart()) return this.all();
    for (const keeper of this.#inputs.keepers()) keeper.touchProgress();
  }
}
