/**
 * TrafficRules as they count: without what they refer to in other namespaces and may not (src/rules/traffic-rule/cross-namespace.ts).
 *
 * In: the rules, and word of grants. Out: each rule's form, and the services whose rule may have another one. What always holds: forms follow
 * the rules and grants that there are, not the order in which they came; a rule that refers to nothing elsewhere costs one look. A table of its
 * own for each holder of rules, the primary and the members.
 */

import type { OtherService, TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import { type Permits, permittedRule, servicesOfOtherNamespaces } from '../../rules/traffic-rule/cross-namespace.ts';
import type { RuleLayer } from './rules-in-force.ts';

export class PermittedRules implements RuleLayer {
  readonly #rules: RuleLayer;
  readonly permits: Permits;
  readonly #elsewhere = new WeakMap<TrafficRule, readonly OtherService[]>();
  readonly #forms = new WeakMap<TrafficRule, TrafficRule>();
  /** By namespace, the services whose rules refer into it. */
  readonly #into = new Map<string, Set<ServiceKey>>();
  readonly #dirty = new Set<ServiceKey>();

  constructor(rules: RuleLayer, permits: Permits) {
    this.#rules = rules;
    this.permits = permits;
  }

  get(service: ServiceKey): TrafficRule | undefined {
    const rule = this.#rules.get(service);
    if (rule === undefined) return undefined;
    for (const { namespace } of this.#servicesOf(rule)) {
      const services = this.#into.get(namespace);
      if (services === undefined) this.#into.set(namespace, new Set([service]));
      else services.add(service);
    }
    return this.formOf(rule);
  }

  /** The same object as long as it is the same. */
  formOf(rule: TrafficRule): TrafficRule {
    if (this.#servicesOf(rule).length === 0) return rule;
    const form = permittedRule(rule, this.permits);
    const known = this.#forms.get(rule);
    if (known?.hash === form.hash) return known;
    this.#forms.set(rule, form);
    return form;
  }

  /** As it would be under other grants: the same object as now where that makes no difference. */
  formWith(rule: TrafficRule, permits: Permits): TrafficRule {
    const now = this.formOf(rule);
    const then = this.#servicesOf(rule).length === 0 ? rule : permittedRule(rule, permits);
    return now.hash === then.hash ? now : then;
  }

  /** The same for the rule of a service. */
  getWith(service: ServiceKey, permits: Permits): TrafficRule | undefined {
    const rule = this.#rules.get(service);
    return rule && this.formWith(rule, permits);
  }

  /** The services whose rule refers into this namespace, and some whose rule did. */
  servicesInto(namespace: string): Iterable<ServiceKey> {
    return this.#into.get(namespace) ?? [];
  }

  /** What this namespace (left out: any) lets others refer to may be other. */
  granted(namespace?: string): void {
    for (const into of namespace === undefined ? [...this.#into.keys()] : [namespace]) {
      for (const service of this.#into.get(into) ?? []) this.#dirty.add(service);
      // Those that still refer into it say so again when they are looked up.
      this.#into.delete(into);
    }
  }

  /** The services whose rule may count otherwise. */
  takeChanged(): ReadonlySet<ServiceKey> {
    const services = new Set(this.#dirty);
    this.#dirty.clear();
    return services;
  }

  #servicesOf(rule: TrafficRule): readonly OtherService[] {
    let services = this.#elsewhere.get(rule);
    if (services === undefined) {
      services = servicesOfOtherNamespaces(rule);
      this.#elsewhere.set(rule, services);
    }
    return services;
  }
}
