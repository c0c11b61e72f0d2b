/**
 * What a source says while it cannot tell which services are exported: what was held of that stays, for unknown is not empty. In: what it says, and
 * what is held. Out: the shards with the exports that are held.
 */

import type { ServiceExport, ServiceKey, ServiceShard } from '../model/service.ts';

interface Said {
  readonly services: ReadonlyMap<ServiceKey, ServiceShard | undefined>;
  readonly exportsUnknown?: true;
}

/** By key, those shards that are otherwise for it; usually none. */
export function keptExports(
  said: Said,
  held: (key: ServiceKey) => ServiceShard | undefined,
): ReadonlyMap<ServiceKey, ServiceShard> {
  const kept = new Map<ServiceKey, ServiceShard>();
  if (said.exportsUnknown !== true) return kept;
  for (const [key, shard] of said.services) {
    const exported = held(key)?.export;
    if (shard !== undefined && shard.export === undefined && exported !== undefined)
      kept.set(key, Object.freeze({ ...shard, export: fitted(exported, shard) }));
  }
  return kept;
}

/** Of ports that are not those of the export any more, nothing is known. */
function fitted(exported: ServiceExport, { ports }: ServiceShard): ServiceExport {
  return exported.appProtocols.length === ports.length ? exported : { ...exported, appProtocols: [] };
}
