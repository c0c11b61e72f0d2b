import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentLimits, readSources } from '../../../src/cli/documents.ts';

describe('cli documents', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-documents-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('read a folder in the order of its names, and only YAML and JSON', () => {
    writeFileSync(join(folder, 'b.yml'), 'kind: B');
    writeFileSync(join(folder, 'a.json'), '{"kind": "A"}');
    writeFileSync(join(folder, 'readme.md'), '# no');
    const { objects } = readSources([folder]);
    assert.deepEqual(
      objects.map(({ origin }) => origin),
      [join(folder, 'a.json'), join(folder, 'b.yml')],
    );
  });

  it('refuse what is not there, what is empty and what is too big', () => {
    assert.throws(() => readSources([join(folder, 'no.yaml')]), { code: 'FW-CLI-020' });
    assert.throws(() => readSources([folder]), { code: 'FW-CLI-020' });
    writeFileSync(join(folder, 'big.yaml'), 'x'.repeat(101));
    assert.throws(() => readSources([folder], { ...documentLimits, fileBytes: 100 }), { code: 'FW-CLI-021' });
    writeFileSync(join(folder, 'big.yaml'), 'kind: A\n---\nkind: B\n');
    assert.throws(() => readSources([folder], { ...documentLimits, objects: 1 }), { code: 'FW-CLI-021' });
  });

  it('read what can be read beside what cannot, with places', () => {
    writeFileSync(join(folder, 'a.yaml'), 'kind: A\n---\nkind: [B\n---\n# nothing\n---\nkind: C\n');
    const { objects, findings } = readSources([folder]);
    assert.deepEqual(
      objects.map(({ object, where }) => [object, where(['kind']).line]),
      [
        [{ kind: 'A' }, 1],
        [{ kind: 'C' }, 7],
      ],
    );
    assert.equal(findings[0]?.code, 'FW-FILE-001');
    assert.equal(findings[0]?.where.file, join(folder, 'a.yaml'));
  });
});
