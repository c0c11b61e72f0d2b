/**
 * Workload `restart`: the pilot is killed and started again, with one endpoint changed meanwhile. All proxies come back within half a second,
 * as Envoys do, and say what they hold. Done when each has the change.
 */

import { percentile } from './figures.ts';
import { LoadRun } from './load/load-run.ts';
import { series, sizes } from './load/sizes.ts';
import type { Workload } from './workload.ts';

export const restart: Workload = {
  name: 'restart',
  about: 'the pilot is killed and started again, until every proxy has what changed meanwhile',
  async run({ quick, latencies }) {
    const figures: Record<string, number> = {};
    for (const { name, ...client } of series.restart) {
      const run = await LoadRun.start({ ...sizes(quick), ...client });
      try {
        await run.connect();
        await run.verify();
        const before = await run.totals();
        const backMs = await run.restart();
        const after = await run.totals();
        await run.verify(after.clients.ended);
        latencies(name, backMs);
        figures[`${name}: start to ready, ms`] = run.startedMs;
        figures[`${name}: then p50, ms`] = percentile(backMs, 50);
        figures[`${name}: then last proxy, ms`] = Math.max(...backMs);
        figures[`${name}: pilot, CPU-s`] = after.cpuMs / 1000;
        figures[`${name}: to each proxy, kB`] =
          (after.clients.bytes - before.clients.bytes) / sizes(quick).proxies / 1000;
        figures[`${name}: resident after, MB`] = after.residentBytes / 1e6;
      } finally {
        await run.stop();
      }
    }
    return figures;
  },
};
