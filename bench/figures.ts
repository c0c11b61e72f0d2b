/** Figures out of samples, and out of /proc. */

import { readFileSync } from 'node:fs';

/** The nearest-rank percentile; NaN of nothing. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export interface ProcessFigures {
  readonly residentBytes: number;
  /** User and system time since its start, ms; Linux counts in steps of 10 ms. */
  readonly cpuMs: number;
}

/** Of a process on this (Linux) machine. */
export function readProcess(pid: number): ProcessFigures {
  const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field, the command's name, may hold spaces; what follows its closing parenthesis begins with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    residentBytes: Number(resident ?? Number.NaN) * 1024,
    cpuMs: (Number(fields[11]) + Number(fields[12])) * 10,
  };
}
