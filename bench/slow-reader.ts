/**
 * Workload `slow-reader`: ten streams ask for everything and read nothing. What do their neighbours feel of it? The same pilot, endpoint
 * changes with the stuck streams and without, in short turns one after the other, so that whatever else the machine does falls on both alike.
 */

import { percentile } from './figures.ts';
import { LoadRun, pause } from './load/load-run.ts';
import { sizes } from './load/sizes.ts';
import type { Workload } from './workload.ts';

const stuck = 10;
const betweenMs = 250;
/** For the streams to be told as much as they let themselves be told, or to be gone. */
const settleMs = 1000;
/** A stream that reads nothing is dropped after 30 s: a turn is shorter. */
const changesPerTurn = 6;

export const slowReader: Workload = {
  name: 'slow-reader',
  about: `endpoint changes with ${stuck} streams that read nothing, and without, in turns`,
  async run({ quick, latencies }) {
    const rounds = quick ? 1 : 8;
    const run = await LoadRun.start({ ...sizes(quick), transport: 'delta', stuck });
    const samples = { stick: [] as number[], unstick: [] as number[] };
    const last = { stick: [] as number[], unstick: [] as number[] };
    try {
      await run.connect();
      await run.verify();
      for (let at = 0; at < 4; at++) await run.change('endpoint', at);
      for (let round = 0; round < rounds; round++) {
        // A-B, B-A, A-B, …: what grows or shrinks over the run falls on both alike, too.
        for (const which of round % 2 === 0 ? (['stick', 'unstick'] as const) : (['unstick', 'stick'] as const)) {
          run.stick('unstick');
          if (which === 'stick') run.stick('stick');
          await pause(settleMs);
          for (let at = 0; at < changesPerTurn; at++) {
            const { latenciesMs } = await run.change('endpoint', at);
            samples[which].push(...latenciesMs);
            last[which].push(Math.max(...latenciesMs));
            await pause(betweenMs);
          }
        }
      }
      const { droppedSlowReaders } = await run.serverReport();
      run.stick('unstick');
      await run.verify();
      latencies('with stuck streams', samples.stick);
      latencies('without', samples.unstick);
      return {
        'with stuck streams p50, ms': percentile(samples.stick, 50),
        'with stuck streams p99, ms': percentile(samples.stick, 99),
        'without p50, ms': percentile(samples.unstick, 50),
        'without p99, ms': percentile(samples.unstick, 99),
        'p99 with against without, ratio': percentile(samples.stick, 99) / percentile(samples.unstick, 99),
        'last proxy with against without (medians), ratio': percentile(last.stick, 50) / percentile(last.unstick, 50),
        // The figures are void if there is one: it was not stuck for the whole of its turn.
        'dropped before the end, count': droppedSlowReaders,
      };
    } finally {
      await run.stop();
    }
  },
};
