/**
 * Runs a scene (…-scene.ts) as a process of its own, where wanted in a network namespace of its own, for which no root is needed. In: the scene's file, its
 * arguments, and what must be possible in the namespace. Out: what the scene prints; undefined, and said loudly, where this machine cannot run it.
 */

import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { noEnvoy, saySkipped } from '../support/skips.ts';

const runLimitMs = 80_000;

/** Commands that a scene's namespace has to let pass. */
export const captures = {
  ipv4: 'iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 1',
  ipv6: 'ip6tables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 1',
} as const;

export interface Scene {
  /** Its file's URL, by `import.meta.resolve`. */
  readonly file: string;
  readonly args: readonly string[];
  /** In a network namespace of its own. */
  readonly isAlone: boolean;
}

/** The scene's last word is one line of JSON, whose `envoy` says whether there is one. */
export async function runScene<Observations>({ file, args, isAlone }: Scene): Promise<Observations | undefined> {
  const program = [process.execPath, fileURLToPath(file), ...args];
  const [command = '', ...rest] = isAlone ? ['unshare', '-Urn', ...program] : program;
  const { stdout } = await promisify(execFile)(command, rest, { timeout: runLimitMs });
  const observed = JSON.parse(stdout) as Observations & { readonly envoy?: 'present' | 'absent' };
  return observed.envoy === 'absent' ? saySkipped(noEnvoy) : observed;
}

/** A scene in which connections are captured: not run where this machine has no namespace to do so in. */
export async function runCaptured<Observations>(
  file: string,
  args: readonly string[] = [],
  needs: readonly string[] = [captures.ipv4],
): Promise<Observations | undefined> {
  const lacks = namespaceLacks(needs);
  return lacks === undefined ? await runScene({ file, args, isAlone: true }) : saySkipped(lacks);
}

/** Why there is no network namespace here in which these commands pass; undefined: there is. */
export function namespaceLacks(needs: readonly string[]): string | undefined {
  const probe = ['ip link set lo up', ...needs].join(' && ');
  const { status, stderr, error } = spawnSync('unshare', ['-Urn', 'sh', '-c', probe], { encoding: 'utf8' });
  if (status === 0) return undefined;
  const what = (stderr || String(error)).trim();
  return `no network namespace with iptables here: ${what}; install Debian's iptables and iproute2, and let users have namespaces of their own`;
}
