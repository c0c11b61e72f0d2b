/**
 * Workload `mesh-10k`: ten times the services. The start from a memory source until it is ready (no API is read), memory, and what one
 * endpoint change costs the pilot beside the same change in the smaller mesh, with equally many proxies.
 */

import { measureChanges } from './change.ts';
import { LoadRun } from './load/load-run.ts';
import type { Workload } from './workload.ts';

export const mesh10k: Workload = {
  name: 'mesh-10k',
  about: 'ten times the services: start, memory, and one endpoint change beside the smaller mesh',
  async run({ quick }) {
    const services = quick ? 200 : 1000;
    const proxies = quick ? 10 : 50;
    const large = { services: services * 10, endpoints: 10 };
    const run = await LoadRun.start({ mesh: large, proxies, transport: 'delta' });
    const { startedMs } = run;
    const { residentBytes } = await run.totals();
    await run.stop();
    const figures: Record<string, number> = {
      'start to ready, ms': startedMs,
      'resident at start, MB': residentBytes / 1e6,
    };
    const perChange: number[] = [];
    for (const mesh of [{ services, endpoints: 10 }, large]) {
      const measured = await measureChanges(
        'endpoint',
        { mesh, proxies, transport: 'delta', rules: 10 },
        quick ? 10 : 40,
      );
      for (const [name, value] of Object.entries(measured)) figures[`${mesh.services} services: ${name}`] = value;
      perChange.push(measured['pilot per change, CPU-ms'] ?? Number.NaN);
    }
    const [small = Number.NaN, tenfold = Number.NaN] = perChange;
    figures['CPU per change against the smaller mesh, ratio'] = tenfold / small;
    return figures;
  },
};
