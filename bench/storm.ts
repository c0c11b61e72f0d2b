/**
 * Workload `storm`: all proxies connect at once, and are done when each holds everything (eager: all clusters, endpoints, listeners, routes; on
 * demand: what 20 services need).
 */

import { percentile } from './figures.ts';
import { LoadRun } from './load/load-run.ts';
import { series, sizes } from './load/sizes.ts';
import type { Workload } from './workload.ts';

export const storm: Workload = {
  name: 'storm',
  about: 'all proxies connect at once, until each holds everything',
  async run({ quick, latencies }) {
    const figures: Record<string, number> = {};
    for (const { name, ...client } of series.storm) {
      const run = await LoadRun.start({ ...sizes(quick), ...client });
      try {
        const empty = await run.totals();
        const syncedMs = await run.connect();
        const full = await run.totals();
        const { heapUsedBytes, eventLoopLagP99Ms, eventLoopLagMaxMs } = await run.serverReport();
        await run.verify();
        latencies(name, syncedMs);
        const { proxies } = sizes(quick);
        figures[`${name}: first proxy, ms`] = Math.min(...syncedMs);
        figures[`${name}: p50, ms`] = percentile(syncedMs, 50);
        figures[`${name}: last proxy, ms`] = Math.max(...syncedMs);
        figures[`${name}: pilot, CPU-s`] = (full.cpuMs - empty.cpuMs) / 1000;
        figures[`${name}: clients, CPU-s`] = (full.clients.cpuMs - empty.clients.cpuMs) / 1000;
        figures[`${name}: resident before, MB`] = empty.residentBytes / 1e6;
        figures[`${name}: resident after, MB`] = full.residentBytes / 1e6;
        figures[`${name}: heap after, MB`] = heapUsedBytes / 1e6;
        figures[`${name}: to each proxy, kB`] = full.clients.bytes / proxies / 1000;
        figures[`${name}: event-loop lag p99, ms`] = eventLoopLagP99Ms;
        figures[`${name}: event-loop lag max, ms`] = eventLoopLagMaxMs;
      } finally {
        await run.stop();
      }
    }
    return figures;
  },
};
