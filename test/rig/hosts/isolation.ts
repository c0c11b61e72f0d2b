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

/** Programs that are missing, as Debian's packages; `more` names packages by program, beside what isolation itself needs. */
export function missingPackages(more: Readonly<Record<string, string>> = {}): readonly string[] {
  const needed = Object.entries({ ...neededPrograms, ...more });
  const missing = needed.filter(([program]) => findProgram(program) === undefined);
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
    // unshare ends everything inside when it ends, and it ends with this process.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...unshareFlags(), command, ...args], {
      stdio: 'inherit',
      env: { ...process.env, [insideVariable]: marking },
    });
    const timers = new Set<NodeJS.Timeout>();
    const killAfter = (delayMs: number, why: string): void => {
      const kill = (): void => {
        process.stderr.write(`${why}: ending everything\n`);
        child.kill('SIGKILL');
      };
      timers.add(setTimeout(kill, delayMs));
    };
    // unshare itself ignores both. A terminal's Ctrl-C reaches those inside too, who get some time to end by themselves.
    const onInterrupt = (): void => killAfter(5000, 'interrupted');
    const onTerminate = (): void => killAfter(0, 'terminated');
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', onTerminate);
    killAfter(limitMs, `the limit of ${Math.round(limitMs / 1000)} s is over`);
    child.once('error', reject);
    child.once('exit', (code) => {
      for (const timer of timers) clearTimeout(timer);
      process.off('SIGINT', onInterrupt);
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
