/** One request from a host (call.ts), and its answer. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Host } from './network.ts';

const program = join(import.meta.dirname, 'call.ts');

export interface CallOptions {
  readonly protocol: 'http1' | 'h2c' | 'grpc' | 'tcp';
  readonly target: string;
  readonly authority?: string;
  readonly path?: string;
  readonly headers?: readonly string[];
}

export interface CallAnswer {
  readonly error?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly trailers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly greeting?: { readonly version: string; readonly cluster: string; readonly pod: string };
  readonly echo?: string;
}

/** The JSON that a workload answers. */
export interface WorkloadAnswer {
  readonly version: string;
  readonly cluster: string;
  readonly pod: string;
  readonly protocol: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function callFrom(host: Host, options: CallOptions): Promise<CallAnswer> {
  const args = [
    '--protocol',
    options.protocol,
    '--target',
    options.target,
    '--host',
    options.authority ?? '',
    '--path',
    options.path ?? '/',
  ];
  for (const header of options.headers ?? []) args.push('--header', header);
  const [command = '', ...enter] = host.enter;
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...enter, process.execPath, program, ...args], { timeout: 20_000 });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0 && stdout !== '') resolve(JSON.parse(stdout) as CallAnswer);
      else reject(new Error(`call on ${host.name}: exit ${code}\n${stderr}`));
    });
  });
}

/** The workload's own words. Throws, with all that came, when there is no 200. */
export function workloadAnswer(answer: CallAnswer): WorkloadAnswer {
  if (answer.status !== 200 || answer.body === undefined) throw new Error(`no 200: ${JSON.stringify(answer)}`);
  return JSON.parse(answer.body) as WorkloadAnswer;
}
