/**
 * `npm run check [-- PART…]`: everything about the sources that a machine can hold without running them. Each part says what it checked;
 * all parts run even if one fails, so that one run tells all; the exit code is 1 when any failed.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

interface Part {
  readonly name: string;
  readonly what: string;
  readonly command: readonly [string, ...string[]];
}

const parts: readonly Part[] = [
  {
    name: 'lockfile',
    what: 'every platform package has its entry, so that npm ci works anywhere',
    command: ['node', 'scripts/complete-lockfile.ts', '--check'],
  },
  {
    name: 'types',
    what: 'sources, tests, scripts and benchmarks typecheck',
    command: ['tsc', '-p', '.', '--pretty', 'false', '--diagnostics'],
  },
  {
    name: 'lint',
    what: 'no floating promises, no cycles, nothing suspicious; warnings are errors',
    command: ['oxlint'],
  },
  { name: 'format', what: 'formatting and import order', command: ['biome', 'check', '.'] },
  {
    name: 'imports',
    what: 'the rooms of src/ import only what their table allows',
    command: ['node', 'scripts/check-imports.ts'],
  },
  { name: 'dead-code', what: 'no unused files, exports or dependencies', command: ['knip', '--no-progress'] },
  {
    name: 'crds',
    what: 'the CRDs under deploy/ are those that the sources generate',
    command: ['node', 'scripts/generate-crds.ts', '--check'],
  },
  {
    name: 'errors',
    what: 'docs/errors.md is what the code tables generate',
    command: ['node', 'scripts/generate-errors.ts', '--check'],
  },
  { name: 'lengths', what: 'files stay short enough to read', command: ['node', 'scripts/report-lengths.ts'] },
];

function run(part: Part): boolean {
  console.log(`\n── ${part.name}: ${part.what}`);
  const [command, ...args] = part.command;
  const startedMs = performance.now();
  const quiet = part.name === 'types';
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: quiet ? ['ignore', 'pipe', 'inherit'] : ['ignore', 'inherit', 'inherit'],
  });
  if (quiet) console.log(summariseTypes(result.stdout));
  const passed = result.status === 0;
  const tookMs = Math.round(performance.now() - startedMs);
  const why = result.error === undefined ? '' : ` (${result.error.message})`;
  console.log(`${passed ? 'ok' : 'FAILED'} ${part.name}, ${tookMs} ms${why}`);
  return passed;
}

/** tsc says nothing when all is well; its diagnostics tell at least how much it read. */
function summariseTypes(output: string): string {
  const lines = output.split('\n');
  const diagnosticsAt = lines.findIndex((line) => line.startsWith('Files:'));
  const files = /(\d+)/.exec(lines[diagnosticsAt] ?? '')?.[1] ?? '?';
  return [...lines.slice(0, Math.max(diagnosticsAt, 0)), `${files} files, libraries included`].join('\n');
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0 || !existsSync('package.json')) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${parts.map((part) => part.name).join(', ')}`);
  process.exit(2);
}
const chosen = parts.filter((part) => wanted.length === 0 || wanted.includes(part.name));
const failed = chosen.filter((part) => !run(part));
console.log(
  failed.length === 0 ? `\nall ${chosen.length} parts ok` : `\nfailed: ${failed.map((part) => part.name).join(', ')}`,
);
if (failed.length > 0) process.exitCode = 1;
