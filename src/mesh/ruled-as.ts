/**
 * Under which key the rule in force for a service stands: its own, but for hosts outside, of which an ExternalService has several and one name.
 * What always holds: a service of that name goes before, and then the hosts have no rule.
 */

import type { CatalogService, ServiceKey } from '../model/service.ts';

/** Keys of services for which rules stand under the key of another. */
export type RuledAs = (key: ServiceKey) => Iterable<ServiceKey>;

export function ruleOf<Rule>(
  key: ServiceKey,
  rules: { get(key: ServiceKey): Rule | undefined } | undefined,
  services: { get(key: ServiceKey): CatalogService | undefined },
): Rule | undefined {
  const name = services.get(key)?.ruledAs;
  if (name === undefined) return rules?.get(key);
  return services.get(name) === undefined ? rules?.get(name) : undefined;
}
