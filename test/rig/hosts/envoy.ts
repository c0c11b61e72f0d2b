/**
 * A real Envoy as a host's sidecar, configured by the bootstrap that the product renders. In: who the workload is; out: a handle with what
 * Envoy says of itself. Its admin page listens on the host's address, so that tests reach it; that alone differs from what people get.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findEnvoy } from '../../../src/cli/envoy-binary.ts';
import { type BootstrapOptions, renderBootstrap } from '../../../src/envoy/bootstrap.ts';
import { type RigProcess, startProcess } from '../process.ts';
import { waitFor } from '../wait.ts';
import { isolation } from './isolation.ts';
import { type Host, proxyPacketMark } from './network.ts';

const adminPort = 15_000;
/** Linux' numbers, for where Envoy has no group of its own. */
const solSocket = 1;
const soMark = 36;

export interface SidecarOptions {
  readonly host: Host;
  /** A folder of its own. */
  readonly dir: string;
  readonly bootstrap: Omit<BootstrapOptions, 'adminPort'>;
}

export interface Sidecar {
  readonly process: RigProcess;
  readonly accessLogFile: string;
  /** A GET on the admin page. */
  admin(path: string): Promise<string>;
  /** A counter or gauge; 0 when Envoy has none of that name. */
  stat(name: string): Promise<number>;
  waitReady(): Promise<void>;
  /** Lets listeners drain, then ends it. */
  stop(): Promise<void>;
}

/** The binary, found (or installed) once. Call it before isolation, where nothing can be fetched any more. */
export async function envoyBinary(say: (line: string) => void): Promise<string> {
  return (await findEnvoy({ env: process.env, log: say })).path;
}

export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { host, dir } = options;
  mkdirSync(dir, { recursive: true });
  const configFile = join(dir, 'envoy.json');
  const bootstrap = renderBootstrap({ ...options.bootstrap, adminPort }) as Bootstrap;
  bootstrap.admin.address.socket_address.address = '0.0.0.0';
  if (isolation() === 'packet-mark') markUpstreamPackets(bootstrap);
  writeFileSync(configFile, JSON.stringify(bootstrap, null, 2));
  const args = ['-c', configFile, '--concurrency', '1', '--use-dynamic-base-id', '--disable-hot-restart'];
  const child = await startProcess({
    name: `envoy of ${host.name}`,
    command: await envoyBinary(() => {}),
    args: [
      ...args,
      '--log-level',
      'warning',
      '--drain-time-s',
      '2',
      '--drain-strategy',
      'immediate',
      '--file-flush-interval-msec',
      '500',
    ],
    wrapper: host.enterAsProxy,
    logFile: join(dir, 'envoy.log'),
  });
  const admin = async (path: string, method = 'GET'): Promise<string> => {
    const response = await fetch(`http://${host.address}:${adminPort}${path}`, {
      method,
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok) throw new Error(`envoy of ${host.name}: ${path}: ${response.status} ${await response.text()}`);
    return response.text();
  };
  return {
    process: child,
    accessLogFile: join(dir, 'envoy.log'),
    admin: (path) => admin(path),
    async stat(name) {
      const line = (await admin(`/stats?filter=${encodeURIComponent(`^${name}$`)}`)).trim();
      return line === '' ? 0 : Number(line.slice(line.lastIndexOf(':') + 1));
    },
    async waitReady() {
      const ended = child.exited.then(() => {
        throw new Error(`${child.name} ended:\n${child.logTail()}`);
      });
      ended.catch(() => {});
      const ready = async (): Promise<boolean> => (await admin('/ready')).startsWith('LIVE');
      await Promise.race([ended, waitFor(child.name, ready, { timeoutMs: 40_000 }, () => child.logTail(5))]);
    },
    async stop() {
      if (child.running()) await admin('/drain_listeners?graceful&skip_exit', 'POST').catch(() => {});
      await child.stop(3000);
    },
  };
}

interface Bootstrap {
  readonly admin: { readonly address: { readonly socket_address: { address: string } } };
  cluster_manager?: Record<string, unknown>;
}

/** All that Envoy sends to upstreams carries the mark; https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto */
function markUpstreamPackets(bootstrap: Bootstrap): void {
  const option = {
    description: 'SO_MARK',
    level: solSocket,
    name: soMark,
    int_value: proxyPacketMark,
    state: 'STATE_PREBIND',
  };
  bootstrap.cluster_manager = { ...bootstrap.cluster_manager, upstream_bind_config: { socket_options: [option] } };
}
