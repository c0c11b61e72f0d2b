/**
 * Finds the programs of a Kubernetes control plane and of its nodes, or makes them. In: the environment; out: paths.
 *
 * kube-apiserver, kube-controller-manager, kubectl and the nodes' programs: the folder FAIRWAY_KUBE_BIN, else Fairway's cache, else built with Go from the
 * module beside this file into that cache (minutes, once). etcd: PATH; on a Debian machine in CI, as root, it is installed.
 * What always holds: a program in the cache is whole (built beside it and renamed into place); what takes long says so on stderr.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findGo } from '../go-programs.ts';
import { findProgram } from '../process.ts';
import { cacheRoot } from '../program-cache.ts';

export const kubernetesVersion = '1.36.1';
const programs = ['kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
const nodePrograms = ['kubelet', 'kube-proxy', 'kube-scheduler'] as const;
const buildLimitMs = 60 * 60_000;

export interface KubernetesBinaries {
  readonly apiserver: string;
  readonly controllerManager: string;
  readonly kubectl: string;
  readonly etcd: string;
}

/** Finds or makes all of them. Throws with what to do when it cannot. */
export async function findKubernetes(say: (message: string) => void = sayOnStderr): Promise<KubernetesBinaries> {
  if (process.env['FAIRWAY_TESTS'] === 'plain') {
    throw new Error(
      'npm test runs without Kubernetes: name the file of this test kube-… or crd…, so that npm run kube runs it',
    );
  }
  const etcd = findEtcd(say);
  const folder = await folderWith(programs, say);
  return {
    apiserver: join(folder, 'kube-apiserver'),
    controllerManager: join(folder, 'kube-controller-manager'),
    kubectl: join(folder, 'kubectl'),
    etcd,
  };
}

/** What makes a cluster of an API: its scheduler, and a node's own programs. */
export interface NodeBinaries {
  readonly kubelet: string;
  readonly kubeProxy: string;
  readonly scheduler: string;
}

/** Finds or makes all of them. Throws with what to do when it cannot. */
export async function findNodeBinaries(say: (message: string) => void = sayOnStderr): Promise<NodeBinaries> {
  const folder = await folderWith(nodePrograms, say);
  return {
    kubelet: join(folder, 'kubelet'),
    kubeProxy: join(folder, 'kube-proxy'),
    scheduler: join(folder, 'kube-scheduler'),
  };
}

async function folderWith(wanted: readonly string[], say: (message: string) => void): Promise<string> {
  const folder = process.env['FAIRWAY_KUBE_BIN'] ?? (await cachedOrBuilt(wanted, say));
  for (const program of wanted) {
    if (!existsSync(join(folder, program))) {
      throw new Error(
        `FAIRWAY_KUBE_BIN=${folder} holds no ${program}: give a folder with ${wanted.join(', ')}, or unset it`,
      );
    }
  }
  return folder;
}

function cacheFolder(): string {
  return join(cacheRoot(), `kubernetes-v${kubernetesVersion}`);
}

async function cachedOrBuilt(wanted: readonly string[], say: (message: string) => void): Promise<string> {
  const cache = cacheFolder();
  const missing = wanted.filter((program) => !existsSync(join(cache, program)));
  if (missing.length === 0) return cache;
  const go = findGo();
  if (go === undefined) {
    throw new Error(
      `${missing.join(', ')} v${kubernetesVersion} are neither in ${cache} nor can they be built, since there is no Go: install Go 1.26 or newer, ` +
        `or set FAIRWAY_KUBE_BIN to a folder that holds ${wanted.join(', ')}`,
    );
  }
  mkdirSync(cache, { recursive: true });
  say(
    `building ${missing.join(', ')} v${kubernetesVersion} with ${go} into ${cache}: about 6 to 10 minutes on two cores, once`,
  );
  const temporary = mkdtempSync(join(cache, 'build-'));
  try {
    for (const program of missing) {
      const startedMs = performance.now();
      await build(go, program, join(temporary, program), say);
      renameSync(join(temporary, program), join(cache, program));
      say(`built ${program} in ${Math.round((performance.now() - startedMs) / 1000)} s`);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return cache;
}

/** Where go.mod is: beside this file, also when this was compiled into dist/. */
function moduleFolder(): string {
  const source = join(import.meta.dirname, '../../../../test/rig/kubernetes');
  return existsSync(join(import.meta.dirname, 'go.mod')) ? import.meta.dirname : source;
}

/** Says every half a minute that it is still at it. */
function build(go: string, program: string, output: string, say: (message: string) => void): Promise<void> {
  const [major, minor] = kubernetesVersion.split('.');
  const flag = (name: string, value: string | undefined): string => `-X k8s.io/component-base/version.${name}=${value}`;
  const ldflags = [
    '-s',
    '-w',
    flag('gitVersion', `v${kubernetesVersion}`),
    flag('gitMajor', major),
    flag('gitMinor', minor),
  ].join(' ');
  const args = ['build', '-trimpath', '-ldflags', ldflags, '-o', output, `k8s.io/kubernetes/cmd/${program}`];
  const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' };
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(go, args, {
      cwd: moduleFolder(),
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: buildLimitMs,
    });
    const stillAtIt = setInterval(
      () => say(`still building ${program}, ${Math.round((performance.now() - startedMs) / 1000)} s so far`),
      30_000,
    );
    const ended = (error?: Error): void => {
      clearInterval(stillAtIt);
      if (error === undefined) resolve();
      else reject(error);
    };
    child.once('error', (error) => ended(error));
    child.once('exit', (code, signal) => {
      ended(
        code === 0
          ? undefined
          : new Error(`go build k8s.io/kubernetes/cmd/${program}: exit ${code ?? signal}; what it printed is above`),
      );
    });
  });
}

function findEtcd(say: (message: string) => void): string {
  const found = findProgram('etcd');
  if (found !== undefined) return found;
  const canInstall = process.env['CI'] === 'true' && process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (canInstall) {
    installDebianPackages(['etcd-server', 'iptables', 'iproute2'], say);
    const installed = findProgram('etcd');
    if (installed !== undefined) return installed;
  }
  throw new Error(
    'etcd is not in PATH: install it (Debian and Ubuntu: apt-get install etcd-server) and run this again',
  );
}

/** Installs packages with apt-get, saying so. Throws with apt-get's own words. */
export function installDebianPackages(packages: readonly string[], say: (message: string) => void = sayOnStderr): void {
  say(`installing ${packages.join(', ')} with apt-get`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const result = spawnSync('apt-get', args, { env, encoding: 'utf8', timeout: 10 * 60_000 });
    if (result.status !== 0)
      throw new Error(`apt-get ${args.join(' ')}: exit ${result.status ?? result.signal}\n${result.stderr}`);
  }
}

function sayOnStderr(message: string): void {
  process.stderr.write(`${message}\n`);
}
