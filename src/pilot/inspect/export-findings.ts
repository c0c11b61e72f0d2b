/** What is wrong with what clusters export, for `fairway analyze`. In: the catalog and the inventory. Out: findings, in the order of the services. */

import type { Finding } from '../../core/errors.ts';
import { exportFindings } from '../../mcs/findings.ts';
import type { CatalogService } from '../../model/service.ts';
import type { InspectInputs } from './inputs.ts';

/** Of a service that no cluster exports there is nothing to say. */
export function findingsOfExports(
  service: CatalogService,
  { inventory, clock }: Pick<InspectInputs, 'inventory' | 'clock'>,
): readonly Finding[] {
  const shards = [...service.shards.values()];
  if (shards.every((shard) => shard.export === undefined)) return [];
  const clusters = inventory.clusters();
  // A folder that holds no Namespace at all says nothing of them.
  const hasNamespace = (cluster: string, namespace: string): boolean => {
    const namespaces = clusters.get(cluster)?.namespaces;
    return namespaces === undefined || namespaces.size === 0 || namespaces.has(namespace);
  };
  return exportFindings(shards, clusters.keys(), hasNamespace, clock.now());
}
