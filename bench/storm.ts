/** Workload `storm`: all proxies connect at once, and are done when each holds everything (eager: all clusters, endpoints, listeners, routes). */

import { percentile } from './figures.ts';
import { LoadRun } from './load/load-run.ts';
import { sizes, transports } from './load/sizes.ts';
import type { Workload } from './workload.ts';

export const storm: Workload = {
  name: 'storm',
  about: 'all proxies connect at once, until each holds everything',
  async run({ quick }) {
    const figures: Record<string, number> = {};
    for (const transport of transports) {
      const run = await LoadRun.start({ ...sizes(quick), transport });
      try {
        const empty = await run.totals();
        const syncedMs = await run.connect();
        const full = await run.totals();
        const { heapUsedBytes, eventLoopLagP99Ms, eventLoopLagMaxMs } = await run.serverReport();
        await run.verify();
        const { proxies } = sizes(quick);
        figures[`${transport}: first proxy, ms`] = Math.min(...syncedMs);
        figures[`${transport}: p50, ms`] = percentile(syncedMs, 50);
        figures[`${transport}: last proxy, ms`] = Math.max(...syncedMs);
        figures[`${transport}: pilot, CPU-s`] = (full.cpuMs - empty.cpuMs) / 1000;
        figures[`${transport}: clients, CPU-s`] = (full.clients.cpuMs - empty.clients.cpuMs) / 1000;
        figures[`${transport}: resident before, MB`] = empty.residentBytes / 1e6;
        figures[`${transport}: resident after, MB`] = full.residentBytes / 1e6;
        figures[`${transport}: heap after, MB`] = heapUsedBytes / 1e6;
        figures[`${transport}: to each proxy, kB`] = full.clients.bytes / proxies / 1000;
        figures[`${transport}: event-loop lag p99, ms`] = eventLoopLagP99Ms;
        figures[`${transport}: event-loop lag max, ms`] = eventLoopLagMaxMs;
      } finally {
        await run.stop();
      }
    }
    return figures;
  },
};
