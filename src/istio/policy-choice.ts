/** Which DestinationRule's policy is in force for a service. A TrafficRule's policy is for all clients: one that is for some is told, and left out. */

import type { ServiceName } from './hosts.ts';
import { type Notes, nameOf } from './notes.ts';
import { child, type IstioObject, type Part, specOf } from './parts.ts';
import { type PolicySpec, policyOf } from './policy.ts';
import { audienceOf } from './visibility.ts';

/** Istio's root namespace: what is there is for all namespaces. */
const rootNamespace = 'istio-system';

export interface ChosenPolicy {
  readonly source: IstioObject;
  readonly at: Part;
  readonly spec: PolicySpec;
}

/** `rules`: those for the service, the one that goes first first. */
export function chosenPolicy(
  service: ServiceName,
  rules: readonly IstioObject[],
  notes: Notes,
): Omit<ChosenPolicy, 'spec'> | undefined {
  const having = rules.flatMap((source) => {
    const at = child(specOf(source), 'trafficPolicy');
    return at === undefined ? [] : [{ source, at }];
  });
  const general = having.filter(({ source, at }) => isForAll(service, source, at, notes));
  const [winner, ...losers] = general;
  if (winner === undefined) return undefined;
  for (const { at } of losers) {
    notes.error(
      'FW-ISTIO-016',
      at,
      `the policy of ${nameOf(winner.source)} for ${service.name}.${service.namespace} goes before this one`,
    );
  }
  return winner;
}

/** As before. `isOutside`: the service is a ServiceEntry's hosts. */
export function policyFor(
  service: ServiceName,
  rules: readonly IstioObject[],
  isOutside: boolean,
  notes: Notes,
): ChosenPolicy | undefined {
  const winner = chosenPolicy(service, rules, notes);
  if (winner === undefined) return undefined;
  const before = notes.errors;
  const spec = policyOf(winner.at, isOutside, notes);
  return notes.errors > before || Object.keys(spec).length === 0 ? undefined : { ...winner, spec };
}

function isForAll(service: ServiceName, source: IstioObject, at: Part, notes: Notes): boolean {
  const selector = child(specOf(source), 'workloadSelector');
  if (selector !== undefined) {
    notes.error(
      'FW-ISTIO-015',
      selector,
      'a policy for the clients of some workloads has no equal here: it is left out',
    );
    return false;
  }
  if (source.namespace !== service.namespace && source.namespace !== rootNamespace) {
    const message = `in namespace ${source.namespace} the policy is for the clients there alone, and ${service.name} is in ${service.namespace}: it is left out`;
    notes.error('FW-ISTIO-015', at, message);
    return false;
  }
  const audience = audienceOf(source);
  if (audience === undefined) return true;
  const exportTo = child(specOf(source), 'exportTo') ?? at;
  notes.error(
    'FW-ISTIO-015',
    exportTo,
    `the policy is for clients in ${audience.join(', ') || 'no namespace'} alone: it is left out`,
    'Remove exportTo',
  );
  return false;
}
