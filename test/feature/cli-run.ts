/** Runs the `fairway` command as a person does: a process of its own, judged by what it prints and how it ends. */

import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const mainFile = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface Run {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** All of the environment but PATH, which is this process's unless given. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly program?: string;
}

/** Many short processes run the same sources: Node keeps them compiled here (it throws away what is out of date). */
const compiled = join(tmpdir(), 'fairway-test-compile-cache');

export function fairway(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { env = {}, input = '', program = mainFile } = options;
  const all = { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: compiled, ...env };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { env: all });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.once('error', reject);
    child.once('close', (exit) => resolve({ exit, out, err }));
    // A command that ends without reading leaves a broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
