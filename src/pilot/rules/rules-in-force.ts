/**
 * The rule in force per service, out of all that says something of routing: TrafficRules, and standard objects translated into the same words.
 *
 * In: layers, each with at most one rule per service, the strongest first. Out: one live table. What always holds: the strongest layer that
 * has routes for a service decides them all, and the strongest that has a policy decides it; so a TrafficRule without routes gives a service
 * its policy, whoever routes it. A service that one layer alone speaks of has that layer's very rule. The outcome depends on what the layers
 * hold, not on the order in which they changed.
 */

import { ruleId, type TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';

/** Live: whoever changes it calls `changed`. */
export type RuleLayer = Pick<ReadonlyMap<ServiceKey, TrafficRule>, 'get'>;

interface Combined {
  readonly routes: TrafficRule;
  readonly policy: TrafficRule;
  readonly rule: TrafficRule;
}

export class RulesInForce {
  readonly #layers: readonly RuleLayer[];
  readonly #table = new Map<ServiceKey, TrafficRule>();
  /** Those made of two. */
  readonly #combined = new Map<ServiceKey, Combined>();

  constructor(layers: readonly RuleLayer[]) {
    this.#layers = layers;
  }

  /** Live. */
  get table(): ReadonlyMap<ServiceKey, TrafficRule> {
    return this.#table;
  }

  /** What a layer says of these services may be another. */
  changed(services: Iterable<ServiceKey>): void {
    for (const service of services) {
      const rule = this.#choose(service);
      if (rule === undefined) this.#table.delete(service);
      else this.#table.set(service, rule);
    }
  }

  /** The rule in force that this one is a part of: itself where it is alone, or not in force. */
  carrier(rule: TrafficRule): TrafficRule {
    const combined = this.#combined.get(rule.service);
    if (combined === undefined) return rule;
    return isSameForm(combined.routes, rule) || isSameForm(combined.policy, rule) ? combined.rule : rule;
  }

  /** What would be in force if these layers said this of a service. */
  with(service: ServiceKey, said: ReadonlyMap<RuleLayer, TrafficRule | undefined>): TrafficRule | undefined {
    const of = (layer: RuleLayer): TrafficRule | undefined => (said.has(layer) ? said.get(layer) : layer.get(service));
    const { routes, policy } = chosen(this.#layers.flatMap((layer) => of(layer) ?? []));
    return routes === undefined || policy === undefined || routes === policy ? routes : combine(routes, policy);
  }

  #choose(service: ServiceKey): TrafficRule | undefined {
    const { routes, policy } = chosen(this.#layers.flatMap((layer) => layer.get(service) ?? []));
    if (routes === undefined || policy === undefined || routes === policy) {
      this.#combined.delete(service);
      return routes;
    }
    const known = this.#combined.get(service);
    if (known?.routes === routes && known.policy === policy) return known.rule;
    const rule = combine(routes, policy);
    this.#combined.set(service, { routes, policy, rule });
    return rule;
  }
}

interface Chosen {
  readonly routes: TrafficRule | undefined;
  readonly policy: TrafficRule | undefined;
}

/** `rules`: the strongest first. */
function chosen(rules: readonly TrafficRule[]): Chosen {
  const routes = rules.find(({ policyOnly }) => policyOnly !== true) ?? rules[0];
  return { routes, policy: rules.find((rule) => rule.policy !== undefined) ?? routes };
}

function combine(routes: TrafficRule, policy: TrafficRule): TrafficRule {
  return {
    ...routes,
    ...(policy.policy === undefined ? {} : { policy: policy.policy }),
    // Names of objects hold no `+`.
    ref: { ...routes.ref, name: `${routes.ref.name}+${policy.ref.name}` },
    hash: `${routes.hash}+${policy.hash}`,
    origin: `${routes.origin}, ${policy.origin}`,
  };
}

function isSameForm(a: TrafficRule, b: TrafficRule): boolean {
  return a.hash === b.hash && ruleId(a.ref) === ruleId(b.ref);
}
