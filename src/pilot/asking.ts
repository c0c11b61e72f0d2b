/**
 * Services ask proxies for their place and labels (scope-inputs.ts), and what they ask changes. In: services as they change in the mesh. Out:
 * proxies in the scopes that answer, and which of these services views may learn of now.
 *
 * What always holds: nobody is given what depends on an answer before every proxy whose answer it is has a view that holds it. A view without
 * the answer would apply a rule wrongly to those who are about to leave it. So the services that ask stay for everyone as they were, until the
 * last of these proxies has arrived; in a pilot that builds views at once that is never.
 */

import type { Mesh } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Proxies, Proxy } from './proxies.ts';
import { type QuestionChange, type ScopeInputs, satisfies } from './scope-inputs.ts';

const noChange: QuestionChange = { places: false, selectors: new Set(), askers: new Set() };

export class Asking {
  readonly #inputs: ScopeInputs;
  readonly #proxies: Proxies;
  /** Services that ask what nobody asked before. */
  readonly #heldBack = new Set<ServiceKey>();
  /** Proxies that wait for a view that answers. */
  readonly #waiting = new Set<Proxy>();

  constructor(inputs: ScopeInputs, proxies: Proxies) {
    this.#inputs = inputs;
    this.#proxies = proxies;
  }

  /** `changed`: services that are another than before. Returns those of them that views may learn of. */
  ask(mesh: Mesh, changed: ReadonlySet<ServiceKey>): ReadonlySet<ServiceKey> {
    const { places, selectors, askers } = this.#inputs.update(mesh, changed) ?? noChange;
    const waiting = this.#proxies.questionsChanged(
      ({ identity, quarantine }) =>
        // Who sees another mesh than all is asked other things.
        places || !quarantine.isEmpty() || [...selectors].some((selector) => satisfies(identity.labels, selector)),
    );
    if (askers.size > 0 && waiting.length > 0) {
      for (const proxy of waiting) this.#waiting.add(proxy);
      for (const key of askers) this.#heldBack.add(key);
    }
    return changed.difference(this.#heldBack);
  }

  /** Clusters may be elsewhere. */
  placesChanged(): void {
    const { region, zone } = this.#inputs.questions;
    if (region || zone) this.#proxies.questionsChanged(() => true);
  }

  /** Something is held back without need. */
  get isOver(): boolean {
    if (this.#heldBack.size === 0) return false;
    for (const proxy of this.#waiting) if (proxy.next === undefined) this.#waiting.delete(proxy);
    return this.#waiting.size === 0;
  }

  /** Services that were held back and need not be any more, once. */
  release(): ReadonlySet<ServiceKey> {
    if (!this.isOver) return new Set();
    const services = new Set(this.#heldBack);
    this.#heldBack.clear();
    return services;
  }
}
