/**
 * What is said of an exported service: its name in `clusterset.local`, who exports it, where it is reached, and where the exports disagree. In: a
 * service as the mesh has it. Out: plain values; undefined where nobody exports it.
 */

import { type ClustersetService, clustersetService } from '../../mcs/clusterset.ts';
import { clustersetDomain } from '../../model/mesh.ts';
import type { ClustersetReport } from '../../model/report.ts';
import type { CatalogService } from '../../model/service.ts';

/** Of the shards that a service is made of: the same as long as these are. */
const merged = new WeakMap<CatalogService['shards'], ClustersetService | null>();

export function clustersetReport({
  namespace,
  name,
  shards,
  clusterset,
}: CatalogService): ClustersetReport | undefined {
  if (clusterset === undefined) return undefined;
  let service = merged.get(shards);
  if (service === undefined) {
    service = clustersetService(shards.values()) ?? null;
    merged.set(shards, service);
  }
  if (service === null) return undefined;
  return {
    host: `${name}.${namespace}.svc.${clustersetDomain}`,
    names: clusterset.names,
    type: service.type,
    exportedBy: [...service.exports].map(([cluster, shard]) => ({
      cluster,
      id: clusterset.ids.get(cluster) ?? cluster,
      ...(shard.export.createdAtMs === 0 ? {} : { since: new Date(shard.export.createdAtMs).toISOString() }),
      ...(cluster === service.oldest ? { counts: true } : {}),
    })),
    virtualIps: [...clusterset.vips].map(([cluster, addresses]) => ({ cluster, addresses })),
    conflicts: service.conflicts,
  };
}
