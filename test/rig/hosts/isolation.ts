/**
 * Puts a program and all it starts into namespaces of their own: network (so that hosts can be made), mounts (so that their names leave no
 * trace), and processes (so that nothing outlives it, whatever happens).
 *
 * In: the command to run again. Out: its exit code. As root, no user namespace is made and Envoy gets a group of its own, as in a pod. Without
 * root, the user namespace maps one user and one group only, so Envoy's connections are told by a packet mark instead.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { findProgram, runSync } from '../process.ts';

const insideVariable = 'FAIRWAY_RIG_ISOLATED';
/** Debian's package by program. */
const neededPrograms = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  ip: 'iproute2',
  iptables: 'iptables',
} as const;

export type ProxyMarking = 'group' | 'packet-mark';

/** Whether this process is inside; then how Envoy's own connections are told apart. */
export function isolation(): ProxyMarking | undefined {
  const value = process.env[insideVariable];
  return value === 'group' || value === 'packet-mark' ? value : undefined;
}

/** Programs that are missing, as Debian's packages. */
export function missingPackages(): readonly string[] {
  const missing = Object.entries(neededPrograms).filter(([program]) => findProgram(program) === undefined);
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))];
}

/** Why namespaces cannot be made here, or undefined. */
export function isolationProblem(): string | undefined {
  const probe = spawnSync('unshare', [...unshareFlags(), 'true'], { encoding: 'utf8', timeout: 20_000 });
  if (probe.status === 0) return undefined;
  return `${(probe.stderr ?? '').trim() || probe.error?.message}: run as root, or allow unprivileged user namespaces (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)`;
}

/** Runs a command isolated, until it ends or `limitMs` has passed. Gives its exit code. */
export function runIsolated(command: string, args: readonly string[], limitMs: number): Promise<number> {
  const marking: ProxyMarking = isRoot() ? 'group' : 'packet-mark';
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', [...unshareFlags(), command, ...args], {
      stdio: 'inherit',
      env: { ...process.env, [insideVariable]: marking },
    });
    const end = (signal: NodeJS.Signals) => (): void => {
      child.kill(signal);
    };
    // unshare ends its children with SIGKILL when it ends itself; a gentler end is theirs to make, so the terminal's Ctrl-C reaches them too.
    const onTerminate = end('SIGTERM');
    process.on('SIGTERM', onTerminate);
    process.on('SIGINT', () => {});
    const timer = setTimeout(() => {
      process.stderr.write(`the limit of ${Math.round(limitMs / 1000)} s is over: ending everything\n`);
      child.kill('SIGKILL');
    }, limitMs);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      process.off('SIGTERM', onTerminate);
      resolve(code ?? 1);
    });
  });
}

/** To be called once inside, before any host is made: loopback up, and a /run of its own for namespaces' names and iptables' lock. */
export function prepareInside(): void {
  runSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  mkdirSync('/run/netns');
  runSync(findProgram('ip') ?? 'ip', ['link', 'set', 'lo', 'up']);
}

function unshareFlags(): readonly string[] {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  return isRoot() ? namespaces : ['--user', '--map-root-user', ...namespaces];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
