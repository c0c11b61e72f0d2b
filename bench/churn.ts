/** Workload `churn`: endpoints change at an even rate, one service after the other, over delta. Every change is counted at every proxy. */

import { percentile } from './figures.ts';
import { LoadRun, pause } from './load/load-run.ts';
import { sizes } from './load/sizes.ts';
import type { Workload } from './workload.ts';

const rates = [1, 10, 50];
const settleMs = 500;

export const churn: Workload = {
  name: 'churn',
  about: `${rates.join(', ')} endpoint changes a second, over delta`,
  async run({ quick, latencies }) {
    const seconds = quick ? 2 : 60;
    const figures: Record<string, number> = {};
    const run = await LoadRun.start({ ...sizes(quick), transport: 'delta' });
    try {
      await run.connect();
      await run.verify();
      for (const perSecond of rates) {
        await pause(settleMs);
        await run.serverReport();
        const before = await run.totals();
        const arrivals = await run.churn(perSecond, perSecond * seconds);
        const after = await run.totals();
        const { debounceMaxMs, eventLoopLagP99Ms } = await run.serverReport();
        const each = arrivals.flatMap(({ latenciesMs }) => latenciesMs);
        latencies(`${perSecond}/s`, each);
        figures[`${perSecond}/s: p50, ms`] = percentile(each, 50);
        figures[`${perSecond}/s: p99, ms`] = percentile(each, 99);
        figures[`${perSecond}/s: max, ms`] = each.reduce((max, ms) => Math.max(max, ms), 0);
        figures[`${perSecond}/s: waits for its push max, ms`] = debounceMaxMs;
        figures[`${perSecond}/s: pilot, CPU-%`] = (after.cpuMs - before.cpuMs) / seconds / 10;
        figures[`${perSecond}/s: event-loop lag p99, ms`] = eventLoopLagP99Ms;
        figures[`${perSecond}/s: messages per change and proxy, count`] =
          (after.clients.messages - before.clients.messages) / each.length;
      }
      await run.verify();
    } finally {
      await run.stop();
    }
    return figures;
  },
};
