/** Which kind a person means by a word: one that the pilot reports, or one that people apply. */

import { allKinds } from '../kinds/all-kinds.ts';
import { type AnyKind, groupOf } from '../rules/objects/kind-types.ts';
import { trafficRuleKind } from '../rules/traffic-rule/kind.ts';
import type { ReportByKind } from './admin-client.ts';
import { usageError } from './failure.ts';

export type GetKind = keyof ReportByKind;

const reports: ReadonlyMap<string, GetKind> = new Map([
  ...(['clusters', 'cluster'] as const).map((name) => [name, 'clusters'] as const),
  ...(['services', 'service', 'svc'] as const).map((name) => [name, 'services'] as const),
  ...(['endpoints', 'endpoint', 'ep'] as const).map((name) => [name, 'endpoints'] as const),
  ...(['rules', 'rule'] as const).map((name) => [name, 'rules'] as const),
  ...(['kinds', 'kind'] as const).map((name) => [name, 'kinds'] as const),
  ...(['proxies', 'proxy'] as const).map((name) => [name, 'proxies'] as const),
]);

/** A name: one of the pilot's own reports, TrafficRules among them. Else the kind of object. @throws CommandFailure FW-CLI-030 */
export function readKind(text: string): GetKind | AnyKind {
  const word = text.toLowerCase();
  const object = allKinds.called(word);
  const kind = reports.get(word) ?? (object === trafficRuleKind ? 'rules' : object);
  if (kind !== undefined) return kind;
  throw usageError({
    code: 'FW-CLI-030',
    message: `there is no kind ${JSON.stringify(text)}`,
    hint: `Use clusters, services, endpoints, proxies, kinds, rules, or ${allKinds.rows
      .filter((row) => row !== trafficRuleKind)
      .map(({ plural }) => plural)
      .join(', ')}`,
  });
}

/** What people apply and delete. As `-o name` prints it (`trafficrule.fairway.dev`) is taken too. @throws CommandFailure FW-CLI-043 */
export function readObjectKind(text: string): AnyKind {
  const kind = readKind(text);
  if (kind === 'rules') return trafficRuleKind;
  if (typeof kind === 'object') return kind;
  throw usageError({
    code: 'FW-CLI-043',
    message: `${text} cannot be deleted here`,
    hint: 'Rules and other kinds of objects can be; change services and clusters where they come from',
  });
}

/** As kubectl's `-o name` prints it: `httproute.gateway.networking.k8s.io/reviews`. */
export function resourceName(kind: string, name: string): string {
  const row = allKinds.named(kind);
  return `${kind.toLowerCase()}.${row === undefined ? 'fairway.dev' : groupOf(row)}/${name}`;
}
