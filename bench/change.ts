/**
 * Workloads `endpoint` and `rule`: one service's endpoint moves, or one rule matches another header; then, once every proxy has it and the
 * pilot is quiet, the next. Measured from the source's word to the complete message at each proxy.
 */

import { percentile } from './figures.ts';
import { type LoadOptions, LoadRun, pause } from './load/load-run.ts';
import { sizes, transports } from './load/sizes.ts';
import type { Workload } from './workload.ts';

const betweenMs = 250;

export const endpoint = changes('endpoint', 'one endpoint of one service changes, until every proxy has it');
export const rule = changes('rule', 'one traffic rule changes, until every proxy has it');

function changes(kind: 'endpoint' | 'rule', about: string): Workload {
  return {
    name: kind,
    about,
    async run({ quick }) {
      const figures: Record<string, number> = {};
      for (const transport of transports) {
        const options = { ...sizes(quick), transport, rules: 10 };
        for (const [name, value] of Object.entries(await measureChanges(kind, options, quick ? 5 : 20)))
          figures[`${transport}: ${name}`] = value;
      }
      return figures;
    },
  };
}

/** The services with a rule from the start are those that change. */
export async function measureChanges(
  kind: 'endpoint' | 'rule',
  options: LoadOptions,
  count: number,
): Promise<Readonly<Record<string, number>>> {
  const run = await LoadRun.start(options);
  try {
    await run.connect();
    await run.verify();
    const each: number[] = [];
    const last: number[] = [];
    // The first two are not counted: they find code that has not been compiled yet.
    for (let at = 0; at < 2; at++) await changeAndPause(run, kind, at);
    const before = await run.totals();
    for (let at = 0; at < count; at++) {
      const latenciesMs = await changeAndPause(run, kind, at % 10);
      each.push(...latenciesMs);
      last.push(Math.max(...latenciesMs));
    }
    const after = await run.totals();
    await run.verify();
    const deliveries = count * options.proxies;
    return {
      'p50, ms': percentile(each, 50),
      'p99, ms': percentile(each, 99),
      'last proxy p50, ms': percentile(last, 50),
      'last proxy max, ms': Math.max(...last),
      'pilot per change, CPU-ms': (after.cpuMs - before.cpuMs) / count,
      'to each proxy per change, kB': (after.clients.bytes - before.clients.bytes) / deliveries / 1000,
      'messages to each proxy per change, count': (after.clients.messages - before.clients.messages) / deliveries,
      'resident, MB': after.residentBytes / 1e6,
    };
  } finally {
    await run.stop();
  }
}

async function changeAndPause(run: LoadRun, kind: 'endpoint' | 'rule', service: number): Promise<readonly number[]> {
  const { latenciesMs } = await run.change(kind, service);
  await pause(betweenMs);
  return latenciesMs;
}
