/** The states that metrics show, read when somebody scrapes. */

import type { MetricsReading } from '../api/metrics.ts';
import type { Clock } from '../core/clock.ts';
import { shortTypeName } from '../core/type-urls.ts';
import type { Inventory } from '../registry/inventory.ts';
import type { Engine } from './engine.ts';

export function readMetrics(inventory: Inventory, engine: Engine, clock: Clock): MetricsReading {
  const configBytes = new Map<string, number>();
  const counted = new Set<Buffer>();
  for (const view of engine.views()) {
    for (const [typeUrl, short] of Object.entries(shortTypeName)) {
      for (const { body } of view.resources(typeUrl).values()) {
        // Scopes share most of their resources.
        if (counted.has(body)) continue;
        counted.add(body);
        configBytes.set(short, (configBytes.get(short) ?? 0) + body.length);
      }
    }
  }
  return {
    connectedProxies: engine.proxies.size,
    services: engine.catalog.size,
    configBytes,
    clusters: [...inventory.clusters().values()].map(({ info, state, endpointCount, lastNewsMs }) => ({
      name: info.name,
      phase: state.phase,
      endpoints: endpointCount,
      newsAgeMs: state.phase === 'fresh' || lastNewsMs === undefined ? 0 : clock.now() - lastNewsMs,
    })),
  };
}
