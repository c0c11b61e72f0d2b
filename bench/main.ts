/**
 * `npm run bench [-- WORKLOAD…] [-- --quick] [-- --json FILE] [-- --charts DIR]`: runs the named workloads (all without a name) one after the
 * other, and prints their figures. Absolute figures move with the machine and with what else it does, so both are printed with them. The exit
 * code is 1 when a workload failed, or its run is void because clients did not end in the pilot's state; no figure is judged.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findEnvoy } from '../src/cli/envoy-binary.ts';
import { errorMessage } from '../src/core/errors.ts';
import { apply } from './apply.ts';
import { endpoint, rule } from './change.ts';
import { charts, formatFigure } from './chart.ts';
import { churn } from './churn.ts';
import { idle } from './idle.ts';
import { mesh10k } from './mesh-10k.ts';
import { restart } from './restart.ts';
import { slowReader } from './slow-reader.ts';
import { storm } from './storm.ts';
import type { Workload } from './workload.ts';

const workloads: readonly Workload[] = [storm, endpoint, rule, churn, slowReader, mesh10k, restart, apply, idle];

interface Result {
  /** The machine's load over the last minute, when the workload began. */
  readonly loadBefore: number;
  readonly tookSeconds: number;
  readonly figures?: Readonly<Record<string, number>>;
  readonly problem?: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    charts: { type: 'string' },
  },
});
const unknown = positionals.filter((name) => !workloads.some((workload) => workload.name === name));
if (unknown.length > 0) {
  console.error(
    `there is no workload ${unknown.join(', ')}; there are: ${workloads.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

// Pilots that are started as a command are the compiled one: `node MAIN serve …`.
process.argv[1] = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model ?? '',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
console.log(`${machine.cpus} × ${machine.model}, ${machine.memoryGiB} GiB, Node ${machine.node}`);

let envoy: Promise<string> | undefined;
const envoyBinary = (): Promise<string> => {
  envoy ??= findEnvoy({ env: process.env, log: (line) => console.error(line) }).then(({ path }) => path);
  return envoy;
};

const results: Record<string, Result> = {};
for (const workload of workloads) {
  if (positionals.length > 0 && !positionals.includes(workload.name)) continue;
  console.log(`\n${workload.name}: ${workload.about}`);
  const result = await measure(workload);
  results[workload.name] = result;
  for (const [figure, value] of Object.entries(result.figures ?? {}))
    console.log(`  ${figure.padEnd(58)} ${formatFigure(value).padStart(10)}`);
  if (result.problem !== undefined) console.log(`  ${result.problem}`);
  console.log(`  (${result.tookSeconds.toFixed(0)} s; load of the machine before: ${result.loadBefore.toFixed(1)})`);
}
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ machine, quick: values.quick, results }, null, 2)}\n`);
if (values.charts !== undefined) writeCharts(values.charts);
const failed = Object.keys(results).filter((name) => results[name]?.problem !== undefined);
console.log(failed.length === 0 ? '\nevery run counts' : `\nfailed or void: ${failed.join(', ')}`);
if (failed.length > 0) process.exitCode = 1;

async function measure({ run }: Workload): Promise<Result> {
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const began = performance.now();
  const took = (): number => (performance.now() - began) / 1000;
  try {
    const figures = await run({ envoyBinary, quick: values.quick });
    return { loadBefore, tookSeconds: took(), figures };
  } catch (error) {
    return { loadBefore, tookSeconds: took(), problem: errorMessage(error) };
  }
}

function writeCharts(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, { figures }] of Object.entries(results))
    for (const [file, svg] of charts(name, figures ?? {})) writeFileSync(join(folder, file), svg);
}
