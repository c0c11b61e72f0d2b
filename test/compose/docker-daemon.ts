/**
 * A Docker daemon of the test's own: own data, own socket, ended with all it made. In: a folder; out: how to call docker and docker-compose.
 * What always holds: the machine's own daemon, if there is one, is not touched, and the firewall is as it was before.
 */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installDebianPackages } from '../rig/kubernetes/binaries.ts';
import { findProgram, startProcess } from '../rig/process.ts';
import { waitFor } from '../rig/wait.ts';

export interface DockerDaemon {
  /** Runs a program (docker, docker-compose) against this daemon; returns its stdout; throws with its stderr. */
  run(program: string, args: readonly string[], options?: RunOptions): string;
  /** As `run`, for what takes long: its output is shown while it comes. */
  runLoudly(program: string, args: readonly string[], options?: RunOptions): Promise<void>;
  stop(): Promise<void>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

/** Installs what is absent (Debian, as root), then starts dockerd; the data lies in `folder`. */
export async function startDocker(folder: string): Promise<DockerDaemon> {
  if (process.getuid?.() !== 0) throw new Error('needs root: it starts a Docker daemon of its own; run it with sudo');
  installMissing();
  mkdirSync(folder, { recursive: true });
  const socket = `unix://${join(folder, 'docker.sock')}`;
  const firewall = saveFirewall();
  const daemon = await startProcess({
    name: 'dockerd',
    command: findProgram('dockerd') ?? '/usr/sbin/dockerd',
    args: [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
      ...['--host', socket, '--bridge', 'none', '--group', 'root', '--log-level', 'warn'],
    ],
    logFile: join(folder, 'dockerd.log'),
  });
  // Debian's client beside Debian's daemon: another one on PATH may be of another age. And no build plugin is needed.
  const env = {
    ...process.env,
    DOCKER_HOST: socket,
    DOCKER_BUILDKIT: '0',
    COMPOSE_DOCKER_CLI_BUILD: '0',
    PATH: `/usr/bin:/usr/sbin:${process.env['PATH']}`,
  };
  const run: DockerDaemon['run'] = (program, args, options = {}) => {
    const result = spawnSync(program, args, {
      cwd: options.cwd,
      input: options.input,
      env: { ...env, ...options.env },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (result.error !== undefined) throw result.error;
    if (result.status !== 0)
      throw new Error(`${program} ${args.join(' ')}: exit ${result.status}\n${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const stop = async (): Promise<void> => {
    await daemon.stop(30_000);
    unmountBelow(folder);
    restoreFirewall(firewall);
  };
  try {
    await waitFor('dockerd answers', () => run('docker', ['version', '--format', '{{.Server.Version}}']) !== '', {
      timeoutMs: 60_000,
    });
  } catch (error) {
    const log = daemon.logTail(20);
    await stop();
    throw new Error(`dockerd did not start: ${log}`, { cause: error });
  }
  return {
    run,
    runLoudly: (program, args, options = {}) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, {
          cwd: options.cwd,
          env: { ...env, ...options.env },
          stdio: ['ignore', 'inherit', 'inherit'],
        });
        child.once('error', reject);
        child.once('exit', (code) =>
          code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')}: exit ${code}`)),
        );
      }),
    stop,
  };
}

function installMissing(): void {
  const needed = new Map([
    ['/usr/sbin/dockerd', 'docker.io'],
    ['/usr/bin/docker-compose', 'docker-compose'],
    ['/usr/bin/etcd', 'etcd-server'],
    ['/usr/bin/etcdctl', 'etcd-client'],
    ['/bin/busybox', 'busybox-static'],
    ['/usr/sbin/iptables', 'iptables'],
  ]);
  const missing = [...needed].filter(([path]) => !existsSync(path)).map(([, name]) => name);
  if (missing.length > 0) installDebianPackages(missing);
}

/** dockerd leaves its data folder mounted on itself, and whatever a container that would not end still held. */
function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((place) => place.startsWith(`${folder}/`));
  for (const place of mounts.reverse()) spawnSync('umount', ['--lazy', place]);
}

function saveFirewall(): string {
  return execFileSync('iptables-save', { encoding: 'utf8' });
}

/** dockerd leaves its chains behind. */
function restoreFirewall(saved: string): void {
  const tables = [...saved.matchAll(/^\*(\S+)/gm)].map((match) => match[1] ?? '');
  const empty = ['filter', 'nat'].filter((table) => !tables.includes(table));
  const reset = empty.map((table) => `*${table}\n${chainsOf(table)}COMMIT\n`).join('');
  execFileSync('iptables-restore', { input: `${saved}${reset}` });
}

function chainsOf(table: string): string {
  const chains = table === 'nat' ? ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'] : ['INPUT', 'FORWARD', 'OUTPUT'];
  return chains.map((chain) => `:${chain} ACCEPT [0:0]\n`).join('');
}

/** What the compose project says of images: NAME=value lines. */
export function readEnvFile(path: string): ReadonlyMap<string, string> {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => /^[A-Z_]+=/.test(line));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
