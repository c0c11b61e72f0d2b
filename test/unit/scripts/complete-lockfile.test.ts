import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const script = resolve('scripts/complete-lockfile.ts');

describe('completing the lockfile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-lock-'));
  const file = join(folder, 'package-lock.json');
  const write = (packages: unknown): void => writeFileSync(file, JSON.stringify({ lockfileVersion: 3, packages }));
  const read = (): Readonly<Record<string, unknown>> =>
    (JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, unknown> }).packages;
  const run = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' });
  after(() => rmSync(folder, { recursive: true }));

  it('adds the platforms that are missing, with what their names say, and then has nothing to say', () => {
    const tool = {
      version: '1.2.0',
      dev: true,
      optionalDependencies: {
        '@tool/linux-x64': '1.2.0',
        '@tool/linux-arm64-musl': '1.2.0',
        '@tool/win32-ia32-msvc': '1.2.0',
      },
    };
    const here = { version: '1.2.0', integrity: 'sha512-x', optional: true };
    write({ '': { name: 'x' }, 'node_modules/tool': tool, 'node_modules/tool/node_modules/@tool/linux-x64': here });
    const red = run('--check');
    assert.equal(red.status, 1);
    assert.match(red.stderr, /linux-arm64-musl has no entry/);
    assert.equal(run().status, 0);
    const packages = read();
    assert.deepEqual(packages['node_modules/@tool/linux-arm64-musl'], {
      version: '1.2.0',
      cpu: ['arm64'],
      libc: ['musl'],
      os: ['linux'],
      dev: true,
      optional: true,
    });
    assert.deepEqual((packages['node_modules/@tool/win32-ia32-msvc'] as { os: unknown }).os, ['win32']);
    assert.deepEqual(packages['node_modules/tool/node_modules/@tool/linux-x64'], here);
    assert.equal(packages['node_modules/@tool/linux-x64'], undefined);
    assert.equal(run('--check').status, 0);
  });

  it('refuses what it cannot tell, a name without a platform or a range instead of a version', () => {
    write({
      'node_modules/tool': { version: '1.0.0', optionalDependencies: { extra: '1.0.0', '@tool/linux-x64': '^1.0.0' } },
    });
    const red = run();
    assert.equal(red.status, 1);
    assert.match(red.stderr, /extra@1\.0\.0/);
    assert.match(red.stderr, /@tool\/linux-x64@\^1\.0\.0/);
  });
});
