/**
 * Goldens for proxyless gRPC clients: a mesh in (`grpc/in/X.yaml`), what a client of the scope may ask for out
 * (`grpc/out/X.{listeners,routes,clusters,endpoints}.yaml`), each also taken by gRPC for Node's own validation. `UPDATE_GOLDEN=1` writes the
 * outputs anew and removes stale ones.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { typeUrl } from '../../src/core/type-urls.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { grpcRefuses } from '../support/grpc-judge.ts';
import { parseMeshFixture } from '../support/mesh-fixture.ts';
import { decodeAll } from '../support/static-envoy.ts';

const inputs = join(import.meta.dirname, 'grpc/in');
const outputs = join(import.meta.dirname, 'grpc/out');
const update = process.env['UPDATE_GOLDEN'] === '1';

const kinds = [
  ['listeners', typeUrl.listener],
  ['routes', typeUrl.route],
  ['clusters', typeUrl.cluster],
  ['endpoints', typeUrl.endpoint],
] as const;

const names = readdirSync(inputs).map((file) => file.slice(0, -'.yaml'.length));

function resourcesOf(name: string): ScopeResources {
  const { scope, mesh } = parseMeshFixture(readFileSync(join(inputs, `${name}.yaml`), 'utf8'));
  const scoped = new ScopeResources(scope);
  scoped.update(mesh, 'all');
  return scoped;
}

function render(name: string): Map<string, string> {
  const scoped = resourcesOf(name);
  const files = kinds.map(([kind, url]): [string, string] => [
    `${name}.${kind}.yaml`,
    stringify(
      decodeAll((type) => scoped.resources(type), url),
      { lineWidth: 0, aliasDuplicateObjects: false },
    ),
  ]);
  const findings = scoped.findings();
  if (findings.length > 0) files.push([`${name}.findings.yaml`, stringify(findings, { lineWidth: 0 })]);
  return new Map(files);
}

describe('golden configuration of proxyless clients', () => {
  const wanted = new Set(names.flatMap((name) => [...render(name).keys()]));

  for (const name of names) {
    it(`${name}: is as it was`, () => {
      for (const [file, text] of render(name)) {
        const path = join(outputs, file);
        if (update) writeFileSync(path, text);
        else assert.equal(text, readFileSync(path, 'utf8'), `${file} differs; UPDATE_GOLDEN=1 writes it anew`);
      }
    });

    it(`${name}: is accepted by gRPC for Node`, () => {
      const scoped = resourcesOf(name);
      for (const [, url] of kinds)
        for (const resource of scoped.resources(url).values()) assert.equal(grpcRefuses(resource), undefined);
    });
  }

  it('has no outputs without an input', () => {
    const stale = readdirSync(outputs).filter((file) => !wanted.has(file));
    if (update) for (const file of stale) rmSync(join(outputs, file));
    else assert.deepEqual(stale, []);
  });
});
