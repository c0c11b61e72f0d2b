/**
 * Services ask proxies for their place and labels (scope/inputs.ts), and what they ask changes. In: services as they change in the mesh. Out:
 * proxies in the scopes that answer, and which of these services views may learn of now.
 *
 * What always holds: nobody is given what depends on an answer before every proxy whose answer it is has a view that holds it. A view without
 * the answer would apply a rule wrongly to those who are about to leave it. So the services that ask stay for everyone as they were, until the
 * last of these proxies has arrived; in a pilot that builds views at once that is never.
 */

import type { MemberDirt } from '../mesh/member-meshes.ts';
import type { Mesh } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import type { MemberQuestions } from './member-questions.ts';
import type { Proxies, Proxy } from './proxies/proxies.ts';
import { type QuestionChange, type ScopeInputs, satisfies } from './scope/inputs.ts';

const noChange: QuestionChange = { places: false, selectors: new Set(), askers: new Set() };

export class Asking {
  readonly #inputs: ScopeInputs;
  readonly #proxies: Proxies;
  readonly #members: MemberQuestions;
  /** Services that ask what nobody asked before. */
  readonly #heldBack = new Set<ServiceKey>();
  /** Proxies that wait for a view that answers. */
  readonly #waiting = new Set<Proxy>();

  constructor(inputs: ScopeInputs, proxies: Proxies, members: MemberQuestions) {
    this.#inputs = inputs;
    this.#proxies = proxies;
    this.#members = members;
  }

  /**
   * `changed`: services that are another than before; `ofMembers`: those that are it for the proxies of single clusters. Returns those of them
   * that views may learn of.
   */
  ask(
    mesh: Mesh,
    changed: ReadonlySet<ServiceKey>,
    ofMembers: MemberDirt,
  ): { readonly forAll: ReadonlySet<ServiceKey>; readonly forMembers: MemberDirt } {
    const { places, selectors, askers: ofAll } = this.#inputs.update(mesh, changed) ?? noChange;
    const own = this.#members.update(changed, ofMembers);
    const askers = ofAll.union(own.askers);
    const waiting = this.#proxies.questionsChanged(
      ({ identity, quarantine }) =>
        // Who sees another mesh than all is asked other things.
        places ||
        !quarantine.isEmpty() ||
        own.clusters.has(identity.cluster) ||
        [...selectors].some((selector) => satisfies(identity.labels, selector)),
    );
    if (askers.size > 0 && waiting.length > 0) {
      for (const proxy of waiting) this.#waiting.add(proxy);
      for (const key of askers) this.#heldBack.add(key);
    }
    return {
      forAll: changed.difference(this.#heldBack),
      forMembers:
        this.#heldBack.size === 0
          ? ofMembers
          : new Map([...ofMembers].map(([cluster, keys]) => [cluster, keys.difference(this.#heldBack)])),
    };
  }

  /** Clusters may be elsewhere. */
  placesChanged(): void {
    const { region, zone } = this.#inputs.questions;
    if (region || zone || this.#members.askPlaces) this.#proxies.questionsChanged(() => true);
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
