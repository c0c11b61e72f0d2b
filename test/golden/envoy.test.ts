/**
 * Goldens: a mesh in (`in/X.yaml`), what one scope's sidecars get out (`out/X.{listeners,routes,hosts,clusters,endpoints}.yaml`), each also taken by
 * a real `envoy --mode validate`. `UPDATE_GOLDEN=1` writes the outputs anew and removes stale ones; read the difference before you keep it.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { parseMeshFixture } from '../support/mesh-fixture.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { decodeAll, type ResourcesOf, staticBootstrap } from '../support/static-envoy.ts';

const run = promisify(execFile);
const inputs = join(import.meta.dirname, 'in');
const outputs = join(import.meta.dirname, 'out');
const update = process.env['UPDATE_GOLDEN'] === '1';

const kinds = [
  ['listeners', typeUrl.listener],
  ['routes', typeUrl.route],
  ['hosts', typeUrl.virtualHost],
  ['clusters', typeUrl.cluster],
  ['endpoints', typeUrl.endpoint],
] as const;

const names = readdirSync(inputs)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length));

function resourcesOf(name: string): { resources: ResourcesOf; findings: readonly unknown[] } {
  const { scope, mesh } = parseMeshFixture(readFileSync(join(inputs, `${name}.yaml`), 'utf8'));
  const scoped = new ScopeResources(scope);
  scoped.update(mesh, 'all');
  return { resources: (url) => scoped.resources(url), findings: scoped.findings() };
}

function render(name: string): Map<string, string> {
  const { resources, findings } = resourcesOf(name);
  const present = kinds.filter(([kind, url]) => kind !== 'hosts' || resources(url).size > 0);
  const files = present.map(([kind, url]): [string, string] => [
    `${name}.${kind}.yaml`,
    stringify(decodeAll(resources, url), { lineWidth: 0, aliasDuplicateObjects: false }),
  ]);
  if (findings.length > 0) files.push([`${name}.findings.yaml`, stringify(findings, { lineWidth: 0 })]);
  return new Map(files);
}

describe('golden Envoy configuration', () => {
  const wanted = new Set(names.flatMap((name) => [...render(name).keys()]));

  for (const name of names) {
    it(`${name}: is as it was`, () => {
      for (const [file, text] of render(name)) {
        const path = join(outputs, file);
        if (update) writeFileSync(path, text);
        else assert.equal(text, readFileSync(path, 'utf8'), `${file} differs; UPDATE_GOLDEN=1 writes it anew`);
      }
    });
  }

  it('has no outputs without an input', () => {
    const stale = readdirSync(outputs).filter((file) => !wanted.has(file));
    if (update) for (const file of stale) rmSync(join(outputs, file));
    else assert.deepEqual(stale, []);
  });
});

describe('golden Envoy configuration, as Envoy judges it', function () {
  this.timeout(60_000);
  let envoy: string;
  let dir: string;

  before(async function () {
    const found = await lookForEnvoy({ env: process.env, log: () => {} });
    if (found === undefined) return skip(this, noEnvoy);
    envoy = found.path;
    dir = mkdtempSync(join(tmpdir(), 'fairway-golden-'));
  });

  after(() => {
    if (dir !== undefined) rmSync(dir, { recursive: true });
  });

  for (const name of names) {
    it(`${name}: is accepted`, async () => {
      const file = join(dir, `${name}.json`);
      writeFileSync(file, JSON.stringify(staticBootstrap(resourcesOf(name).resources)));
      const { stdout } = await run(envoy, ['-c', file, '--mode', 'validate', '--log-level', 'error']);
      assert.match(stdout, /OK/);
    });
  }
});
