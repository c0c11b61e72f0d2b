import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Fault,
  findCycles,
  judgeImports,
  type Sources,
  unusedExceptions,
} from '../../../scripts/imports/judge.ts';
import { readImports } from '../../../scripts/imports/read-imports.ts';
import { importTable } from '../../../scripts/imports/rooms.ts';

function sourcesOf(files: Readonly<Record<string, string>>): Sources {
  return new Map(Object.entries(files).map(([file, source]) => [file, readImports(file, source)]));
}

function faultsOf(files: Readonly<Record<string, string>>): readonly Fault[] {
  return judgeImports(sourcesOf(files), importTable);
}

describe('reading imports', () => {
  it('finds every form, tells types from values from lazy ones, and is not fooled by text', () => {
    const source = [
      "import type { A } from './a.ts';",
      "import { type B } from './b.ts';",
      "import { type C, c } from './c.ts';",
      "import './d.ts';",
      "export * from './e.ts';",
      "export type { F } from './f.ts';",
      "const g = await import('./g.ts');",
      "let h: import('./h.ts').H;",
      "const name = 'x'; void import(name);",
      "// import './no.ts'",
      "const text = `import './no.ts'`; const quoted = \"import './no.ts'\";",
    ].join('\n');
    assert.deepEqual(
      readImports('x.ts', source).map((item) => `${item.line} ${item.kind} ${item.specifier}`),
      [
        '1 type ./a.ts',
        '2 type ./b.ts',
        '3 value ./c.ts',
        '4 value ./d.ts',
        '5 value ./e.ts',
        '6 type ./f.ts',
        '7 lazy ./g.ts',
        '8 type ./h.ts',
        '9 lazy <computed>',
      ],
    );
  });

  it('refuses a file that does not parse, rather than finding nothing in it', () => {
    assert.throws(() => readImports('x.ts', 'import { from'), /x\.ts does not parse/);
  });
});

describe('import directions', () => {
  const files = {
    'core/a.ts': '',
    'model/b.ts': "import '../core/a.ts';",
    'xds/c.ts': '',
    'pilot/d.ts': '',
    'envoy/bootstrap.ts': '',
  };

  it('accept what the table allows', () => {
    assert.deepEqual(
      faultsOf({ ...files, 'pilot/d.ts': "import '../xds/c.ts'; import type { X } from '../model/b.ts';" }),
      [],
    );
  });

  it('refuse a wrong way, for values and for types alike, with place and reason', () => {
    const faults = faultsOf({ ...files, 'xds/c.ts': "\nimport type { B } from '../model/b.ts';" });
    assert.equal(faults.length, 1);
    assert.equal(faults[0]?.file, 'xds/c.ts');
    assert.equal(faults[0]?.line, 2);
    assert.match(faults[0]?.message ?? '', /xds imports model\/b\.ts, and may import core/);
  });

  it('let one file of the command import the pilot, and that file be loaded lazily alone', () => {
    const serve = { ...files, 'cli/serve.ts': "import '../pilot/d.ts';" };
    assert.deepEqual(faultsOf({ ...serve, 'cli/main.ts': "await import('./serve.ts');" }), []);
    assert.match(faultsOf({ ...serve, 'cli/main.ts': "import './serve.ts';" })[0]?.message ?? '', /at start/);
    assert.match(
      faultsOf({ ...files, 'cli/main.ts': "import '../pilot/d.ts';" })[0]?.message ?? '',
      /cli imports pilot/,
    );
  });

  it('let the command use one file of envoy and no other', () => {
    assert.deepEqual(faultsOf({ ...files, 'cli/bootstrap.ts': "import '../envoy/bootstrap.ts';" }), []);
    assert.equal(faultsOf({ ...files, 'envoy/x.ts': '', 'cli/bootstrap.ts': "import '../envoy/x.ts';" }).length, 1);
  });

  it('keep a package in the room that owns it', () => {
    const use = "import { KubeConfig } from '@kubernetes/client-node';";
    assert.deepEqual(faultsOf({ 'registry/kube/a.ts': use }), []);
    assert.match(faultsOf({ 'registry/file/a.ts': use })[0]?.message ?? '', /belongs to registry\/kube\//);
    assert.match(faultsOf({ 'api/a.ts': "import 'protobufjs/minimal.js';" })[0]?.message ?? '', /imports protobufjs/);
  });

  it('refuse a room without a row, a missing file, a way out of src, and a computed name', () => {
    assert.match(faultsOf({ ...files, 'utils/x.ts': "import '../core/a.ts';" })[0]?.message ?? '', /without a row/);
    assert.match(faultsOf({ ...files, 'model/x.ts': "import '../core/a.js';" })[0]?.message ?? '', /no source file/);
    assert.match(faultsOf({ ...files, 'model/x.ts': "import '../../test/x.ts';" })[0]?.message ?? '', /outside src/);
    assert.match(faultsOf({ ...files, 'model/x.ts': 'void import(globalThis.name);' })[0]?.message ?? '', /computes/);
  });

  it('say which exceptions nobody uses', () => {
    const used = sourcesOf({ 'cli/bootstrap.ts': "import '../envoy/bootstrap.ts';" });
    const unused = unusedExceptions(used, importTable);
    assert.ok(unused.length > 0);
    assert.ok(!unused.includes('cli/ → envoy/bootstrap.ts'));
  });
});

describe('import cycles', () => {
  it('are found among values and not among types or lazy imports', () => {
    const ring = { 'core/a.ts': "import './b.ts';", 'core/b.ts': "import './c.ts';" };
    assert.deepEqual(findCycles(sourcesOf({ ...ring, 'core/c.ts': "import './a.ts';" })), [
      ['core/a.ts', 'core/b.ts', 'core/c.ts', 'core/a.ts'],
    ]);
    assert.deepEqual(findCycles(sourcesOf({ ...ring, 'core/c.ts': "import type { A } from './a.ts';" })), []);
    assert.deepEqual(findCycles(sourcesOf({ ...ring, 'core/c.ts': "await import('./a.ts');" })), []);
  });
});

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-imports-'));
  const write = (file: string, source: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), source);
  };
  after(() => rmSync(folder, { recursive: true }));

  it('turns red on a wrong import and green without it', () => {
    write('core/a.ts', '');
    write('model/b.ts', "import '../core/a.ts';");
    assert.match(
      execFileSync(process.execPath, ['scripts/check-imports.ts', folder], { encoding: 'utf8' }),
      /2 files, 1 imports/,
    );
    write('core/a.ts', "import '../model/b.ts';");
    const red = spawnSync(process.execPath, ['scripts/check-imports.ts', folder], { encoding: 'utf8' });
    assert.equal(red.status, 1);
    assert.match(red.stderr, /core\/a\.ts:1: core imports model\/b\.ts/);
    assert.match(red.stderr, /cycle: core\/a\.ts → model\/b\.ts → core\/a\.ts/);
  });

  it('is red when there is nothing to check', () => {
    const empty = mkdtempSync(join(tmpdir(), 'fairway-imports-'));
    try {
      assert.equal(spawnSync(process.execPath, ['scripts/check-imports.ts', empty]).status, 1);
    } finally {
      rmSync(empty, { recursive: true });
    }
  });
});
