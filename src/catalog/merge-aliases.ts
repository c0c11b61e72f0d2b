/**
 * `type: ExternalName` in the merge: a name that stands for another, outside.
 *
 * A cluster that has the service itself goes before all that have an alias of its name, for an alias must not take a service away. Where all
 * clusters have an alias, the oldest one's counts for all. What loses is reported.
 */

import type { ServiceConflict, ServiceShard, Upstream } from '../model/service.ts';

export interface Unaliased {
  /** What is merged: the shards with the service itself, or else all. In the order given. */
  readonly shards: readonly ServiceShard[];
  /** undefined: some cluster has the service itself. */
  readonly upstream?: Upstream;
  readonly conflicts: readonly ServiceConflict[];
}

/** `byAge`: the oldest first. */
export function setAliasesAside(byAge: readonly ServiceShard[]): Unaliased {
  const aliases = byAge.filter(({ externalName }) => externalName !== undefined);
  if (aliases.length === 0) return { shards: byAge, conflicts: [] };
  const real = byAge.filter(({ externalName }) => externalName === undefined);
  const [winner] = real.length > 0 ? real : aliases;
  const wanted = winner?.externalName;
  const losers = aliases.filter(({ externalName }) => externalName !== wanted).map(({ cluster }) => cluster);
  const conflicts = winner === undefined || losers.length === 0 ? [] : [conflictOf(winner, losers.sort())];
  if (wanted === undefined) return { shards: real, conflicts };
  return { shards: aliases, upstream: { kind: 'dns', name: wanted }, conflicts };
}

function conflictOf({ cluster, externalName }: ServiceShard, losers: readonly string[]): ServiceConflict {
  const message =
    externalName === undefined
      ? `the service is in ${cluster}; its name is an alias (ExternalName) in ${losers.join(', ')}, where it counts for nothing`
      : `the name stands for ${externalName} in ${cluster}, the oldest, and for another in ${losers.join(', ')}`;
  return { reason: 'TypeConflict', message, winner: cluster, losers };
}
