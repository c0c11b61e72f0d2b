/** Figures out of samples, and out of /proc. */

import { readFileSync } from 'node:fs';

/** The nearest-rank percentile; NaN of nothing. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** How samples are spread: the value at each of `distributionPercents`, in ms. */
export interface Distribution {
  readonly count: number;
  readonly ms: readonly number[];
}

/** Close together where latencies differ: at the slow end. */
export const distributionPercents = [0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.9, 100] as const;

export function distribution(samples: readonly number[]): Distribution {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (percent: number): number =>
    sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
  return { count: sorted.length, ms: distributionPercents.map(at) };
}

export interface ProcessFigures {
  readonly residentBytes: number;
  /** The most that it was since the start. */
  readonly residentMaxBytes: number;
  /** User and system time since its start, ms; Linux counts in steps of 10 ms. */
  readonly cpuMs: number;
}

/** Of a process on this (Linux) machine. */
export function readProcess(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const memory = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field, the command's name, may hold spaces; what follows its closing parenthesis begins with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    residentBytes: memory('VmRSS'),
    residentMaxBytes: memory('VmHWM'),
    cpuMs: (Number(fields[11]) + Number(fields[12])) * 10,
  };
}
