/** The states that metrics show, read when somebody scrapes. */

import type { MetricsReading } from '../api/metrics.ts';
import type { Clock } from '../core/clock.ts';
import type { EncodedResource } from '../core/resource.ts';
import { shortTypeName } from '../core/type-urls.ts';
import type { Inventory } from '../registry/inventory.ts';
import type { XdsCounters } from '../xds/counters.ts';
import type { Engine } from './engine.ts';

export function readMetrics(inventory: Inventory, engine: Engine, xds: XdsCounters, clock: Clock): MetricsReading {
  const configBytes = new Map<string, number>();
  const counted = new Set<Buffer>();
  const count = (short: string, resources: Iterable<EncodedResource | undefined>): void => {
    for (const resource of resources) {
      // Scopes share most of their resources, and bases some.
      if (resource === undefined || counted.has(resource.body)) continue;
      counted.add(resource.body);
      configBytes.set(short, (configBytes.get(short) ?? 0) + resource.body.length);
    }
  };
  for (const [typeUrl, short] of Object.entries(shortTypeName)) {
    for (const base of engine.bases()) count(short, base.resources(typeUrl).values());
    for (const view of engine.views()) count(short, view.own(typeUrl).values());
  }
  return {
    connectedProxies: engine.proxies.size,
    services: engine.catalog.size,
    configBytes,
    protocol: {
      bytes: xds.bytesTotal,
      staleNonces: xds.staleNoncesTotal,
      droppedSlowReaders: xds.droppedSlowReadersTotal,
      passedOverNames: xds.passedOverNamesTotal,
      statusAnswers: xds.statusAnswersTotal,
      refusedByCode: xds.refusedByCode,
      queueLength: xds.queueLength,
      queueWaitMs: xds.queueWaits.totalMs,
      skipped: countSkipped(inventory, engine),
    },
    clusters: [...inventory.clusters().values()].map(({ info, state, endpointCount, lastNewsMs }) => ({
      name: info.name,
      phase: state.phase,
      endpoints: endpointCount,
      newsAgeMs: state.phase === 'fresh' || lastNewsMs === undefined ? 0 : clock.now() - lastNewsMs,
    })),
  };
}

/** By error code: findings of clusters and scopes, and what clusters' caps and claims left out. */
function countSkipped(inventory: Inventory, engine: Engine): Map<string, number> {
  const skipped = new Map<string, number>();
  const add = (what: string, count: number): void => {
    if (count > 0) skipped.set(what, (skipped.get(what) ?? 0) + count);
  };
  for (const { findings, droppedTotal } of inventory.clusters().values()) {
    add('dropped-by-cluster-limits', droppedTotal);
    for (const { code } of findings) add(code, 1);
  }
  for (const view of engine.views()) for (const { code } of view.findings()) add(code, 1);
  return skipped;
}
