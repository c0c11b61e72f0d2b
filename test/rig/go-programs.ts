/**
 * Programs that tests need and that exist as Go modules. In: a module's folder and its packages; out: a folder that holds the programs.
 *
 * They are built once into Fairway's cache (`FAIRWAY_CACHE`, else `~/.cache/fairway`), in a folder named by a hash of all that decides them: the
 * module's files, the packages, the compiler. So what is found there is what would be built, and a changed module never runs an old program;
 * old ones go (program-cache.ts).
 * What always holds: a program in the cache is whole (built beside it and renamed into place); what takes long says so.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './process.ts';
import { cacheRoot, openProgramFolder } from './program-cache.ts';

const buildLimitMs = 30 * 60_000;

export interface GoPrograms {
  /** For messages, and the first part of the cache folder's name: `echo`. */
  readonly name: string;
  /** The folder with go.mod. */
  readonly module: string;
  /** Program by the package it is built from: `server` of `istio.io/istio/pkg/test/echo/cmd/server`, `.` for the module's own. */
  readonly programs: Readonly<Record<string, string>>;
  /** `test`: the packages' tests, as `go test -c` makes them. Default `build`. */
  readonly mode?: 'build' | 'test';
}

type Say = (message: string) => void;

/** The folder that holds all of the programs. Throws with what to do when there is no Go, or when it cannot build them. */
export async function goPrograms(wanted: GoPrograms, say: Say = sayOnStderr): Promise<string> {
  const go = findGo();
  if (go === undefined) {
    throw new Error(`${wanted.name}: there is no Go to build it with; install Go 1.26 or newer`);
  }
  const cache = openProgramFolder(cacheRoot(), wanted.name, hashOf(wanted, go), say);
  const missing = Object.keys(wanted.programs).filter((program) => !existsSync(join(cache, program)));
  if (missing.length === 0) return cache;
  say(`building ${missing.join(', ')} with ${go} into ${cache}: a minute or two, once`);
  const temporary = mkdtempSync(join(cache, 'build-'));
  try {
    for (const program of missing) {
      const startedMs = performance.now();
      await build(go, wanted, program, join(temporary, program));
      renameSync(join(temporary, program), join(cache, program));
      say(`built ${program} in ${Math.round((performance.now() - startedMs) / 1000)} s`);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return cache;
}

/** undefined where there is none. */
export function findGo(): string | undefined {
  return findProgram('go') ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : undefined);
}

/** Where a module of the go.mod in `folder` lies on this machine, as `go` keeps it; downloaded if need be. */
export function goModuleFolder(folder: string, module: string): string {
  const go = findGo();
  if (go === undefined) throw new Error(`${module}: there is no Go to fetch it with; install Go 1.26 or newer`);
  for (const args of [
    ['mod', 'download', module],
    ['list', '-m', '-f', '{{.Dir}}', module],
  ]) {
    const { status, stdout, stderr } = spawnSync(go, args, { cwd: folder, env: environment(), encoding: 'utf8' });
    if (status !== 0) throw new Error(`go ${args.join(' ')} in ${folder}: exit ${status}\n${stderr}`);
    if (args[0] === 'list') return stdout.trim();
  }
  throw new Error('unreachable');
}

function hashOf(wanted: GoPrograms, go: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(wanted.module).sort()) {
    if (!/\.go$|^go\.(mod|sum)$/.test(file)) continue;
    hash.update(`${file}\0`).update(readFileSync(join(wanted.module, file)));
  }
  const version = spawnSync(go, ['env', 'GOVERSION'], { cwd: wanted.module, env: environment(), encoding: 'utf8' });
  hash.update(JSON.stringify([version.stdout.trim(), wanted.mode ?? 'build', wanted.programs]));
  return hash.digest('hex').slice(0, 12);
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', CGO_ENABLED: '0' };
}

async function build(go: string, wanted: GoPrograms, program: string, output: string): Promise<void> {
  const command = wanted.mode === 'test' ? ['test', '-c'] : ['build'];
  const args = [...command, '-trimpath', '-ldflags', '-s -w', '-o', output, wanted.programs[program] ?? '.'];
  const child = spawn(go, args, {
    cwd: wanted.module,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: buildLimitMs,
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<number | string | null>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve(code ?? signal));
  const exit = await promise;
  if (exit !== 0) throw new Error(`go ${args.join(' ')}: exit ${exit}\n${Buffer.concat(said)}`);
}

function sayOnStderr(message: string): void {
  process.stderr.write(`${message}\n`);
}
