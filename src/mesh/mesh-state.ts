/**
 * The mesh as it is now, kept up with the catalog and the rules: told which services are dirty, it compiles those anew and nothing else.
 * Remembers for each service with a rule the forms that were in force before the present one: what a proxy goes on with that rejects it.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Mesh, MeshService, MeshSettings } from '../model/mesh.ts';
import { ruleId, type TrafficRule } from '../model/rule.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { compileService } from './compile.ts';

export interface MeshInputs {
  readonly services: Pick<ReadonlyMap<ServiceKey, CatalogService>, 'get'>;
  /** The rule in force per service. */
  readonly rules: ReadonlyMap<ServiceKey, TrafficRule>;
}

interface RuleHistory {
  readonly present: TrafficRule;
  /** Distinct earlier forms, the newest first. */
  readonly earlier: readonly TrafficRule[];
  /** The mesh revision that brought `present` into force. */
  readonly since: number;
  /** The mesh revision in which proxies last came to see more of it: `since`, or one in which its service got other ports, or came at all. */
  readonly shown: number;
}

/** How many earlier forms of a rule a proxy may fall back to. */
const earlierMax = 4;

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
        if (rule !== undefined && !isDeepStrictEqual(before?.catalog.ports, catalog.ports)) this.#show(key, revision);
        this.#services.set(key, compileService(catalog, rule));
        changed.add(key);
      }
    }
    if (changed.size > 0 || rulesChanged) this.#mesh = { revision, settings: this.#settings, services: this.#services };
    return changed;
  }

  /** The revision since which this form of the rule is in force for its service; undefined: it is not, or not yet. */
  ruleSince(rule: TrafficRule): number | undefined {
    const history = this.#history.get(rule.service);
    return history !== undefined && isSameForm(history.present, rule) ? history.since : undefined;
  }

  /** Services whose rule proxies saw for the first time, or more of it, after revision `after` and up to `upTo`. */
  ruleChanges(after: number, upTo: number): ServiceKey[] {
    const isBetween = (revision: number): boolean => revision > after && revision <= upTo;
    return [...this.#history]
      .filter(([, { since, shown }]) => isBetween(since) || isBetween(shown))
      .map(([key]) => key);
  }

  /** Every form that is in force or may be fallen back to. */
  *ruleForms(): Generator<TrafficRule> {
    for (const { present, earlier } of this.#history.values()) {
      yield present;
      yield* earlier;
    }
  }

  /** The newest form of the service's rule that is not set aside; undefined: it goes without a rule. */
  ruleWithout(key: ServiceKey, isAside: (rule: TrafficRule) => boolean): TrafficRule | undefined {
    const history = this.#history.get(key);
    if (history === undefined) return undefined;
    return isAside(history.present) ? history.earlier.find((rule) => !isAside(rule)) : history.present;
  }

  /**
   * The mesh as a proxy sees it for which some forms of rules are set aside: their services are compiled with the newest form that is not, or
   * without a rule if there is none. Costs a copy of the service table, so it is for the few proxies that reject something.
   */
  without(isAside: (rule: TrafficRule) => boolean): Mesh {
    const services = new Map(this.#services);
    for (const [key, { present }] of this.#history) {
      const catalog = this.#inputs.services.get(key);
      if (catalog !== undefined && isAside(present))
        services.set(key, this.#compiled(catalog, this.ruleWithout(key, isAside)));
    }
    return { ...this.#mesh, services };
  }

  /** Other forms than those in force, compiled: the same object as long as nothing changes, so that what was made from it is found again. */
  readonly #others = new WeakMap<CatalogService, Map<TrafficRule | undefined, MeshService>>();

  #compiled(catalog: CatalogService, rule: TrafficRule | undefined): MeshService {
    let byRule = this.#others.get(catalog);
    if (byRule === undefined) {
      byRule = new Map();
      this.#others.set(catalog, byRule);
    }
    let compiled = byRule.get(rule);
    if (compiled === undefined) {
      compiled = compileService(catalog, rule);
      byRule.set(rule, compiled);
    }
    return compiled;
  }

  #show(key: ServiceKey, revision: number): void {
    const history = this.#history.get(key);
    if (history !== undefined) this.#history.set(key, { ...history, shown: revision });
  }

  /** Says whether the service's rule is another than before. */
  #remember(key: ServiceKey, rule: TrafficRule | undefined, revision: number): boolean {
    const known = this.#history.get(key);
    if (known?.present === rule) return false;
    if (rule === undefined) this.#history.delete(key);
    else if (known === undefined)
      this.#history.set(key, { present: rule, earlier: [], since: revision, shown: revision });
    // The same form under a new generation or origin: proxies that hold it, hold it.
    else if (isSameForm(known.present, rule)) this.#history.set(key, { ...known, present: rule });
    else {
      const earlier = [known.present, ...known.earlier].filter((form) => !isSameForm(form, rule)).slice(0, earlierMax);
      this.#history.set(key, { present: rule, earlier, since: revision, shown: revision });
    }
    return true;
  }
}

function isSameForm(a: TrafficRule, b: TrafficRule): boolean {
  return a.hash === b.hash && ruleId(a.ref) === ruleId(b.ref);
}
