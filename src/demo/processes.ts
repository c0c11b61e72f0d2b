/** The demo's child processes: the pilot and the Envoys. Each ends with the demo, however that ends. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

const children = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface RunningProcess {
  readonly pid: number;
  /** Rejects if it ends before `stop` is called. */
  readonly ended: Promise<void>;
  /** SIGTERM, and SIGKILL after 5 s. */
  stop(): Promise<void>;
}

/** Starts a process whose stderr goes to `logFile`; `onLine` is given its stdout line by line. */
export function start(
  command: readonly [string, ...string[]],
  logFile: string,
  onLine: (line: string) => void = () => {},
): RunningProcess {
  const [file, ...args] = command;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stderr.pipe(log);
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.write(`${line}\n`);
    onLine(line);
  });
  let stopping = false;
  const exit = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const ended = exit.then((how) => {
    children.delete(child);
    if (!stopping) throw new Error(`${file} ended by itself (${how}); see ${logFile}`);
  });
  ended.catch(() => {});
  return {
    pid: child.pid ?? 0,
    ended,
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exit;
      clearTimeout(kill);
    },
  };
}

export interface ReadyLine {
  readonly xds: string;
  readonly admin: string;
}

/** Starts `fairway serve` with this very program; resolves once it says that it is ready. */
export async function startPilot(
  args: readonly string[],
  logFile: string,
): Promise<{ process: RunningProcess; ready: ReadyLine }> {
  const main = process.argv[1];
  if (main === undefined) throw new Error('the demo does not know its own program');
  return new Promise((resolve, reject) => {
    const running: RunningProcess = start([process.execPath, main, 'serve', ...args], logFile, (line) => {
      if (line.startsWith('{"ready":true')) resolve({ process: running, ready: JSON.parse(line) as ReadyLine });
    });
    running.ended.catch(reject);
  });
}
