/**
 * The demo's machinery: a pilot, a sidecar for each workload, and one for the client, all real processes on the loopback, all configured over
 * xDS alone.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderBootstrap } from '../envoy/bootstrap.ts';
import { type AdminClient, adminClient } from './admin.ts';
import { freePorts } from './ports.ts';
import { type RunningProcess, start, startPilot } from './processes.ts';
import { type Workload, workloads, writeClusters } from './scene.ts';
import { type RunningWorkload, startWorkload } from './workload-server.ts';

export interface Stage {
  readonly dir: string;
  readonly admin: AdminClient;
  readonly addresses: {
    readonly xds: string;
    readonly admin: string;
    readonly client: string;
    readonly clientEnvoyAdmin: string;
  };
  readonly pilotPid: number;
  /** Rejects when the pilot ends by itself. */
  readonly failed: Promise<void>;
  /** Brings the workloads of exactly these clusters up, and says so in the clusters' folders. */
  setUp(clusters: readonly Workload['cluster'][]): Promise<void>;
  stop(): Promise<void>;
}

interface Sidecar {
  readonly workload: Workload;
  readonly inboundPort: number;
  readonly adminPort: number;
  application?: RunningWorkload;
  envoy?: RunningProcess;
}

export async function buildStage(dir: string, envoyBinary: string): Promise<Stage> {
  const clustersDir = join(dir, 'clusters');
  const rulesDir = join(dir, 'rules');
  await mkdir(rulesDir, { recursive: true });
  const [xdsPort, adminPort, clientPort, clientAdminPort, ...rest] = await freePorts([
    15010,
    15014,
    15001,
    15000,
    ...workloads.flatMap((_, index) => [18_081 + index, 19_081 + index]),
  ]);
  const sidecars: Sidecar[] = workloads.map((workload, index) => ({
    workload,
    inboundPort: rest[2 * index] ?? 0,
    adminPort: rest[2 * index + 1] ?? 0,
  }));
  const inbound = new Map(sidecars.map(({ workload, inboundPort }) => [workload.name, inboundPort]));
  await writeClusters(clustersDir, inbound, []);
  const pilot = await startPilot(
    [
      '--clusters',
      clustersDir,
      '--rules',
      rulesDir,
      '--xds',
      `127.0.0.1:${xdsPort}`,
      '--admin',
      `127.0.0.1:${adminPort}`,
      '--log-format',
      'json',
    ],
    join(dir, 'pilot.log'),
  );
  const runEnvoy = async (
    name: string,
    cluster: string,
    ports: { admin: number; outbound: number },
    inboundEntry: readonly string[],
  ): Promise<RunningProcess> => {
    const file = join(dir, `${name}.envoy.json`);
    const bootstrap = renderBootstrap({
      mode: 'explicit',
      xds: [`127.0.0.1:${xdsPort}`],
      cluster,
      namespace: 'shop',
      workload: name,
      serviceAccount: name,
      addresses: ['127.0.0.1'],
      adminPort: ports.admin,
      outbound: `127.0.0.1:${ports.outbound}`,
      inboundAddress: '127.0.0.1',
      inbound: inboundEntry,
    });
    await writeFile(file, JSON.stringify(bootstrap, null, 2));
    const envoy = start(
      [
        envoyBinary,
        '-c',
        file,
        '--concurrency',
        '1',
        '--use-dynamic-base-id',
        '--log-level',
        'warning',
        '--drain-time-s',
        '1',
      ],
      join(dir, `${name}.envoy.log`),
    );
    await untilReady(ports.admin, envoy);
    return envoy;
  };
  const client = await runEnvoy('web', 'east', { admin: clientAdminPort ?? 0, outbound: clientPort ?? 0 }, []);
  const outboundPorts = await freePorts(sidecars.map(() => 0));

  const raise = async (sidecar: Sidecar, index: number): Promise<void> => {
    if (sidecar.envoy !== undefined) return;
    sidecar.application = await startWorkload(sidecar.workload);
    const { name, cluster } = sidecar.workload;
    sidecar.envoy = await runEnvoy(name, cluster, { admin: sidecar.adminPort, outbound: outboundPorts[index] ?? 0 }, [
      `${sidecar.inboundPort}:${sidecar.application.port}:http`,
    ]);
  };
  const lower = async (sidecar: Sidecar): Promise<void> => {
    const { envoy, application } = sidecar;
    delete sidecar.envoy;
    delete sidecar.application;
    await envoy?.stop();
    await application?.stop();
  };
  return {
    dir,
    admin: adminClient(pilot.ready.admin),
    addresses: {
      xds: pilot.ready.xds,
      admin: pilot.ready.admin,
      client: `127.0.0.1:${clientPort}`,
      clientEnvoyAdmin: `127.0.0.1:${clientAdminPort}`,
    },
    pilotPid: pilot.process.pid,
    failed: Promise.all([pilot.process.ended, client.ended]).then(() => undefined),
    async setUp(clusters) {
      const isUp = ({ workload }: Sidecar): boolean => clusters.includes(workload.cluster);
      await Promise.all(sidecars.map((sidecar, index) => (isUp(sidecar) ? raise(sidecar, index) : undefined)));
      await writeClusters(clustersDir, inbound, clusters);
      await Promise.all(sidecars.map((sidecar) => (isUp(sidecar) ? undefined : lower(sidecar))));
    },
    async stop() {
      await Promise.all(sidecars.map(lower));
      await client.stop();
      await pilot.process.stop();
    },
  };
}

/** Waits until Envoy says LIVE, for 30 s at most: its listeners are there. */
async function untilReady(adminPort: number, envoy: RunningProcess): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const ready = await Promise.race([isLive(adminPort), envoy.ended.then(() => false)]);
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Envoy (admin port ${adminPort}) was not ready within 30 s`);
}

async function isLive(adminPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/ready`);
    return response.ok;
  } catch {
    return false;
  }
}
