/**
 * `npm run rig-test`: the rig's own tests: first its node's Go tests, then those on running clusters, in namespaces of their own
 * (test/rig/world.ts). In: mocha's options, if any; out: mocha's report, whose last line is `N passed, N failed`, and its exit code.
 */

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findGo } from '../rig/go-programs.ts';
import { standardCrds } from '../rig/standards.ts';
import { inRigWorld } from '../rig/world.ts';

const root = join(import.meta.dirname, '../..');

const say = (message: string): void => {
  process.stderr.write(`rig-test: ${message}\n`);
};

process.exitCode = await inRigWorld({
  script: import.meta.filename,
  limitMs: 10 * 60_000,
  say,
  prepare() {
    standardCrds('mcs');
    testNode();
    return [];
  },
  inside,
});

/** The node's own unit tests. Compiled first where Go's cache is empty: minutes. */
function testNode(): void {
  say("the node's own tests");
  const args = ['-C', join(root, 'test/rig/node'), 'test', './...'];
  const { status, error } = spawnSync(findGo() ?? 'go', args, { stdio: 'inherit', timeout: 15 * 60_000 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`go ${args.join(' ')}: exit ${status}`);
}

function inside(): Promise<number> {
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  const tests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
  // The rig's own first: the others stand on it.
  const files = tests.sort((a, b) => Number(b === 'rig.test.ts') - Number(a === 'rig.test.ts') || (a < b ? -1 : 1));
  const paths = files.map((name) => join(import.meta.dirname, name));
  const args = ['--exit', '--timeout', '90000', ...paths, ...process.argv.slice(2)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [mocha, ...args], { cwd: root, stdio: 'inherit' });
    // Ctrl-C reaches mocha by the terminal; this process stays to give its exit code.
    process.on('SIGINT', () => {});
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
