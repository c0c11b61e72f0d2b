/**
 * `npm run e2e`: real Kubernetes APIs, real Envoys, hosts in network namespaces. In: mocha's options, if any (`--grep scaling`); out: mocha's
 * report, whose last line is `N passed, N failed`, and its exit code.
 *
 * FAIRWAY_E2E_KEEP=1 keeps the logs of all processes, and says where.
 *
 * First, outside: what is missing is found, built or installed, each said on stderr. Then it runs itself again in namespaces of its own
 * (test/rig/hosts/isolation.ts), where there is no way out to any network and which take all processes with them when they end.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '../rig/hosts/envoy.ts';
import { isolation, isolationProblem, missingPackages, prepareInside, runIsolated } from '../rig/hosts/isolation.ts';
import { findKubernetes, installDebianPackages } from '../rig/kubernetes/binaries.ts';

const limitMs = 20 * 60_000;
const root = join(import.meta.dirname, '../..');

const say = (message: string): void => {
  process.stderr.write(`e2e: ${message}\n`);
};

process.exitCode = isolation() === undefined ? await outside() : await inside();

async function outside(): Promise<number> {
  const missing = missingPackages();
  if (missing.length > 0) {
    if (process.env['CI'] === 'true' && process.getuid?.() === 0) installDebianPackages(missing, say);
    else
      return fail(
        `needs ${missing.join(', ')}: install them (Debian and Ubuntu: apt-get install ${missing.join(' ')})`,
      );
  }
  const kubernetes = await findKubernetes(say);
  const envoy = await envoyBinary(say);
  say(`kube-apiserver: ${kubernetes.apiserver}; etcd: ${kubernetes.etcd}; Envoy: ${envoy}`);
  const problem = isolationProblem();
  if (problem !== undefined) return fail(`cannot make namespaces for the test hosts: ${problem}`);
  if (process.getuid?.() !== 0) say('not root: Envoy’s own connections are told by a packet mark instead of a group');
  // Node may be a script's shim in PATH; this very binary goes on. Envoy is given by path, since the cache may not be looked for again.
  process.env['ENVOY_BIN'] = envoy;
  const dir = mkdtempSync(join(tmpdir(), 'fairway-e2e-'));
  process.env['FAIRWAY_E2E_DIR'] = dir;
  try {
    return await runIsolated(process.execPath, [import.meta.filename, ...process.argv.slice(2)], limitMs);
  } finally {
    if (process.env['FAIRWAY_E2E_KEEP'] === undefined) rmSync(dir, { recursive: true, force: true });
    else say(`logs are in ${dir}`);
  }
}

function inside(): Promise<number> {
  prepareInside();
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  // `--exit`: what a failed cleaning up left running ends with the namespaces.
  const options = ['--exit', '--timeout', '180000'];
  const args = ['--disable-proto=delete', mocha, ...options, ...testFiles(), ...process.argv.slice(2)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    // Ctrl-C reaches mocha by the terminal; this process stays to give its exit code.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** All of them, what everything else rests on first. */
function testFiles(): readonly string[] {
  const first = ['mission.test.ts', 'protocols.test.ts'];
  const all = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
  return [...first, ...all.filter((name) => !first.includes(name)).sort()].map((name) => join('test/e2e', name));
}

function fail(message: string): number {
  say(message);
  process.stdout.write('0 passed, 1 failed\n');
  return 1;
}
