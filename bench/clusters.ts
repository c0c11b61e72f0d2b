/**
 * Workloads `clusters-10` and `clusters-1000`: many clusters in one mesh. Either every cluster has the same services (a service is one, with
 * endpoints in all clusters), or services of its own. The proxies are spread over the clusters, and each cluster with proxies is a scope of its
 * own: a service has another address in each. The start until it is ready, memory, the connect storm, and endpoint changes, one cluster after
 * the other.
 */

import { measureChanges } from './change.ts';
import { percentile } from './figures.ts';
import { type LoadOptions, LoadRun } from './load/load-run.ts';
import type { Figures, Workload, WorkloadOptions } from './workload.ts';

interface Series extends LoadOptions {
  readonly name: string;
}

export const clusters10: Workload = {
  name: 'clusters-10',
  about: '10 clusters × 300 services × 4,000 endpoints per cluster: start, memory, storm, one endpoint change',
  run: (options) => {
    const { quick } = options;
    const mesh = { clusters: 10, services: quick ? 30 : 300, endpoints: 40 / 3 };
    const common = { mesh, proxies: quick ? 20 : 200, clientProcesses: quick ? 1 : 2, transport: 'delta' } as const;
    return measure(options, [
      { ...common, name: 'delta' },
      ...(quick ? [] : [{ ...common, name: 'delta, VHDS', shape: 'vhds' } as const]),
    ]);
  },
};

export const clusters1000: Workload = {
  name: 'clusters-1000',
  about:
    '1,000 clusters × 20 services × 5 endpoints, 200 proxies in as many: start, memory, storm, one endpoint change',
  run: (options) => {
    const { quick } = options;
    const mesh = { clusters: quick ? 100 : 1000, services: 20, endpoints: 5 };
    const common = { mesh, proxies: quick ? 20 : 200, clientProcesses: quick ? 1 : 2, transport: 'delta' } as const;
    return measure(options, [
      ...(quick ? [] : [{ ...common, name: 'same services, tables' }]),
      { ...common, name: 'same services, VHDS', shape: 'vhds' },
      { ...common, name: 'own services, on-demand', mesh: { ...mesh, own: true }, shape: 'on-demand' },
    ]);
  },
};

async function measure({ quick, latencies }: WorkloadOptions, series: readonly Series[]): Promise<Figures> {
  const figures: Record<string, number> = {};
  for (const { name, ...options } of series) {
    const measured = {
      ...(await measureStart(options)),
      ...(await measureChanges('endpoint', options, quick ? 3 : 20, (ms) => latencies(name, ms))),
    };
    for (const [figure, value] of Object.entries(measured)) figures[`${name}: ${figure}`] = value;
  }
  return figures;
}

async function measureStart(options: LoadOptions): Promise<Figures> {
  const run = await LoadRun.start(options);
  try {
    const empty = await run.totals();
    const before = await run.memory();
    const syncedMs = await run.connect();
    await run.verify();
    const full = await run.totals();
    const after = await run.memory();
    return {
      'start to ready, ms': run.startedMs,
      'resident at start, MB': empty.residentBytes / 1e6,
      'storm until the last proxy, ms': Math.max(...syncedMs),
      'storm p50, ms': percentile(syncedMs, 50),
      'storm, pilot, CPU-s': (full.cpuMs - empty.cpuMs) / 1000,
      'storm, to each proxy, kB': full.clients.bytes / options.proxies / 1000,
      'resident after the storm, MB': full.residentBytes / 1e6,
      'held at start, MB': before.heldBytes / 1e6,
      'held after the storm, MB': after.heldBytes / 1e6,
      'held for each proxy, MB': (after.heldBytes - before.heldBytes) / options.proxies / 1e6,
    };
  } finally {
    await run.stop();
  }
}
