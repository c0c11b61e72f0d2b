import assert from 'node:assert/strict';
import { defaultYamlLimits, readYaml, readYamlInTurns, type YamlFile } from '../../../src/manifest/yaml-documents.ts';

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

  it('bounds the number of objects and the size', () => {
    const text = `kind: List\nitems: [${Array(4).fill('{kind: A}').join(',')}]`;
    const read = (limits: object): YamlFile =>
      readYaml(text, 'f.yaml', { limits: { ...defaultYamlLimits, ...limits } });
    assert.equal(read({ maxObjects: 3 }).findings[0]?.code, 'FW-FILE-014');
    assert.equal(read({ maxObjects: 4 }).broken, false);
    assert.equal(read({ maxChars: text.length - 1 }).findings[0]?.code, 'FW-FILE-014');
    assert.equal(read({ maxChars: text.length }).broken, false);
  });

  describe('aliases', () => {
    const uses = (alias: string, count: number): string => Array(count).fill(alias).join(', ');

    it('are read up to the limit, in which the anchor counts, and refused beyond it', () => {
      const text = (count: number): string => `a: &a x\nb: [${uses('*a', count)}]\n`;
      const [raw] = readYaml(text(99), 'f.yaml').objects;
      assert.deepEqual(raw?.object, { a: 'x', b: Array(99).fill('x') });
      assert.deepEqual(codes(readYaml(text(100), 'f.yaml')), ['FW-FILE-003 f.yaml:1:1']);
    });

    it('count what they expand to when one leads to another', () => {
      const bomb = (last: number): string => `a: &a x\nb: &b [${uses('*a', 10)}]\nc: [${uses('*b', last)}]\n`;
      assert.equal(readYaml(bomb(8), 'f.yaml').broken, false);
      assert.deepEqual(codes(readYaml(bomb(9), 'f.yaml')), ['FW-FILE-003 f.yaml:1:1']);
    });

    it('are bounded in number, however little each stands for', () => {
      const text = (count: number): string =>
        Array.from({ length: count }, (_, index) => `- &a${index} x\n- *a${index}\n`).join('');
      assert.equal(readYaml(text(1000), 'f.yaml').broken, false);
      assert.deepEqual(codes(readYaml(text(1001), 'f.yaml')), ['FW-FILE-003 f.yaml:2002:3']);
    });

    it('are followed by positions', () => {
      const [raw] = readYaml('a: &a\n  b: 1\nc: *a\n', 'f.yaml').objects;
      assert.equal(raw?.where(['c', 'b']).line, 2);
    });
  });

  it('names the key where the key is what is wrong', () => {
    const text = 'spec:\n  routes:\n  - {weigth: 7}\n  - "timeout" : 1s\n';
    const [raw] = readYaml(text, 'f.yaml').objects;
    const at = (path: readonly (string | number)[], what?: 'key'): string => {
      const { line, column } = raw?.where(path, what) ?? {};
      return `${line}:${column}`;
    };
    assert.equal(at(['spec', 'routes', 0, 'weigth']), '3:14');
    assert.equal(at(['spec', 'routes', 0, 'weigth'], 'key'), '3:6');
    assert.equal(at(['spec', 'routes', 1, 'timeout'], 'key'), '4:5');
    assert.equal(at(['spec', 'routes', 1], 'key'), '4:5', 'an item has no key');
    assert.equal(at(['spec', 'routes', 0, 'missing'], 'key'), '3:5');
  });

  it('finds a key given twice in a mapping of any size', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join('');
    assert.equal(readYaml(keys, 'f.yaml').broken, false);
    assert.deepEqual(codes(readYaml(`${keys}k7: 2\n`, 'f.yaml')), ['FW-FILE-002 f.yaml:20001:1']);
  });

  it('tells the first faults of each document, and stops when there are too many', () => {
    const one = readYaml(`a: ${']'.repeat(20)}\n`, 'f.yaml');
    assert.equal(one.findings.length, 3);
    const many = readYaml('---\na: 1\na: 1\n'.repeat(200), 'f.yaml');
    assert.deepEqual(codes(many).slice(-2), ['FW-FILE-002 f.yaml:150:1', 'FW-FILE-022 f.yaml::']);
  });

  it('keeps the sound documents beside a broken one, for judging', () => {
    const file = readYaml('kind: A\n---\nkind: [B\n---\nkind: C\n', 'f.yaml');
    assert.deepEqual(file.objects, []);
    assert.deepEqual(
      file.sound.map(({ object, where }) => [object, where(['kind']).line]),
      [
        [{ kind: 'A' }, 1],
        [{ kind: 'C' }, 5],
      ],
    );
  });

  it('takes documents that are written as before, and knows where they stand now', () => {
    const first = readYaml('kind: A\n---\nkind: B\n---\nkind: C', 'f.yaml');
    const next = readYaml('# new\nkind: A\n---\nkind: B\n---\nkind: D', 'f.yaml', { before: first.parts });
    assert.deepEqual(
      next.objects.map(({ object, document, line, where }) => [object, document, line, where(['kind']).line]),
      [
        [{ kind: 'A' }, 0, 2, 2],
        [{ kind: 'B' }, 1, 3, 4],
        [{ kind: 'D' }, 2, 5, 6],
      ],
    );
    assert.equal(next.objects[1]?.object, first.objects[1]?.object, 'not parsed again');
  });

  it('lets others have their turn while it reads', async () => {
    const text = Array.from({ length: 2000 }, (_, index) => `---\nkind: A\nspec: {a: [1, 2, 3], b: ${index}}\n`).join(
      '',
    );
    let turns = 0;
    let done = false;
    const count = (): void => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    const file = await readYamlInTurns(text, 'f.yaml');
    done = true;
    assert.equal(file.objects.length, 2000);
    assert.ok(turns >= 5, `${turns} turns`);
  });

  it('merges keys as kubectl does, and takes harmless aliases', () => {
    const [raw] = readYaml('a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: *x\n', 'f.yaml').objects;
    assert.deepEqual(raw?.object, { a: { b: 1 }, c: { b: 1, d: 2 }, e: { b: 1 } });
  });
});
