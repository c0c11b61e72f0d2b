/**
 * A whole pilot (memory clusters, rules, engine, xDS server) and real Envoys at it, as `fairway bootstrap` would start them in explicit mode:
 * for tests of how routes and clusters reach a proxy. Everything on loopback, on free ports.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { type BootstrapOptions, renderBootstrap } from '../../src/envoy/bootstrap.ts';
import { startEnvoyProcess } from '../rig/envoy-process.ts';
import { freePort } from '../rig/ports.ts';
import { type RigProcess } from '../rig/process.ts';
import { waitFor } from '../rig/wait.ts';
import { endpoint, port } from '../support/fixtures.ts';
import type { PilotRig } from '../support/pilot.ts';
import { type Answer, type Ask, askProxy, type Workload } from './envoy-rig.ts';

export interface Sidecar {
  readonly proxyPort: number;
  readonly adminPort: number;
  ask(host: string, ask?: Ask): Promise<Answer>;
  /** `GET` of Envoy's admin, as text. */
  admin(path: string): Promise<string>;
  /** The names of what it holds, from its config_dump. */
  held(): Promise<{ readonly clusters: string[]; readonly hosts: string[] }>;
  logTail(): string;
  stop(): Promise<void>;
}

/** undefined where there is no Envoy. */
export async function startSidecar(
  pilotPort: number,
  options: Partial<BootstrapOptions> = {},
): Promise<Sidecar | undefined> {
  const found = await lookForEnvoy({ env: process.env, log: () => {} });
  if (found === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'fairway-sidecar-'));
  const [proxyPort, adminPort] = [await freePort(), await freePort()];
  const bootstrap = renderBootstrap({
    mode: 'explicit',
    xds: [`127.0.0.1:${pilotPort}`],
    cluster: 'east',
    namespace: 'shop',
    workload: 'web',
    serviceAccount: 'web',
    addresses: ['127.0.0.1'],
    adminPort,
    outbound: `127.0.0.1:${proxyPort}`,
    ...options,
  });
  const logLevel = process.env['ENVOY_LOG'] ?? 'warn';
  const envoy: RigProcess = await startEnvoyProcess({ command: found.path, bootstrap, dir, logLevel });
  const admin = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text();
  return {
    proxyPort,
    adminPort,
    ask: (host, ask) => askProxy(proxyPort, host, ask),
    admin,
    async held() {
      const dump = JSON.parse(await admin('/config_dump')) as {
        readonly configs: readonly Readonly<Record<string, unknown>>[];
      };
      const list = (key: string): readonly Readonly<Record<string, unknown>>[] =>
        dump.configs.flatMap((config) => (config[key] as readonly Readonly<Record<string, unknown>>[]) ?? []);
      return {
        clusters: list('dynamic_active_clusters').map(({ cluster }) => (cluster as { name: string }).name),
        hosts: list('dynamic_route_configs').flatMap(({ route_config }) =>
          ((route_config as { virtual_hosts?: { name: string }[] }).virtual_hosts ?? []).map(({ name }) => name),
        ),
      };
    },
    logTail: () => envoy.logTail(),
    async stop() {
      await envoy.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

export async function whenReady(sidecar: Sidecar): Promise<void> {
  await waitFor(
    'the sidecar to be ready',
    async () => (await sidecar.admin('/ready')).startsWith('LIVE'),
    {},
    () => sidecar.logTail(),
  );
}

/** The service `shop/<name>` in cluster east with one endpoint per workload, whose version is the workload's name. */
export function putService(rig: PilotRig, name: string, workloads: readonly Pick<Workload, 'name' | 'port'>[]): void {
  const endpoints = workloads.map((workload) =>
    endpoint('east', '127.0.0.1', { version: workload.name, ports: new Map([['http', workload.port]]) }),
  );
  rig.service('east', name, [], { ports: [port(80)], endpoints });
}
