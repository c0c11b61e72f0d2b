/**
 * What a run of tests leaves behind. In: the sign that all processes of a run bear in their environment; out: those that are still there, by pid and name.
 *
 * What always holds: only processes with this run's own sign are named or ended, whoever their parent is by now. Where there is no /proc, none is found.
 */

import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** The sign's variable. A runner that gives it can look for what is left after mocha's own end. */
export const runVariable = 'FAIRWAY_TEST_RUN';

export interface Leftover {
  readonly pid: number;
  /** Its program, as it was called. */
  readonly name: string;
}

export function newRunSign(): string {
  return randomUUID();
}

/** In the order of their pids; never this process, nor the one that started it (mocha's own wrapper bears the sign too). */
export function findLeftovers(sign: string): readonly Leftover[] {
  const wanted = `${runVariable}=${sign}`;
  return processIds()
    .filter(
      (pid) => pid !== process.pid && pid !== process.ppid && readProcess(pid, 'environ').split('\0').includes(wanted),
    )
    .map((pid) => ({
      pid,
      name: readProcess(pid, 'cmdline').split('\0')[0]?.split('/').at(-1) || 'a process that ends',
    }));
}

/** SIGKILL to each. What is gone by then is well. */
export function endLeftovers(leftovers: readonly Leftover[]): void {
  for (const { pid } of leftovers) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

export function describeLeftovers(leftovers: readonly Leftover[]): string {
  return leftovers.map(({ pid, name }) => `${name} (pid ${pid})`).join(', ');
}

function processIds(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** Empty for a process that is gone, or another user's. */
function readProcess(pid: number, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
