/**
 * Workload `slow-reader`: ten streams ask for everything and read nothing. What do their neighbours feel of it? The same pilot, endpoint
 * changes with the stuck streams and, once they are gone, without.
 */

import { percentile } from './figures.ts';
import { LoadRun, pause } from './load/load-run.ts';
import { sizes } from './load/sizes.ts';
import type { Workload } from './workload.ts';

const stuck = 10;
const betweenMs = 250;

export const slowReader: Workload = {
  name: 'slow-reader',
  about: `endpoint changes with ${stuck} streams that read nothing, and without`,
  async run({ quick }) {
    const count = quick ? 5 : 30;
    const run = await LoadRun.start({ ...sizes(quick), transport: 'delta', stuck });
    try {
      await run.connect();
      await run.verify();
      for (let at = 0; at < 2; at++) await run.change('endpoint', at);
      const withStuck = await measure(run, count);
      // A stream that reads nothing is dropped after a while; the figure is void if that happened before the end.
      const { droppedSlowReaders } = await run.serverReport();
      run.unstick();
      await pause(1000);
      const without = await measure(run, count);
      await run.verify();
      return {
        'with stuck streams p50, ms': percentile(withStuck, 50),
        'with stuck streams p99, ms': percentile(withStuck, 99),
        'without p50, ms': percentile(without, 50),
        'without p99, ms': percentile(without, 99),
        'p99 with against without, ratio': percentile(withStuck, 99) / percentile(without, 99),
        'dropped before the end, count': droppedSlowReaders,
      };
    } finally {
      await run.stop();
    }
  },
};

async function measure(run: LoadRun, count: number): Promise<readonly number[]> {
  const each: number[] = [];
  for (let at = 0; at < count; at++) {
    each.push(...(await run.change('endpoint', at)).latenciesMs);
    await pause(betweenMs);
  }
  return each;
}
