/**
 * Child processes of the rig. In: a command; out: a handle that can be signalled and stopped.
 * What always holds: every process is in a group of its own, writes to a log file, and ends with this process, however that ends: by its
 * own exit, by SIGINT or SIGTERM, and (where util-linux' `setpriv` is at hand) by SIGKILL too.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ProcessOptions {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Put before the command, as in `['ip', 'netns', 'exec', 'pod-1']`. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Takes stderr, and stdout unless `onLine` does. Appended to. */
  readonly logFile: string;
  /** Gets stdout line by line. */
  readonly onLine?: (line: string) => void;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RigProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<ProcessExit>;
  running(): boolean;
  /** Signals the process alone. */
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, then after `graceMs` (default 5 s) SIGKILL to the whole group. */
  stop(graceMs?: number): Promise<ProcessExit>;
  /** SIGKILL to the whole group. */
  kill(): Promise<ProcessExit>;
  /** The last lines of the log, for error messages. */
  logTail(lines?: number): string;
}

const living = new Set<number>();
let exitHandlersInstalled = false;
let pdeathsigSupported: boolean | undefined;

/** Starts a process. Throws when the command cannot be executed at all. */
export async function startProcess(options: ProcessOptions): Promise<RigProcess> {
  installExitHandlers();
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const argv = [...parentDeathPrefix(), ...(options.wrapper ?? []), options.command, ...options.args];
  let child: ChildProcess;
  try {
    child = spawn(argv[0] ?? '', argv.slice(1), {
      detached: true,
      stdio: ['ignore', options.onLine === undefined ? log : 'pipe', log],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } finally {
    closeSync(log);
  }
  const pid = child.pid ?? 0;
  living.add(pid);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(pid, 'SIGKILL');
      living.delete(pid);
      resolve({ code, signal });
    });
  });
  if (options.onLine !== undefined && child.stdout !== null) readLines(child.stdout, options.onLine);
  return new OwnedProcess(options, child, pid, exited);
}

class OwnedProcess implements RigProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;

  constructor(options: ProcessOptions, child: ChildProcess, pid: number, exited: Promise<ProcessExit>) {
    this.name = options.name;
    this.logFile = options.logFile;
    this.pid = pid;
    this.exited = exited;
    this.#child = child;
  }

  running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running()) this.#child.kill(signal);
  }

  async stop(graceMs = 5000): Promise<ProcessExit> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const timer = setTimeout(() => signalGroup(this.pid, 'SIGKILL'), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  kill(): Promise<ProcessExit> {
    if (this.running()) signalGroup(this.pid, 'SIGKILL');
    return this.exited;
  }

  logTail(lines = 20): string {
    if (!existsSync(this.logFile)) return '';
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

/** Runs a command to its end; throws with its stderr when it fails. Blocks: for short commands only. */
export function runSync(command: string, args: readonly string[], input?: string): string {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
    ...(input === undefined ? {} : { input }),
  });
  if (result.error !== undefined) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: exit ${result.status ?? result.signal}\n${result.stderr}`.trimEnd());
  }
  return result.stdout;
}

/** The path of a program in PATH (and the folders where Debian keeps administrators' tools), or undefined. */
export function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin']) {
    if (folder !== '' && existsSync(`${folder}/${name}`)) return `${folder}/${name}`;
  }
  return undefined;
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

/** The kernel ends the child when this process dies, even by SIGKILL. */
function parentDeathPrefix(): readonly string[] {
  if (pdeathsigSupported === undefined) {
    const probe = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']);
    pdeathsigSupported = probe.status === 0;
  }
  return pdeathsigSupported ? ['setpriv', '--pdeathsig', 'KILL'] : [];
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

function installExitHandlers(): void {
  if (exitHandlersInstalled) return;
  exitHandlersInstalled = true;
  process.on('exit', () => {
    for (const pid of living) signalGroup(pid, 'SIGKILL');
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
}
