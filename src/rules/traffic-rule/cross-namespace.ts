/**
 * May a rule lead to services of other namespaces? In: a rule, and whether a namespace lets rules of another refer to a service. Out: the rule as it
 * counts: a backend that may not be referred to answers its share with an error, a mirror is left out, and the rest is as it was.
 *
 * What always holds: a rule that refers to nothing elsewhere, or only to what it may, is the very same object.
 */

import { anywhere, type OtherService, type RuleRoute, type TrafficRule } from '../../model/rule.ts';

/** Whether rules of the namespace `from` may lead to this service, which is of another namespace. */
export type Permits = (from: string, to: OtherService) => boolean;

/** The services of other namespaces that a rule leads to, once for each time that it does. */
export function servicesOfOtherNamespaces({ ref, routes }: TrafficRule): readonly OtherService[] {
  const all = routes.flatMap(({ backends, mirrors = [] }) => [...backends, ...mirrors].map(({ service }) => service));
  return all.filter((service) => service !== undefined && isElsewhere(ref.namespace, service)) as OtherService[];
}

export function isElsewhere(namespace: string, service: OtherService): boolean {
  return service.host === undefined && service.namespace !== namespace;
}

export function notPermitted(from: string, { namespace, name }: OtherService): string {
  return `no ReferenceGrant in ${namespace} lets TrafficRules of ${from} refer to Service ${name}`;
}

export function permittedRule(rule: TrafficRule, permits: Permits): TrafficRule {
  const from = rule.ref.namespace;
  const refused = new Set(
    servicesOfOtherNamespaces(rule).flatMap((to) => (permits(from, to) ? [] : [`${to.namespace}/${to.name}`])),
  );
  if (refused.size === 0) return rule;
  const isRefused = (to: OtherService | undefined): to is OtherService =>
    to !== undefined && isElsewhere(from, to) && refused.has(`${to.namespace}/${to.name}`);
  const routes = rule.routes.map((route): RuleRoute => {
    const { mirrors, ...rest } = route;
    const left = mirrors?.filter(({ service }) => !isRefused(service)) ?? [];
    const backends = route.backends.map((backend) => {
      const { service, ...others } = backend;
      return isRefused(service) ? { ...others, chain: [anywhere], refused: notPermitted(from, service) } : backend;
    });
    return { ...rest, backends, ...(left.length === 0 ? {} : { mirrors: left }) };
  });
  return { ...rule, routes, hash: `${rule.hash}-without-${[...refused].sort().join()}` };
}
