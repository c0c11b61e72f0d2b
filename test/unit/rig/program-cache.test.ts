import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openProgramFolder } from '../../rig/program-cache.ts';

describe('the cache of programs', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fairway-programs-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Used last so many hours ago. */
  function folder(name: string, hours: number): void {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'program'), '');
    const then = new Date(Date.now() - hours * 3_600_000);
    utimesSync(join(root, name), then, then);
  }

  const open = (name: string, hash: string): string[] => {
    const said: string[] = [];
    openProgramFolder(root, name, hash, (line) => said.push(line));
    return said;
  };

  it('keeps the current folder and the one used last before it', () => {
    folder('node-000000000001', 30);
    folder('node-000000000002', 10);
    folder('node-000000000003', 20);
    const said = open('node', '00000000000a');
    assert.deepEqual(readdirSync(root).sort(), ['node-000000000002', 'node-00000000000a']);
    assert.match(said.join(), /removed older builds of node .*node-000000000003, node-000000000001/);
    assert.deepEqual(open('node', '00000000000a'), []);
  });

  it('takes nothing from runs that go on beside it', () => {
    for (const one of ['1', '2', '3']) folder(`node-00000000000${one}`, 1);
    open('node', '00000000000a');
    assert.equal(readdirSync(root).length, 4);
  });

  it('goes by when a folder was opened last, not by when it was made', () => {
    for (const one of ['1', '2', '3']) folder(`node-00000000000${one}`, 10);
    open('node', '000000000001');
    assert.ok(existsSync(join(root, 'node-000000000001/program')));
    assert.equal(readdirSync(root).length, 2);
    assert.ok(Date.now() - statSync(join(root, 'node-000000000001')).mtimeMs < 60_000);
  });

  it('leaves alone what has another name', () => {
    const others = [
      'node-basic-000000000001',
      'node-1.2.3',
      'nodes-000000000001',
      'node-000000000001.txt',
      'kubernetes-v1',
    ];
    for (const name of others) folder(name, 99);
    open('node', '00000000000a');
    assert.deepEqual(readdirSync(root).sort(), [...others, 'node-00000000000a'].sort());
  });
});
