/** Which kind a person means by a word: one that the pilot reports, or one that people apply. */

import type { ObjectKind } from '../rules/kind-types.ts';
import { kindCalled } from '../rules/kinds.ts';
import { trafficRuleKind } from '../rules/rule-kind.ts';
import type { ReportByKind } from './admin-client.ts';
import { usageError } from './failure.ts';

export type GetKind = keyof ReportByKind;

const reports: ReadonlyMap<string, GetKind> = new Map([
  ...(['clusters', 'cluster'] as const).map((name) => [name, 'clusters'] as const),
  ...(['services', 'service', 'svc'] as const).map((name) => [name, 'services'] as const),
  ...(['endpoints', 'endpoint', 'ep'] as const).map((name) => [name, 'endpoints'] as const),
  ...(['rules', 'rule'] as const).map((name) => [name, 'rules'] as const),
  ...(['proxies', 'proxy'] as const).map((name) => [name, 'proxies'] as const),
]);

/** A name: one of the pilot's own reports, TrafficRules among them. Else the kind of object. @throws CommandFailure FW-CLI-030 */
export function readKind(text: string): GetKind | ObjectKind {
  const word = text.toLowerCase();
  const object = kindCalled(word);
  const kind = reports.get(word) ?? (object === trafficRuleKind ? 'rules' : object);
  if (kind !== undefined) return kind;
  throw usageError({
    code: 'FW-CLI-030',
    message: `there is no kind ${JSON.stringify(text)}`,
    hint: 'Use clusters, services, endpoints, rules, externalservices, clusterpolicies, drains or proxies',
  });
}

/** What people apply and delete. `trafficrule.fairway.dev`, as `-o name` prints it, is taken too. @throws CommandFailure FW-CLI-043 */
export function readObjectKind(text: string): ObjectKind {
  const kind = readKind(text.replace(/\.fairway\.dev$/, ''));
  if (kind === 'rules') return trafficRuleKind;
  if (typeof kind === 'object') return kind;
  throw usageError({
    code: 'FW-CLI-043',
    message: `${text} cannot be deleted here`,
    hint: 'Only rules and other objects of fairway.dev are kept by Fairway; change services and clusters where they come from',
  });
}
