/** A pilot as people run it: `fairway serve` as a process of its own. In: its options; out: a handle, once it has said that it is ready. */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterReport, EndpointReport, ProxyReport, RuleReport } from '../../src/model/report.ts';
import { type ProcessExit, type RigProcess, startProcess } from './process.ts';
import { startedOnce } from './started.ts';
import { waitFor } from './wait.ts';

const program = join(import.meta.dirname, '../../src/cli/main.ts');

export interface PilotOptions {
  /** `host:port`; xDS plain. */
  readonly xds: string;
  readonly admin: string;
  /** All other options of `fairway serve`. */
  readonly args: readonly string[];
  readonly logFile: string;
  readonly readyLimitMs?: number;
}

export interface Pilot {
  readonly process: RigProcess;
  /** What it printed on stdout when ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  clusters(): Promise<readonly ClusterReport[]>;
  endpoints(): Promise<readonly EndpointReport[]>;
  rules(): Promise<readonly RuleReport[]>;
  proxies(): Promise<readonly ProxyReport[]>;
  /** SIGTERM; gives how it ended. */
  stop(): Promise<ProcessExit>;
  /** SIGKILL. */
  kill(): Promise<ProcessExit>;
}

export async function startPilot(options: PilotOptions): Promise<Pilot> {
  let ready: Record<string, unknown> | undefined;
  const args = [
    '--disable-proto=delete',
    program,
    'serve',
    '--xds',
    options.xds,
    '--admin',
    options.admin,
    '--log-format',
    'json',
  ];
  const child = await startProcess({
    name: 'fairway serve',
    command: process.execPath,
    args: [...args, ...options.args],
    logFile: options.logFile,
    onLine(line) {
      appendFileSync(options.logFile, `stdout: ${line}\n`);
      if (line.startsWith('{"ready":true')) ready = JSON.parse(line) as Record<string, unknown>;
    },
  });
  await startedOnce(
    child,
    waitFor(
      'fairway serve to be ready',
      () => ready !== undefined,
      { timeoutMs: options.readyLimitMs ?? 60_000 },
      () => child.logTail(5),
    ),
  );
  const list = async (kind: string): Promise<readonly never[]> => {
    const response = await fetch(`http://${options.admin}/api/v1/${kind}`, { signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(`/api/v1/${kind}: ${response.status} ${await response.text()}`);
    const answer = (await response.json()) as readonly never[] | { readonly items: readonly never[] };
    return 'items' in answer ? answer.items : answer;
  };
  return {
    process: child,
    ready: ready ?? {},
    clusters: () => list('clusters'),
    endpoints: () => list('endpoints'),
    rules: () => list('rules'),
    proxies: () => list('proxies'),
    stop: () => child.stop(15_000),
    kill: () => child.kill(),
  };
}
