/**
 * Whose properties win where exports of one service disagree: the oldest export's, ties to the cluster whose name sorts first.
 *
 * A cluster's word for the age of its export is taken, for there is no other; but a time before the API existed, and none at all, count as the
 * youngest of all, and a time to come is younger than any that has been: so nobody wins by a time that cannot be. Whoever claims an old and
 * possible time decides how the service is to be used (ports, affinity, type), never who its endpoints are, and every disagreement is said on
 * all of its exports.
 */

import type { ServiceShard } from '../model/service.ts';

/** A shard that exports its service. */
export type ExportedShard = ServiceShard & Required<Pick<ServiceShard, 'export'>>;

/** The day on which the Multi-Cluster Services API was proposed: no export is older. */
export const firstExportMs = Date.UTC(2020, 1, 5);

/** Clocks may differ by this much before a time counts as one to come. */
const skewMs = 24 * 60 * 60 * 1000;

export function isExported(shard: ServiceShard): shard is ExportedShard {
  return shard.export !== undefined && shard.externalName === undefined && shard.importOf === undefined;
}

/** The exports among all clusters' shards of one service, the one that wins first. The order of `shards` does not matter. */
export function byPrecedence(shards: Iterable<ServiceShard>): ExportedShard[] {
  return [...shards].filter(isExported).sort((a, b) => compareAges(a, b) || compare(a.cluster, b.cluster));
}

/** Infinity does not subtract from itself. */
function compareAges(a: ExportedShard, b: ExportedShard): number {
  const [one, two] = [ageOf(a), ageOf(b)];
  return one === two ? 0 : one < two ? -1 : 1;
}

function ageOf({ export: { createdAtMs } }: ExportedShard): number {
  return createdAtMs >= firstExportMs ? createdAtMs : Number.POSITIVE_INFINITY;
}

/** The time that the export claims cannot be. A time that is not said at all (0) is no claim. */
export function isImpossible(createdAtMs: number, nowMs: number): boolean {
  return (createdAtMs !== 0 && createdAtMs < firstExportMs) || createdAtMs > nowMs + skewMs;
}

/** By code unit, the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
