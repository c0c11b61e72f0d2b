/**
 * What all exports of one service make together: the clusterset service. In: every cluster's shard of the service, in any order. Out: the service
 * as the clusterset is to see it, and every conflict between its exports; undefined where nobody exports it.
 *
 * What always holds: the result depends on the exports alone, not on their order; a cluster that does not export takes no part; where values
 * differ the oldest export's counts (order.ts) and the rest are named.
 */

import { type IpFamily, type ServiceKey, type ServiceShard, serviceKey } from '../model/service.ts';
import { type ClustersetPort, type Disagreement, mergePorts } from './merge-ports.ts';
import { byPrecedence, type ExportedShard } from './order.ts';

/** In the order in which they are said. */
export const conflictReasons = [
  'PortConflict',
  'TypeConflict',
  'SessionAffinityConflict',
  'SessionAffinityConfigConflict',
  'LabelsConflict',
  'AnnotationsConflict',
  'InternalTrafficPolicyConflict',
  'TrafficDistributionConflict',
  'IPFamilyConflict',
] as const;

export type ConflictReason = (typeof conflictReasons)[number];

export interface ExportConflict {
  readonly reason: ConflictReason;
  /** For people. */
  readonly message: string;
}

export interface ClustersetService {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ClusterSetIP' | 'Headless';
  /** Sorted by number, then protocol. */
  readonly ports: readonly ClustersetPort[];
  readonly sessionAffinity: 'None' | 'ClientIP';
  readonly affinitySeconds?: number;
  readonly internalTrafficPolicy?: 'Cluster' | 'Local';
  readonly trafficDistribution?: string;
  readonly ipFamilies: readonly IpFamily[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** By cluster, sorted: who exports it. */
  readonly exports: ReadonlyMap<string, ExportedShard>;
  /** Whose properties count. */
  readonly oldest: string;
  /** In the order of `conflictReasons`. */
  readonly conflicts: readonly ExportConflict[];
}

export function clustersetService(shards: Iterable<ServiceShard>): ClustersetService | undefined {
  const exports = byPrecedence(shards);
  const oldest = exports[0];
  if (oldest === undefined) return undefined;
  const { export: wins, namespace, name } = oldest;
  const { ports, disagreements } = mergePorts(exports);
  const conflicts = new Map<ConflictReason, string>();
  if (disagreements.length > 0) conflicts.set('PortConflict', conflictWords('ports', 'others', oldest, disagreements));
  for (const { reason, what, valueOf } of properties) {
    const value = valueOf(oldest);
    const others = exports.filter((one) => valueOf(one) !== value);
    if (value === undefined || others.length === 0) continue;
    const said = others.flatMap((one) => {
      const text = valueOf(one);
      return text === undefined ? [] : [{ cluster: one.cluster, text }];
    });
    if (said.length > 0) conflicts.set(reason, conflictWords(what, value, oldest, said));
  }
  return {
    key: serviceKey(namespace, name),
    namespace,
    name,
    type: typeOf(oldest),
    ports,
    sessionAffinity: wins.sessionAffinity,
    ...(wins.affinitySeconds === undefined ? {} : { affinitySeconds: wins.affinitySeconds }),
    ...(wins.internalTrafficPolicy === undefined ? {} : { internalTrafficPolicy: wins.internalTrafficPolicy }),
    ...(wins.trafficDistribution === undefined ? {} : { trafficDistribution: wins.trafficDistribution }),
    ipFamilies: wins.ipFamilies,
    labels: wins.labels,
    annotations: wins.annotations,
    exports: new Map(
      exports.toSorted((a, b) => (a.cluster < b.cluster ? -1 : 1)).map((shard) => [shard.cluster, shard]),
    ),
    oldest: oldest.cluster,
    conflicts: conflictReasons.flatMap((reason) => {
      const message = conflicts.get(reason);
      return message === undefined ? [] : [{ reason, message }];
    }),
  };
}

interface Property {
  readonly reason: ConflictReason;
  readonly what: string;
  /** For comparing and for people; undefined: there is nothing to compare. */
  readonly valueOf: (shard: ExportedShard) => string | undefined;
}

const properties: readonly Property[] = [
  { reason: 'TypeConflict', what: 'type', valueOf: typeOf },
  {
    reason: 'SessionAffinityConflict',
    what: 'sessionAffinity',
    valueOf: ({ export: { sessionAffinity } }) => sessionAffinity,
  },
  {
    reason: 'SessionAffinityConfigConflict',
    what: 'sessionAffinityConfig',
    // Without affinity there is no config, and that is a conflict of its own.
    valueOf: ({ export: { sessionAffinity, affinitySeconds } }) =>
      sessionAffinity === 'None' ? undefined : `${affinitySeconds ?? 'default'} seconds`,
  },
  { reason: 'LabelsConflict', what: 'exportedLabels', valueOf: ({ export: { labels } }) => canonical(labels) },
  {
    reason: 'AnnotationsConflict',
    what: 'exportedAnnotations',
    valueOf: ({ export: { annotations } }) => canonical(annotations),
  },
  {
    reason: 'InternalTrafficPolicyConflict',
    what: 'internalTrafficPolicy',
    valueOf: ({ export: { internalTrafficPolicy } }) => internalTrafficPolicy ?? 'Cluster',
  },
  {
    reason: 'TrafficDistributionConflict',
    what: 'trafficDistribution',
    valueOf: ({ export: { trafficDistribution } }) => trafficDistribution ?? 'not set',
  },
  {
    reason: 'IPFamilyConflict',
    what: 'ipFamilies',
    // Which of them comes first is no disagreement: either way every backend has both.
    valueOf: ({ export: { ipFamilies } }) => ipFamilies.toSorted().join(' and ') || 'not set',
  },
];

function typeOf({ headless }: ExportedShard): 'ClusterSetIP' | 'Headless' {
  return headless ? 'Headless' : 'ClusterSetIP';
}

/** Cut to what a line holds. */
function canonical(values: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Clusters named before the rest is only counted; of what each says, this many characters. */
const namedMax = 5;
const saidMax = 200;

function conflictWords(what: string, value: string, oldest: ExportedShard, said: readonly Disagreement[]): string {
  const sorted = said.toSorted((a, b) => (a.cluster < b.cluster ? -1 : a.cluster > b.cluster ? 1 : 0));
  const words = sorted.slice(0, namedMax).map(({ cluster, text }) => `${cut(text)} in ${cluster}`);
  const rest = sorted.length - words.length;
  const others = `${words.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  if (what === 'ports')
    return `the ports differ; those of ${oldest.cluster}, the oldest export, count first: ${others}`;
  return `${what} is ${cut(value)} in ${oldest.cluster}, the oldest export, which counts; it is ${others}`;
}

function cut(text: string): string {
  return text.length <= saidMax ? text : `${text.slice(0, saidMax)}…`;
}
