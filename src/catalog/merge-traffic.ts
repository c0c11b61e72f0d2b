/**
 * Which of several clusters' `internalTrafficPolicy` and `trafficDistribution` counts for a service: the oldest service's, as KEP-1645 says;
 * and what is said of those that say another thing.
 */

import type { CatalogService, ServiceConflict, ServiceShard } from '../model/service.ts';

type TrafficFields = Pick<CatalogService, 'internalTrafficPolicy' | 'trafficDistribution'>;

/** `byName`: of one service, sorted by cluster. `oldest` is one of them. */
export function mergeTraffic(
  oldest: ServiceShard,
  byName: readonly ServiceShard[],
): { readonly fields: TrafficFields; readonly conflicts: readonly ServiceConflict[] } {
  const { internalTrafficPolicy, trafficDistribution } = oldest;
  return {
    fields: {
      ...(internalTrafficPolicy === undefined ? {} : { internalTrafficPolicy }),
      ...(trafficDistribution === undefined ? {} : { trafficDistribution }),
    },
    conflicts: [
      ...conflictOf(
        'InternalTrafficPolicyConflict',
        oldest,
        byName,
        (shard) => shard.internalTrafficPolicy ?? 'Cluster',
      ),
      ...conflictOf('TrafficDistributionConflict', oldest, byName, (shard) => shard.trafficDistribution ?? 'not set'),
    ],
  };
}

const fieldNames = {
  InternalTrafficPolicyConflict: 'internalTrafficPolicy',
  TrafficDistributionConflict: 'trafficDistribution',
} as const;

function conflictOf(
  reason: keyof typeof fieldNames,
  oldest: ServiceShard,
  byName: readonly ServiceShard[],
  valueOf: (shard: ServiceShard) => string,
): readonly ServiceConflict[] {
  const wins = valueOf(oldest);
  const others = byName.filter((shard) => valueOf(shard) !== wins);
  if (others.length === 0) return [];
  const said = others.map((shard) => `${valueOf(shard)} in ${shard.cluster}`).join(', ');
  return [
    {
      reason,
      message: `${fieldNames[reason]} is ${wins} in ${oldest.cluster}, the oldest, which counts everywhere; it is ${said}`,
      winner: oldest.cluster,
      losers: others.map(({ cluster }) => cluster),
    },
  ];
}
