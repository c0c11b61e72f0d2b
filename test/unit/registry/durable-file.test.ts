import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../../src/registry/durable-file.ts';

describe('making a folder', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'fairway-folder-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it('makes all that is missing, with the mode that was asked for, and takes what is there', () => {
    const folder = join(root, 'a/b/c');
    makeFolder(folder, 0o700);
    makeFolder(folder, 0o700);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o700);
  });

  it('fails where a file is in the way', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    assert.throws(() => makeFolder(file), { code: 'EEXIST' });
    assert.throws(() => makeFolder(join(file, 'under')), { code: /EEXIST|ENOTDIR/ });
  });

  it('fails where the system makes none, and does not try for ever', function () {
    if (process.platform !== 'linux') this.skip();
    assert.throws(() => makeFolder('/proc/fairway/x'), { code: 'ENOENT' });
  });
});
