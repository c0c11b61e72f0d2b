/** `fairway envoy`: prints where Envoy is, installing it if need be; `fairway envoy -- ARGS` runs it. */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { CommandContext } from '../command-context.ts';
import { findEnvoy } from '../envoy-binary.ts';
import { type ExitCode, exitCode, failed } from '../failure.ts';

export interface EnvoyFlags {
  readonly install: boolean;
}

export async function runEnvoy(
  args: readonly string[],
  flags: EnvoyFlags,
  { terminal, env, interruptSignal }: CommandContext,
): Promise<ExitCode | number> {
  const { path } = await findEnvoy({ env, install: flags.install, log: (line) => terminal.err(line) });
  if (args.length > 0) return runToEnd(path, args, interruptSignal());
  terminal.out(`${path}\n`);
  return exitCode.ok;
}

/** Resolves to Envoy's own exit code, or 128 + the signal that ended it, as a shell does. */
function runToEnd(path: string, args: readonly string[], signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: 'inherit' });
    // On a terminal Ctrl-C reaches Envoy by itself; a SIGTERM to us must be handed on.
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    child.once('error', (cause) =>
      reject(
        failed(
          {
            code: 'FW-CLI-065',
            message: `${path} cannot be run: ${cause.message}`,
            hint: 'Set ENVOY_BIN to an Envoy for this machine',
          },
          { cause },
        ),
      ),
    );
    child.once('exit', (code, by) => resolve(code ?? 128 + (by === null ? 0 : constants.signals[by])));
  });
}
