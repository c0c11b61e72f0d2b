/**
 * The packed command, as `npx fairway` gets it: compiled, complete, and free of what only a developer needs.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', [...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('the npm package', function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), 'fairway-package-'));
  let packed: Packed;
  let paths: readonly string[];

  before(() => {
    npm(['run', '--silent', 'build'], '.');
    const output = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], '.');
    const parsed = JSON.parse(output) as readonly Packed[] | Readonly<Record<string, Packed>>;
    const first = Object.values(parsed)[0];
    assert.ok(first !== undefined);
    packed = first;
    paths = packed.files.map((file) => file.path);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('holds the command, compiled and executable, the CRDs, the bootstraps and the papers', () => {
    const needed = ['dist/src/cli/main.js', 'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
    assert.deepEqual(
      needed.filter((path) => !paths.includes(path)),
      [],
    );
    for (const place of ['deploy/crds/', 'envoy-configs/'])
      assert.ok(
        paths.some((path) => path.startsWith(place)),
        place,
      );
    assert.equal((packed.files.find((file) => file.path === 'dist/src/cli/main.js')?.mode ?? 0) & 0o111, 0o111);
  });

  it('holds no TypeScript, no tests and no working files', () => {
    const foreign = paths.filter(
      (path) => /\.tsx?$/.test(path) || /^(test|src|scripts|bench|\.ci|node_modules|compose)\//.test(path),
    );
    assert.deepEqual(foreign, []);
  });

  it('holds whatever a compiled file imports', () => {
    const have = new Set(paths);
    const dangling = paths
      .filter((path) => path.endsWith('.js'))
      .flatMap((path) => relativeImports(path).map((target) => ({ path, target })))
      .filter(({ target }) => !have.has(target));
    assert.deepEqual(dangling, []);
  });

  it('installs into an empty folder and says its version', () => {
    const home = join(folder, 'home');
    execFileSync('mkdir', [home]);
    writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'somebody', private: true }));
    npm(['install', '--no-audit', '--no-fund', '--omit=dev', join(folder, packed.filename)], home);
    const said = execFileSync('npx', ['--no-install', 'fairway', 'version', '--client', '-o', 'json'], {
      cwd: home,
      encoding: 'utf8',
    });
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    assert.ok(said.includes(version), said);
  });

  function relativeImports(path: string): readonly string[] {
    const source = readFileSync(path, 'utf8');
    return [...source.matchAll(/^\s*(?:import|export)\b[^'"\n]*?['"](\.[^'"]+)['"]/gm)].map((match) =>
      join(path, '..', match[1] ?? ''),
    );
  }
});
