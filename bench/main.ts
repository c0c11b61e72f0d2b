/**
 * `npm run bench [-- WORKLOAD…]`: runs the named workloads (all without a name) one after the other, and prints their figures; with `--peer
 * PATH`, those that can be run beside another control plane. Options: arguments.ts. Absolute figures move with the machine and with what else it
 * does, so both are printed with them. The exit code is 1 when a workload failed, or its run is void because clients did not end in the
 * pilot's state; no figure is judged.
 */

import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findEnvoy } from '../src/cli/envoy-binary.ts';
import { errorMessage } from '../src/core/errors.ts';
import { apply } from './apply.ts';
import { type BenchArguments, parseBenchArguments, UsageError } from './arguments.ts';
import { endpoint, rule } from './change.ts';
import { churn } from './churn.ts';
import { clusters10, clusters1000 } from './clusters.ts';
import { type Distribution, distribution } from './figures.ts';
import { endpointKube, mesh10kKube } from './from-kube.ts';
import { hot } from './hot.ts';
import { idle } from './idle.ts';
import { memory } from './memory.ts';
import { mesh10k } from './mesh-10k.ts';
import { comparePeer, peerWorkloads } from './peer.ts';
import { failures, markdownReport, readReports, terminalLines, writeCharts, writeInto, writeJson } from './report.ts';
import { restart } from './restart.ts';
import { slowReader } from './slow-reader.ts';
import { storm } from './storm.ts';
import type { Report, Result, Workload } from './workload.ts';

const workloads: readonly Workload[] = [
  storm,
  endpoint,
  rule,
  churn,
  hot,
  slowReader,
  restart,
  clusters10,
  clusters1000,
  mesh10k,
  mesh10kKube,
  endpointKube,
  memory,
  apply,
  idle,
];

// Pilots that are started as a command are the compiled one: `node MAIN serve …`.
process.argv[1] = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

let envoy: Promise<string> | undefined;

try {
  const names = workloads.map(({ name }) => name);
  const options = parseBenchArguments(process.argv.slice(2), names, peerWorkloads);
  // A workload that failed may have left something open.
  process.exit(await bench(options));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function bench(options: BenchArguments): Promise<number> {
  const isEarlier = options.from.length > 0;
  const report = isEarlier ? readReports(options.from) : await runAll(options);
  if (options.markdown) console.log(`\n${markdownReport(report)}`);
  else if (isEarlier)
    for (const [name, result] of Object.entries(report.results)) console.log(terminalLines(name, result).join('\n'));
  if (options.json !== undefined) writeJson(options.json, report);
  if (options.charts !== undefined) writeCharts(options.charts, report);
  if (options.into !== undefined) {
    const unused = writeInto(options.into, report);
    if (unused.length > 0) console.error(`${options.into} has no marks for ${unused.join(', ')}`);
  }
  const failed = failures(report);
  const summary = failed.length === 0 ? 'every run counts' : `failed or void: ${failed.join(', ')}`;
  // Markdown is written to be put into a document as it is.
  (options.markdown ? console.error : console.log)(`\n${summary}`);
  return failed.length === 0 ? 0 : 1;
}

async function runAll({ workloads: named, quick, markdown, peer }: BenchArguments): Promise<Report> {
  const say = markdown ? console.error : console.log;
  const [{ model } = { model: '' }] = cpus();
  const machine = `${cpus().length} × ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version.slice(1)}`;
  say(machine);
  const results: Record<string, Result> = {};
  const keep = (name: string, result: Result): void => {
    results[name] = result;
    for (const line of terminalLines(name, result)) say(line);
    say(`  (${result.tookSeconds.toFixed(0)} s; load of the machine before: ${result.loadBefore.toFixed(1)})`);
  };
  if (peer !== undefined) {
    const kinds = named.length > 0 ? named : peerWorkloads;
    for (const [name, result] of Object.entries(await comparePeer(peer, { quick, kinds, say }))) keep(name, result);
  } else {
    const isChosen = ({ name, needsKubernetes }: Workload): boolean =>
      named.length > 0 ? named.includes(name) : !(quick && needsKubernetes === true);
    for (const workload of workloads.filter(isChosen)) keep(workload.name, await measure(workload, quick));
  }
  return { machine, quick, results };
}

async function measure({ about, run }: Workload, quick: boolean): Promise<Result> {
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const began = performance.now();
  const kept: Record<string, Distribution> = {};
  const notes: string[] = [];
  const options = {
    envoyBinary,
    quick,
    latencies: (series: string, samplesMs: readonly number[]) => {
      kept[series] = distribution(samplesMs);
    },
    note: (text: string) => notes.push(text),
  };
  const outcome = await run(options).then(
    (figures) => ({ figures }),
    (error: unknown) => ({ problem: errorMessage(error) }),
  );
  const tookSeconds = (performance.now() - began) / 1000;
  return { about, loadBefore, tookSeconds, latencies: kept, notes, ...outcome };
}

function envoyBinary(): Promise<string> {
  envoy ??= findEnvoy({ env: process.env, log: (line) => console.error(line) }).then(({ path }) => path);
  return envoy;
}
