/** Starts and reads a load (load.ts) on a host. Out: what was answered and what failed, by the time at which each request started. */

import { join } from 'node:path';
import { type RigProcess, startProcess } from '../process.ts';
import { waitFor } from '../wait.ts';
import type { Host } from './network.ts';

export interface LoadOptions {
  readonly host: Host;
  /** `address:port` to connect to. */
  readonly target: string;
  /** The Host header. */
  readonly authority: string;
  readonly ratePerS: number;
  readonly connections?: number;
  readonly path?: string;
  readonly headers?: readonly string[];
  readonly logFile: string;
}

export interface LoadTotals {
  readonly started: number;
  readonly answered: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Window {
  readonly at: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly at: number; readonly why: string }[];
}

export interface Load {
  readonly name: string;
  /** Answers by `200 <version> <cluster>`, of the complete 100 ms windows that started in [fromMs, toMs), wall clock. */
  answers(fromMs: number, toMs?: number): ReadonlyMap<string, number>;
  /** One line each, all of them so far: when, and why. */
  failures(): readonly string[];
  /** Waits until at least `count` requests that started after now were answered or failed; gives the answers among them. */
  next(count: number): Promise<ReadonlyMap<string, number>>;
  /** Waits until `enough` holds for the answers of the newest complete 300 ms, and gives them. */
  until(
    what: string,
    enough: (answers: ReadonlyMap<string, number>) => boolean,
    timeoutMs?: number,
  ): Promise<ReadonlyMap<string, number>>;
  /** Ends the load, waiting for all that is under way. */
  stop(): Promise<LoadTotals>;
}

const program = join(import.meta.dirname, 'load.ts');

export async function startLoad(options: LoadOptions): Promise<Load> {
  const windows: Window[] = [];
  let totals: LoadTotals | undefined;
  const args = [program, '--target', options.target, '--host', options.authority, '--rate', String(options.ratePerS)];
  args.push('--connections', String(options.connections ?? 16), '--path', options.path ?? '/');
  for (const header of options.headers ?? []) args.push('--header', header);
  const name = `load on ${options.host.name}`;
  const child: RigProcess = await startProcess({
    name,
    command: process.execPath,
    args,
    wrapper: options.host.enter,
    logFile: options.logFile,
    onLine(line) {
      const message = JSON.parse(line) as Window & LoadTotals & { done?: true };
      if (message.done) totals = message;
      else windows.push(message);
    },
  });

  const sum = (chosen: readonly Window[]): ReadonlyMap<string, number> => {
    const answers = new Map<string, number>();
    for (const window of chosen) {
      for (const [answer, count] of Object.entries(window.answers))
        answers.set(answer, (answers.get(answer) ?? 0) + count);
    }
    return answers;
  };
  const between = (fromMs: number, toMs: number): readonly Window[] =>
    windows.filter(({ at }) => at >= fromMs && at + 100 <= toMs);
  const count = (chosen: readonly Window[]): number => {
    return chosen.reduce(
      (total, window) => total + window.failures.length + [...sum([window]).values()].reduce((a, b) => a + b, 0),
      0,
    );
  };
  const alive = (): void => {
    if (!child.running() && totals === undefined) throw new Error(`${name} ended: ${child.logTail()}`);
  };
  const load: Load = {
    name,
    answers: (fromMs, toMs = Number.POSITIVE_INFINITY) => sum(between(fromMs, toMs)),
    failures: () => {
      return windows.flatMap(({ failures }) =>
        failures.map(({ at, why }) => `${new Date(at).toISOString()} ${name}: ${why}`),
      );
    },
    async next(wanted) {
      alive();
      const fromMs = Date.now();
      const chosen = (): readonly Window[] => between(fromMs, Number.POSITIVE_INFINITY);
      await waitFor(`${wanted} answers of ${name}`, () => count(chosen()) >= wanted, { timeoutMs: 30_000 });
      return sum(chosen());
    },
    async until(what, enough, timeoutMs = 15_000) {
      alive();
      const newest = (): readonly Window[] => {
        const last = windows.at(-1)?.at ?? 0;
        return windows.filter(({ at }) => at > last - 300);
      };
      const describe = (): string => JSON.stringify(Object.fromEntries(sum(newest())));
      const holds = (): ReadonlyMap<string, number> | false => {
        const answers = sum(newest());
        return answers.size > 0 && enough(answers) ? answers : false;
      };
      return waitFor(`${what} as ${name} sees it`, holds, { timeoutMs, intervalMs: 20 }, describe);
    },
    async stop() {
      if (child.running()) child.signal('SIGTERM');
      await child.exited;
      await waitFor(
        `the totals of ${name}`,
        () => totals !== undefined,
        { timeoutMs: 2000 },
        () => child.logTail(),
      );
      if (totals === undefined) throw new Error('unreachable');
      return totals;
    },
  };
  return load;
}

/** The share of one answer, 0 to 1. */
export function share(answers: ReadonlyMap<string, number>, answer: string): number {
  const total = [...answers.values()].reduce((a, b) => a + b, 0);
  return total === 0 ? 0 : (answers.get(answer) ?? 0) / total;
}
