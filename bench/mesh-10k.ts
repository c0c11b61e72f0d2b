/**
 * Workload `mesh-10k`: ten times the services. The start from a memory source until it is ready (no API is read; that is `mesh-10k-kube`),
 * memory, and what one endpoint change costs the pilot beside the same change in the smaller mesh, with equally many proxies. On demand, a
 * change reaches the few proxies that call its service, in both meshes.
 */

import { measureChanges } from './change.ts';
import { LoadRun } from './load/load-run.ts';
import { series } from './load/sizes.ts';
import type { Workload } from './workload.ts';

const endpoints = 10;

export const mesh10k: Workload = {
  name: 'mesh-10k',
  about: 'ten times the services: start, memory, and one endpoint change beside the smaller mesh',
  async run({ quick, latencies }) {
    const small = { services: quick ? 200 : 1000, endpoints };
    const large = { services: small.services * 10, endpoints };
    const proxies = quick ? 10 : 50;
    const run = await LoadRun.start({ mesh: large, proxies, transport: 'delta' });
    const { startedMs } = run;
    const { residentBytes } = await run.totals();
    await run.stop();
    const figures: Record<string, number> = {
      'start to ready, ms': startedMs,
      'resident at start, MB': residentBytes / 1e6,
    };
    // The quick run leaves out VHDS: an endpoint change is the same with it.
    const clients = series.eachKind.filter(
      ({ transport, shape }) => transport === 'delta' && !(quick && shape === 'vhds'),
    );
    for (const { name, ...client } of clients) {
      const perChange: number[] = [];
      for (const mesh of [small, large]) {
        const column = `${name}, ${mesh.services} services`;
        const options = { ...client, mesh, proxies, rules: 10 };
        const measured = await measureChanges('endpoint', options, quick ? 4 : 40, (ms) => latencies(column, ms));
        for (const [figure, value] of Object.entries(measured)) figures[`${column}: ${figure}`] = value;
        perChange.push(measured['pilot per change, CPU-ms'] ?? Number.NaN);
      }
      const [one = Number.NaN, tenfold = Number.NaN] = perChange;
      figures[`${name}, ${large.services} services: CPU per change against the smaller mesh, ratio`] = tenfold / one;
    }
    return figures;
  },
};
