/**
 * Workloads `mesh-10k-kube` and `endpoint-kube`: everything through a real kube-apiserver, which is started and filled first. A `fairway serve`
 * as people run it starts with that API's kubeconfig; then EndpointSlices are patched one by one. A latency is from the PATCH to the message at
 * the proxy, so the API's own part is in it.
 *
 * There are no Pods, so endpoints have no versions. etcd, the API and the proxies share the machine with the pilot.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../src/core/errors.ts';
import { startKubeApi } from '../test/rig/kubernetes/api.ts';
import { findKubernetes } from '../test/rig/kubernetes/binaries.ts';
import { countChanges } from './counted-changes.ts';
import { percentile, readProcess } from './figures.ts';
import type { MeshSize } from './load/messages.ts';
import { fairway } from './peer-contender.ts';
import { changeEndpoint, seedMesh } from './peer-mesh.ts';
import { PeerRun } from './peer-run.ts';
import type { Figures, Workload, WorkloadOptions } from './workload.ts';

export const mesh10kKube: Workload = {
  name: 'mesh-10k-kube',
  about: '10,000 services × 10 endpoints in a real API: start to ready, memory, and one endpoint change',
  needsKubernetes: true,
  run: (options) => measureFromKube({ services: options.quick ? 1000 : 10_000, endpoints: 10 }, 50, options),
};

export const endpointKube: Workload = {
  name: 'endpoint-kube',
  about: 'one endpoint of one service changes in a real API, until every proxy has it',
  needsKubernetes: true,
  run: (options) =>
    measureFromKube({ services: options.quick ? 200 : 1000, endpoints: 10 }, options.quick ? 100 : 1000, options),
};

const betweenMs = 250;
/** The services that change, one after the other. */
const changed = 10;

/** Figures of one mesh in an API of its own; none, and a note, where no API can be started. */
export async function measureFromKube(
  mesh: MeshSize,
  proxies: number,
  options: Pick<WorkloadOptions, 'quick' | 'latencies' | 'note'>,
): Promise<Figures> {
  try {
    await findKubernetes(options.note);
  } catch (error) {
    options.note(`SKIPPED: there is no kube-apiserver: ${errorMessage(error)}`);
    return {};
  }
  const dir = await mkdtemp(join(tmpdir(), 'fairway-bench-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  try {
    const api = await startKubeApi({ name: 'bench', dir, controllers: false });
    closing.unshift(() => api.stop());
    const began = performance.now();
    let n = await seedMesh(api, mesh, 0, 0);
    options.note(`the API was filled in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    const { process, address, startedMs } = await fairway().start(api, dir);
    closing.unshift(() => process.stop());
    const ready = readProcess(process.pid);
    const run = await PeerRun.start({
      ...{ address, pid: process.pid, mesh, proxies, transport: 'delta', shape: 'vhds' },
      clientProcesses: proxies > 100 ? 2 : 1,
    });
    closing.unshift(() => run.stop());
    const syncedMs = await run.connect();
    await run.verify();
    const count = options.quick ? 5 : 20;
    const { each, last, before, after } = await countChanges({
      ...{ run, count, betweenMs },
      change: (at) => {
        const number = n++;
        return run.change(number, () => changeEndpoint(api.client, at % changed, mesh.endpoints, number));
      },
    });
    options.latencies('delta, VHDS', each);
    return {
      'start to ready, ms': startedMs,
      'start to ready, CPU-s': ready.cpuMs / 1000,
      'resident when ready, MB': ready.residentBytes / 1e6,
      'resident until then max, MB': ready.residentMaxBytes / 1e6,
      'storm until the last proxy, ms': Math.max(...syncedMs),
      'PATCH to proxy p50, ms': percentile(each, 50),
      'PATCH to proxy p99, ms': percentile(each, 99),
      'PATCH to last proxy p50, ms': percentile(last, 50),
      'PATCH to last proxy max, ms': Math.max(...last),
      'pilot per change, CPU-ms': (after.cpuMs - before.cpuMs) / count,
      'to each proxy per change, kB': (after.bytes - before.bytes) / count / proxies / 1000,
      'resident with the proxies, MB': after.residentBytes / 1e6,
    };
  } finally {
    for (const close of closing) await close();
  }
}
