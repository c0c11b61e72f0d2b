/** Control planes that are measured beside each other, each a process of its own that reads the same Kubernetes API. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorMessage } from '../src/core/errors.ts';
import type { KubeApi } from '../test/rig/kubernetes/api.ts';
import { freePort } from '../test/rig/ports.ts';
import { type RigProcess, runSync, startProcess } from '../test/rig/process.ts';
import { waitFor } from '../test/rig/wait.ts';
import type { Shape } from './load/shape.ts';
import type { Transport } from './load/wire.ts';
import { type RuleKind, trafficRule, virtualService } from './peer-mesh.ts';

/** The mesh is read from this cluster; proxies say that they are in it. */
const clusterName = 'load';
const readyMaxMs = 180_000;

export interface Contender {
  /** In the names of series. */
  readonly role: 'fairway' | 'peer';
  /** What it is, and how it was set up; one line. */
  readonly about: string;
  readonly rules: RuleKind;
  /** How its clients ask for routes: what its sidecars do with its own bootstrap. */
  readonly shape: Readonly<Record<Transport, Shape>>;
  /** Resolves when it serves all that the API holds. */
  start(api: KubeApi, dir: string): Promise<RunningContender>;
}

export interface RunningContender {
  readonly process: RigProcess;
  /** Where it speaks xDS without TLS, `host:port`. */
  readonly address: string;
  /** From its start until it was ready. */
  readonly startedMs: number;
}

/** This tree's own pilot, compiled where this file is. */
export function fairway(): Contender {
  const isSource = import.meta.url.endsWith('.ts');
  const program = fileURLToPath(new URL(`../src/cli/main.${isSource ? 'ts' : 'js'}`, import.meta.url));
  return {
    role: 'fairway',
    about:
      'Fairway: fairway serve with its defaults, without access log; its delta clients take virtual hosts one by one (VHDS)',
    rules: trafficRule,
    shape: { delta: 'vhds', sotw: 'tables' },
    async start(api, dir) {
      const address = `127.0.0.1:${await freePort()}`;
      const admin = `127.0.0.1:${await freePort()}`;
      const reading = ['--kubeconfig', api.kubeconfig, '--context', `${clusterName}=${api.name}`];
      let isReady = false;
      return started(
        {
          name: 'fairway serve',
          command: process.execPath,
          args: [
            program,
            'serve',
            '--xds',
            address,
            '--admin',
            admin,
            ...reading,
            '--no-access-log',
            '--log-format',
            'json',
          ],
          logFile: join(dir, 'fairway.log'),
          onLine(line) {
            if (line.startsWith('{"ready":true')) isReady = true;
          },
        },
        address,
        async () => isReady,
      );
    },
  };
}

/** Its limits of new streams a second and of pushes at a time are lifted: they are set for production, and would be what is measured. */
const istioLimits = { PILOT_MAX_REQUESTS_PER_SECOND: '10000', PILOT_PUSH_THROTTLE: '100' };
/** The clients share its cores: in a storm they may answer a ping later than its 10 s, and that would be the bench's doing. */
const keepaliveTimeout = '120s';
/** Certificates, injection and validation are no part of what is measured, and need what a lone API does not have. */
const istioOff = { ENABLE_CA_SERVER: 'false', VALIDATION_WEBHOOK_CONFIG_NAME: '', INJECTION_WEBHOOK_CONFIG_NAME: '' };

/** Istio's pilot, a `pilot-discovery` that the caller has. Throws when it does not say its version. */
export function istio(path: string): Contender {
  const version = versionOf(path);
  const settings = Object.entries(istioLimits).map(([name, value]) => `${name}=${value}`);
  return {
    role: 'peer',
    about: `peer: pilot-discovery ${version}, ${settings.join(' ')} --keepaliveTimeout ${keepaliveTimeout}, everything else its defaults, no CA and no webhooks`,
    rules: virtualService,
    shape: { delta: 'tables', sotw: 'tables' },
    async start(api, dir) {
      await api.client.request('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'istio-system' },
      });
      const meshFile = join(dir, 'mesh.yaml');
      writeFileSync(meshFile, '{}\n');
      const [address = '', http = '', monitoring = ''] = await Promise.all(
        [0, 1, 2].map(async () => `127.0.0.1:${await freePort()}`),
      );
      const listening = ['--grpcAddr', address, '--httpAddr', http, '--monitoringAddr', monitoring];
      return started(
        {
          name: 'pilot-discovery',
          command: path,
          args: [
            'discovery',
            ...['--kubeconfig', api.kubeconfig, '--clusterID', clusterName, '--namespace', 'istio-system'],
            ...[...listening, '--secureGRPCAddr', '', '--httpsAddr', ''],
            ...['--keepaliveTimeout', keepaliveTimeout],
            ...['--meshConfig', meshFile, '--networksConfig', join(dir, 'no-networks.yaml')],
          ],
          cwd: dir,
          env: { ...istioLimits, ...istioOff, POD_NAMESPACE: 'istio-system', POD_NAME: 'bench' },
          logFile: join(dir, 'pilot-discovery.log'),
        },
        address,
        async () => (await fetch(`http://${http}/ready`, { signal: AbortSignal.timeout(2000) })).ok,
      );
    },
  };
}

function versionOf(path: string): string {
  try {
    return runSync(path, ['version', '--short']).trim().replace('client version: ', '');
  } catch (error) {
    throw new Error(
      `--peer ${path}: it did not say its version; give a pilot-discovery of Istio\n${errorMessage(error)}`,
      { cause: error },
    );
  }
}

async function started(
  options: Parameters<typeof startProcess>[0],
  address: string,
  isReady: () => Promise<boolean>,
): Promise<RunningContender> {
  const beganMs = performance.now();
  const child = await startProcess(options);
  const ended = child.exited.then(({ code, signal }) => {
    throw new Error(`${child.name} ended (${code ?? signal}) before it was ready:\n${child.logTail()}`);
  });
  ended.catch(() => {});
  try {
    const limits = { timeoutMs: readyMaxMs, intervalMs: 50 };
    await Promise.race([ended, waitFor(`${child.name} to be ready`, isReady, limits, () => child.logTail(5))]);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return { process: child, address, startedMs: performance.now() - beganMs };
}
