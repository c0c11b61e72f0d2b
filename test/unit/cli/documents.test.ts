import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentLimits, readDocuments, readSources } from '../../../src/cli/documents.ts';

const text = `# a comment alone is no object
---
apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: reviews}
spec:
  service: reviews
  routes:
  - backends:
    - {version: v1, weight: -1}
---
`;

describe('cli documents', () => {
  it('know where each of their parts stands', () => {
    const { objects, findings } = readDocuments(text, 'r.yaml');
    assert.deepEqual(findings, []);
    assert.equal(objects.length, 1);
    const at = (...path: (string | number)[]): string => {
      const { line, column } = objects[0]?.where(path) ?? {};
      return `${line}:${column}`;
    };
    assert.equal(at(), '3:1');
    assert.equal(at('metadata', 'name'), '5:18');
    assert.equal(at('spec'), '6:1', 'a mapping stands at its key');
    assert.equal(at('spec', 'routes', 0, 'backends', 0, 'weight'), '10:29');
    assert.equal(at('spec', 'routes', 0, 'timeouts', 'request'), '9:5', 'what is missing stands where it would be');
  });

  it('open lists, and find places inside them', () => {
    const list = 'kind: List\nitems:\n- kind: A\n- kind: B\n';
    const { objects } = readDocuments(list, 'l.yaml');
    assert.deepEqual(
      objects.map(({ object }) => object),
      [{ kind: 'A' }, { kind: 'B' }],
    );
    assert.deepEqual(objects[1]?.where(['kind']), { file: 'l.yaml', line: 4, column: 9 });
  });

  it('report what does not parse with line and column, and keep the rest', () => {
    const { objects, findings } = readDocuments('a: 1\n---\nb: [1\n---\nc: 1\n', 'b.yaml');
    assert.equal(objects.length, 2);
    assert.equal(findings[0]?.code, 'FW-CLI-022');
    assert.deepEqual({ ...findings[0]?.where, column: 0 }, { file: 'b.yaml', line: 4, column: 0 });
  });

  it('refuse keys given twice, lists as documents, and __proto__', () => {
    assert.equal(readDocuments('a: 1\na: 2\n', 'f').findings[0]?.code, 'FW-CLI-022');
    assert.equal(readDocuments('- 1\n', 'f').findings[0]?.code, 'FW-CLI-023');
    const proto = readDocuments('spec:\n  x:\n    - __proto__: {polluted: true}\n', 'f');
    assert.equal(proto.objects.length, 0);
    assert.deepEqual(proto.findings[0]?.where, { file: 'f', line: 3, column: 7 });
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });

  it('cost no more than a message when aliases explode', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi']) {
      bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(',')}]`);
    }
    const { objects, findings } = readDocuments(bomb.join('\n'), 'bomb.yaml');
    assert.deepEqual(objects, []);
    assert.equal(findings[0]?.code, 'FW-CLI-023');
  });

  describe('from files', () => {
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
  });
});
