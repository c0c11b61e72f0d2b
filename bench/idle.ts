/**
 * Workload `idle`: what a pilot costs that has nothing to do, with the demo's two clusters, three workloads and four Envoys connected: its
 * memory half a minute after the start, and its CPU over the half minute after that.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildStage } from '../src/demo/stage.ts';
import { readProcess } from './figures.ts';
import type { Workload } from './workload.ts';

export const idle: Workload = {
  name: 'idle',
  about: 'memory and CPU of an idle pilot with the demo connected',
  async run({ envoyBinary: findEnvoy, quick }) {
    const envoyBinary = await findEnvoy();
    const dir = await mkdtemp(join(tmpdir(), 'fairway-bench-'));
    const stage = await buildStage(dir, envoyBinary);
    try {
      await stage.setUp(['east', 'west']);
      await pause(quick ? 2000 : 30_000);
      const before = readProcess(stage.pilotPid);
      const span = quick ? 2000 : 30_000;
      await pause(span);
      const after = readProcess(stage.pilotPid);
      return {
        'resident memory, MB': after.residentBytes / 1e6,
        'CPU, ms per s': (after.cpuMs - before.cpuMs) / (span / 1000),
      };
    } finally {
      await stage.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
