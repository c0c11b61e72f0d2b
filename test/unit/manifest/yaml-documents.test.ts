import assert from 'node:assert/strict';
import { readYaml, type YamlFile } from '../../../../src/registry/file/yaml-documents.ts';

function codes(file: YamlFile): readonly string[] {
  return file.findings.map(
    ({ code, where }) => `${code} ${where.file ?? ''}:${where.line ?? ''}:${where.column ?? ''}`,
  );
}

describe('YAML documents', () => {
  it('gives every object of every document, and opens lists', () => {
    const text = 'kind: A\n---\n# nothing\n---\nkind: List\nitems:\n- kind: B\n- {kind: C}\n--- {kind: D}\n...\n';
    const { objects, findings, broken } = readYaml(text, 'f.yaml');
    assert.deepEqual(
      objects.map(({ object }) => object),
      [{ kind: 'A' }, { kind: 'B' }, { kind: 'C' }, { kind: 'D' }],
    );
    assert.deepEqual(findings, []);
    assert.equal(broken, false);
    assert.deepEqual(objects[2]?.where(['kind']), { file: 'f.yaml', line: 8, column: 10, field: 'items[1].kind' });
  });

  it('knows where every part stands', () => {
    const text = 'kind: A\nspec:\n  routes:\n  - name: x\n    weight: -1\n  flow: [1, {a: 2}]\n';
    const [raw] = readYaml(text, 'f.yaml').objects;
    const at = (...path: (string | number)[]): string => {
      const { line, column } = raw?.where(path) ?? {};
      return `${line}:${column}`;
    };
    assert.equal(at(), '1:1');
    assert.equal(at('kind'), '1:7');
    assert.equal(at('spec'), '2:1');
    assert.equal(at('spec', 'routes', 0), '4:5');
    assert.equal(at('spec', 'routes', 0, 'weight'), '5:13');
    assert.equal(at('spec', 'routes', 0, 'missing', 'deeper'), '4:5');
    assert.equal(at('spec', 'routes', 7), '3:3');
    assert.equal(at('spec', 'flow', 1, 'a'), '6:17');
    assert.equal(raw?.where(['spec', 'routes', 0, 'weight']).field, 'spec.routes[0].weight');
  });

  it('reads JSON, tabs and all', () => {
    const { objects, findings } = readYaml('{\n\t"kind": "A",\n\t"spec": {\n\t\t"n": 1\n\t}\n}\n', 'f.json');
    assert.deepEqual(findings, []);
    assert.deepEqual(objects[0]?.object, { kind: 'A', spec: { n: 1 } });
    assert.equal(objects[0]?.where(['spec', 'n']).line, 4);
  });

  it('gives nothing of a file that has an error anywhere, with every place', () => {
    const file = readYaml('kind: A\n---\nkind: [B\n---\nkind: C\nkind: D\n', 'f.yaml');
    assert.equal(file.broken, true);
    assert.deepEqual(file.objects, []);
    assert.ok(codes(file).some((code) => code.startsWith('FW-FILE-001 f.yaml:')));
    assert.ok(codes(file).includes('FW-FILE-002 f.yaml:6:1'));
  });

  it('refuses what is dangerous or means nothing here', () => {
    const wide = Array(9).fill('x').join(',');
    const bomb = [`a: &a [${wide}]`];
    for (const [index, letter] of 'bcdefghi'.split('').entries()) {
      bomb.push(`${letter}: &${letter} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`);
    }
    const cases: readonly (readonly [string, string, string])[] = [
      ['an alias bomb', bomb.join('\n'), 'FW-FILE-003 f.yaml:1:1'],
      ['a __proto__ key', 'a:\n  __proto__: {b: 1}\n', 'FW-FILE-004 f.yaml:2:3'],
      ['a quoted __proto__ key', '{"__proto__": 1}', 'FW-FILE-004 f.yaml:1:2'],
      ['an unknown tag', 'a: !!js/function x\n', 'FW-FILE-001 f.yaml:1:4'],
      ['an alias of nothing', 'a: *b\n', 'FW-FILE-001 f.yaml:1:4'],
      ['a mapping as a key', '? {a: 1}\n: 2\n', 'FW-FILE-001 f.yaml:1:3'],
      ['a tab as indentation', 'a:\n\tb: 1\n', 'FW-FILE-001 f.yaml:2:1'],
    ];
    for (const [what, text, code] of cases) {
      const file = readYaml(text, 'f.yaml');
      assert.equal(file.broken, true, what);
      assert.equal(codes(file)[0], code, what);
      assert.notEqual(file.findings[0]?.hint, '', what);
    }
  });

  it('refuses what is nested too deeply, before it costs anything', () => {
    const million = 1_000_000;
    for (const text of [
      `a: 1\nb: ${'['.repeat(million)}`,
      `a: 1\n${'- '.repeat(million)}`,
      `a: 1\n${'{"]": '.repeat(101)}`,
    ]) {
      const { broken, findings } = readYaml(text, 'f.yaml');
      assert.equal(broken, true);
      assert.equal(findings[0]?.code, 'FW-FILE-021');
      assert.equal(findings[0]?.where.line, 2);
    }
  });

  it('takes much for deep only where it is', () => {
    const wide = JSON.stringify({ kind: 'A', spec: Array.from({ length: 300 }, () => ({ 'a-b': ['x: [', '- - -'] })) });
    assert.equal(readYaml(wide, 'f.json').broken, false);
    const text = `kind: A\ntext: |\n  ${'[ - '.repeat(300)}\ndeep: ${'['.repeat(90)}1${']'.repeat(90)}\n`;
    assert.deepEqual(readYaml(text, 'f.yaml').findings, []);
  });

  it('bounds the number of objects', () => {
    const text = `kind: List\nitems: [${Array(4).fill('{kind: A}').join(',')}]`;
    assert.equal(readYaml(text, 'f.yaml', { maxObjects: 3, maxAliases: 10 }).findings[0]?.code, 'FW-FILE-014');
  });

  it('merges keys as kubectl does, and takes harmless aliases', () => {
    const [raw] = readYaml('a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: *x\n', 'f.yaml').objects;
    assert.deepEqual(raw?.object, { a: { b: 1 }, c: { b: 1, d: 2 }, e: { b: 1 } });
  });
});
