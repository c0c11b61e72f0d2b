/** Runs a suite's program to its end. In: a command; out: all that it printed, on both streams, which is in a log file too. */

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export interface ProgramEnd {
  readonly output: string;
  /** null when a signal ended it. */
  readonly exitCode: number | null;
}

export async function runProgram(
  command: string,
  args: readonly string[],
  kubeconfig: string,
  logFile: string,
  { cwd }: { readonly cwd?: string } = {},
): Promise<ProgramEnd> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
  const log = createWriteStream(logFile);
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said.push(chunk);
      log.write(chunk);
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const exitCode = await promise;
  log.end();
  return { output: Buffer.concat(said).toString(), exitCode };
}
