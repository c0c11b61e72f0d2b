/**
 * `npm run bench [-- WORKLOAD…] [-- --quick] [-- --json FILE]`: runs the named workloads (all without a name) one after the other, and prints
 * their figures. Absolute figures move with the machine, so the machine is printed with them.
 */

import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findEnvoy } from '../src/cli/envoy-binary.ts';
import { apply } from './apply.ts';
import { idle } from './idle.ts';
import type { Workload } from './workload.ts';

const workloads: readonly Workload[] = [apply, idle];

// The pilots under test are started as `node MAIN serve …`, compiled, as they are in production.
process.argv[1] = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const unknown = positionals.filter((name) => !workloads.some((workload) => workload.name === name));
if (unknown.length > 0) {
  console.error(
    `there is no workload ${unknown.join(', ')}; there are: ${workloads.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const { path: envoyBinary } = await findEnvoy({ env: process.env, log: (line) => console.error(line) });
const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model ?? '',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
console.log(`${machine.cpus} × ${machine.model}, ${machine.memoryGiB} GiB, Node ${machine.node}`);
const results: Record<string, Readonly<Record<string, number>>> = {};
for (const { name, about, run } of workloads) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`\n${name}: ${about}`);
  const figures = await run({ envoyBinary, quick: values.quick });
  results[name] = figures;
  for (const [figure, value] of Object.entries(figures))
    console.log(`  ${figure.padEnd(24)} ${value.toFixed(1).padStart(10)}`);
}
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ machine, quick: values.quick, results }, null, 2)}\n`);
