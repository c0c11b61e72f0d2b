/**
 * `npm run conformance -- <suite> [--suite PATH] [--run NAME] [--report]`: a standard's own tests against Fairway on the rig's real clusters. In: the suite, and
 * the one test to run if not all; out: a table of its tests on stdout, whose last line is `N passed, N failed, N skipped`, and an exit code.
 *
 * `--report` keeps the suite's own report in docs/conformance. FAIRWAY_CONFORMANCE_KEEP=1 keeps all logs, and says where.
 *
 * First, outside: what is missing is found or built, each said on stderr. Then it runs itself again in namespaces of its own, where there is no
 * way out to any network and which take all processes with them when they end. Where that cannot be (no root, no Go), it says so and skips; in CI
 * that is a failure.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findGo } from '../rig/go-programs.ts';
import { isolation, isolationProblem, missingPackages, prepareInside, runIsolated } from '../rig/hosts/isolation.ts';
import { toolPrograms } from '../rig/images.ts';
import { installDebianPackages } from '../rig/kubernetes/binaries.ts';
import { gatewayApiRoutes } from './gateway-api/routes-suite.ts';
import { gatewayApi } from './gateway-api/suite.ts';
import { mcs } from './mcs.ts';
import { renderOutcomes, renderResults } from './results-table.ts';
import type { Suite } from './suite.ts';

const suites: readonly Suite[] = [gatewayApi, gatewayApiRoutes, mcs];
const reports = join(import.meta.dirname, '../../docs/conformance');
const dirVariable = 'FAIRWAY_CONFORMANCE_DIR';
const preparedVariable = 'FAIRWAY_CONFORMANCE_PREPARED';

const say = (message: string): void => {
  process.stderr.write(`conformance: ${message}\n`);
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { run: { type: 'string' }, suite: { type: 'string' }, report: { type: 'boolean', default: false } },
});
const suite = suites.find(({ name }) => name === positionals[0]);
if (suite === undefined || positionals.length > 1 || (values.report && values.run !== undefined)) {
  const names = suites.map(({ name, title }) => `  ${name}: ${title}`).join('\n');
  process.stderr.write(
    `usage: npm run conformance -- SUITE [--suite PATH] [--run NAME | --report]\n${names}\n--report is of all tests, so it does not go with --run\n`,
  );
  process.exitCode = 2;
} else process.exitCode = isolation() === undefined ? await outside(suite) : await inside(suite);

async function outside(chosen: Suite): Promise<number> {
  const problem = impossible();
  if (problem !== undefined) return skip(chosen, problem);
  if (chosen.needsCheckout !== undefined && values.suite === undefined)
    return skip(
      chosen,
      `its module is not to be had by itself: give a checkout of ${chosen.needsCheckout} with --suite PATH`,
    );
  const prepared = await chosen.prepare(say, values.suite === undefined ? undefined : resolve(values.suite));
  const dir = mkdtempSync(join(tmpdir(), 'fairway-conformance-'));
  process.env[dirVariable] = dir;
  process.env[preparedVariable] = JSON.stringify(prepared);
  try {
    return await runIsolated(process.execPath, [import.meta.filename, ...process.argv.slice(2)], chosen.limitMs);
  } finally {
    if (process.env['FAIRWAY_CONFORMANCE_KEEP'] === undefined) rmSync(dir, { recursive: true, force: true });
    else say(`logs are in ${dir}`);
  }
}

async function inside(chosen: Suite): Promise<number> {
  prepareInside();
  const results = await chosen.run({
    dir: process.env[dirVariable] ?? '',
    prepared: JSON.parse(process.env[preparedVariable] ?? '{}') as Record<string, string>,
    only: values.run,
    report: reportFile(chosen),
    say,
  });
  process.stdout.write(renderResults(chosen.title, results));
  if (values.report && chosen.tableFile !== undefined)
    writeFileSync(join(reports, chosen.tableFile), renderOutcomes(chosen.title, results));
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

function reportFile(chosen: Suite): string | undefined {
  if (!values.report || chosen.reportFile === undefined) return undefined;
  return join(reports, chosen.reportFile);
}

/** Why it cannot run on this machine, after installing what may be installed. */
function impossible(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root, for pods that are namespaces of this machine';
  if (findGo() === undefined) return 'it needs Go 1.26 or newer, to build the suite and its workloads';
  const missing = missingPackages(toolPrograms);
  if (missing.length > 0) {
    if (process.env['CI'] !== 'true')
      return `it needs ${missing.join(', ')} (Debian and Ubuntu: apt-get install ${missing.join(' ')})`;
    installDebianPackages(missing, say);
  }
  return isolationProblem();
}

function skip(chosen: Suite, why: string): number {
  const inCi = process.env['CI'] === 'true';
  say(`${chosen.title} is SKIPPED: ${why}`);
  process.stdout.write(inCi ? '0 passed, 1 failed\n' : '0 passed, 0 failed, 1 skipped\n');
  return inCi ? 1 : 0;
}
