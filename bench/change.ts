/**
 * Workloads `endpoint` and `rule`: one service's endpoint moves, or one rule matches another header; then, once every proxy has it and the
 * pilot is quiet, the next. Measured from the source's word to the complete message at each proxy.
 */

import { countChanges } from './counted-changes.ts';
import { percentile } from './figures.ts';
import { type LoadOptions, LoadRun } from './load/load-run.ts';
import { usedServices } from './load/shape.ts';
import { series, sizes } from './load/sizes.ts';
import { serviceCount } from './load/synthetic-mesh.ts';
import type { Workload } from './workload.ts';

/** For the pilot to be quiet again; where few changes are counted, the figures are rough anyway. */
const betweenMs = (count: number): number => (count > 10 ? 250 : 50);

export const endpoint = changes('endpoint', 'one endpoint of one service changes, until every proxy has it');
export const rule = changes('rule', 'one traffic rule changes, until every proxy has it');

function changes(kind: 'endpoint' | 'rule', about: string): Workload {
  return {
    name: kind,
    about,
    async run({ quick, latencies }) {
      const figures: Record<string, number> = {};
      for (const { name, ...client } of series[kind]) {
        const options = { ...sizes(quick), ...client, rules: 10 };
        const measured = await measureChanges(kind, options, quick ? 5 : 20, (ms) => latencies(name, ms));
        for (const [figure, value] of Object.entries(measured)) figures[`${name}: ${figure}`] = value;
      }
      return figures;
    },
  };
}

/** The services with a rule from the start are those that change. `latencies` gets one sample for each change and proxy. */
export async function measureChanges(
  kind: 'endpoint' | 'rule',
  options: LoadOptions,
  count: number,
  latencies: (samplesMs: readonly number[]) => void = () => {},
): Promise<Readonly<Record<string, number>>> {
  const run = await LoadRun.start(options);
  try {
    await run.connect();
    await run.verify();
    const { each, last, before, after } = await countChanges({
      ...{ run, count, betweenMs: betweenMs(count) },
      change: async (at) => (await run.change(kind, serviceToChange(options, at))).latenciesMs,
    });
    latencies(each);
    // On demand, a change goes to those alone that call the service.
    const deliveries = each.length;
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

/** One of the first ten, which are those with a rule if there are rules; where few services are called at all, one that is. */
function serviceToChange({ mesh, shape, uses = 20, proxies }: LoadOptions, at: number): number {
  const services = serviceCount(mesh);
  const isRare = shape === 'on-demand' && proxies * uses < services;
  return isRare ? (usedServices(at % proxies, services, uses)[0] ?? 0) : at % Math.min(10, services);
}
