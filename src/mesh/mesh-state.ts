/**
 * The mesh as it is now, kept up with the catalog and the rules: told which services are dirty, it compiles those anew and nothing else.
 * Remembers for each service the rule that was in force before the present one, the form that a proxy keeps when it rejects the present one.
 */

import type { Mesh, MeshService, MeshSettings } from '../model/mesh.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { compileService } from './compile.ts';

export interface MeshInputs {
  readonly services: ReadonlyMap<ServiceKey, CatalogService>;
  /** The rule in force per service. */
  readonly rules: ReadonlyMap<ServiceKey, TrafficRule>;
}

interface RuleHistory {
  readonly present: TrafficRule | undefined;
  readonly previous: TrafficRule | undefined;
  /** The mesh revision that brought `present` into force. */
  readonly since: number;
}

export class MeshState {
  readonly #inputs: MeshInputs;
  readonly #settings: MeshSettings;
  readonly #services = new Map<ServiceKey, MeshService>();
  readonly #history = new Map<ServiceKey, RuleHistory>();
  #mesh: Mesh;

  constructor(inputs: MeshInputs, settings: MeshSettings) {
    this.#inputs = inputs;
    this.#settings = settings;
    this.#mesh = { revision: 0, settings, services: this.#services };
  }

  get mesh(): Mesh {
    return this.#mesh;
  }

  /** Compiles `dirty` anew; returns those that changed. Raises the revision if a service or a rule did, a rule for no service included. */
  update(dirty: Iterable<ServiceKey>): ReadonlySet<ServiceKey> {
    const revision = this.#mesh.revision + 1;
    const changed = new Set<ServiceKey>();
    let rulesChanged = false;
    for (const key of dirty) {
      const rule = this.#inputs.rules.get(key);
      const ruleChanged = this.#remember(key, rule, revision);
      rulesChanged ||= ruleChanged;
      const catalog = this.#inputs.services.get(key);
      const before = this.#services.get(key);
      if (catalog === undefined) {
        if (this.#services.delete(key)) changed.add(key);
      } else if (before === undefined || before.catalog !== catalog || ruleChanged) {
        this.#services.set(key, compileService(catalog, rule));
        changed.add(key);
      }
    }
    if (changed.size > 0 || rulesChanged) this.#mesh = { revision, settings: this.#settings, services: this.#services };
    return changed;
  }

  /** The revision since which the service's present rule (or its absence) is in force; 0 when it never had one. */
  ruleSince(key: ServiceKey): number {
    return this.#history.get(key)?.since ?? 0;
  }

  /** Services whose rule came into force after revision `after` and up to `upTo`. */
  ruleChanges(after: number, upTo: number): ServiceKey[] {
    return [...this.#history].filter(([, { since }]) => since > after && since <= upTo).map(([key]) => key);
  }

  /**
   * The mesh as a proxy sees it that rejected some rules' present form (`isRejected`): their services are compiled with the form before, or
   * without a rule if that one is rejected too. Costs a copy of the service table, so it is for the few proxies that reject something.
   */
  without(isRejected: (rule: TrafficRule) => boolean): Mesh {
    const services = new Map(this.#services);
    for (const [key, { present, previous }] of this.#history) {
      if (present === undefined || !isRejected(present)) continue;
      const catalog = this.#inputs.services.get(key);
      if (catalog === undefined) continue;
      services.set(
        key,
        this.#fallback(key, catalog, previous !== undefined && !isRejected(previous) ? previous : undefined),
      );
    }
    return { ...this.#mesh, services };
  }

  /** The same object as long as nothing changes, so that what was made from it is found again. */
  readonly #fallbacks = new Map<ServiceKey, MeshService>();

  #fallback(key: ServiceKey, catalog: CatalogService, rule: TrafficRule | undefined): MeshService {
    const known = this.#fallbacks.get(key);
    if (known !== undefined && known.catalog === catalog && known.rule === rule?.ref) return known;
    const compiled = compileService(catalog, rule);
    this.#fallbacks.set(key, compiled);
    return compiled;
  }

  #remember(key: ServiceKey, rule: TrafficRule | undefined, revision: number): boolean {
    const known = this.#history.get(key);
    if (known?.present === rule) return false;
    if (known !== undefined && known.present?.hash === rule?.hash) {
      // The same form under a new generation or origin: proxies that hold it, hold it.
      this.#history.set(key, { ...known, present: rule });
      return true;
    }
    this.#fallbacks.delete(key);
    this.#history.set(key, { present: rule, previous: known?.present, since: revision });
    return true;
  }
}
