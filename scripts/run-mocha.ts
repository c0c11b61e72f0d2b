/**
 * Runs mocha in a process of its own. In: its arguments, environment and limit; out: its exit code, once it and all that its tests started has ended.
 *
 * What always holds: it returns. A run that takes longer than the limit is ended and has failed. Processes that outlive mocha are named on stderr and ended.
 */

import { spawn } from 'node:child_process';
import {
  describeLeftovers,
  endLeftovers,
  findLeftovers,
  type Leftover,
  newRunSign,
  runVariable,
} from '../test/support/leftovers.ts';

const endingMs = 1000;

export interface MochaRun {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly limitMs: number;
}

/** Throws when mocha cannot be started at all. */
export async function runMocha({ args, env, limitMs }: MochaRun): Promise<number> {
  const sign = newRunSign();
  const mocha = spawn('mocha', args, { stdio: 'inherit', env: { ...env, [runVariable]: sign } });
  let wasEnded = false;
  const limit = setTimeout(() => {
    wasEnded = true;
    process.stderr.write(`the tests take longer than ${Math.round(limitMs / 1000)} s: they are ended\n`);
    mocha.kill('SIGKILL');
  }, limitMs);
  // Ctrl-C reaches mocha by the terminal; this process stays to give its exit code, and to end what is left.
  const onInterrupt = (): void => {};
  const onTerminate = (): void => void mocha.kill('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      mocha.once('error', reject);
      mocha.once('exit', resolve);
    });
    return wasEnded ? 1 : (code ?? 1);
  } finally {
    clearTimeout(limit);
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
    const left = await leftAfterMocha(sign);
    if (left.length > 0) {
      process.stderr.write(`the tests left processes behind, which are ended now: ${describeLeftovers(left)}\n`);
      endLeftovers(left);
    }
  }
}

/** Those that mocha's own end has ended take a moment to go. */
async function leftAfterMocha(sign: string): Promise<readonly Leftover[]> {
  const deadline = performance.now() + endingMs;
  for (;;) {
    const left = findLeftovers(sign);
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
