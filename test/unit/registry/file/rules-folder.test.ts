import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../src/core/clock.ts';
import { FairwayError, type Finding } from '../../../../src/core/errors.ts';
import type { RawObject } from '../../../../src/model/object.ts';
import { RulesFolder } from '../../../../src/registry/file/rules-folder.ts';
import { RulesWriter } from '../../../../src/registry/file/rules-writer.ts';
import { waitFor } from '../../../rig/wait.ts';

function rule(name: string, service = 'reviews', namespace = 'shop') {
  return { apiVersion: 'fairway.dev/v1alpha1', kind: 'TrafficRule', metadata: { name, namespace }, spec: { service } };
}

function yaml(name: string, service = 'reviews'): string {
  return `apiVersion: fairway.dev/v1alpha1\nkind: TrafficRule\nmetadata: {name: ${name}, namespace: shop}\nspec:\n  service: ${service}\n`;
}

describe('rules folder', () => {
  let folder: string;
  let held: Map<string, RawObject>;
  let log: string[];
  let findings: readonly Finding[];
  let rules: RulesFolder;

  function start(): void {
    rules = new RulesFolder({
      folder,
      clock: systemClock,
      folderLimits: { pollMs: 100, confirmMs: 40 },
      sink: {
        put(raw, id) {
          held.set(id, raw);
          log.push(`put ${id}`);
        },
        remove(id) {
          held.delete(id);
          log.push(`remove ${id}`);
        },
        problem(list) {
          findings = list;
        },
        synced: () => log.push('synced'),
      },
    });
    rules.start();
  }

  const until = (what: string, probe: () => boolean): Promise<unknown> =>
    waitFor(what, probe, { intervalMs: 5 }, () => log.join(', '));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-rules-'));
    held = new Map();
    log = [];
    findings = [];
  });

  afterEach(async () => {
    await rules?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('puts every object, then says that it has synced', async () => {
    writeFileSync(join(folder, 'a.yaml'), `${yaml('a')}---\n${yaml('b')}`);
    start();
    await until('the sync', () => log.includes('synced'));
    assert.deepEqual(log, ['put TrafficRule/shop/a', 'put TrafficRule/shop/b', 'synced']);
    const raw = held.get('TrafficRule/shop/b');
    assert.equal(raw?.origin, join(folder, 'a.yaml'));
    assert.deepEqual(raw?.where(['spec', 'service']), {
      file: join(folder, 'a.yaml'),
      line: 11,
      column: 12,
      field: 'spec.service',
    });
  });

  it('reads each file once where a link leads back into the folder, and says so', async () => {
    mkdirSync(join(folder, 'more'));
    writeFileSync(join(folder, 'more/a.yaml'), yaml('a'));
    symlinkSync('..', join(folder, 'more/up'));
    start();
    await until('the sync', () => log.includes('synced'));
    assert.deepEqual(log, ['put TrafficRule/shop/a', 'synced']);
    assert.deepEqual(
      findings.map(({ code, message }) => [code, message]),
      [['FW-FILE-014', 'more/up is a link to a folder that it lies in, and is not read']],
    );
  });

  it('puts again only what changed', async () => {
    writeFileSync(join(folder, 'a.yaml'), `${yaml('a')}---\n${yaml('b')}`);
    start();
    await until('the sync', () => log.includes('synced'));
    log = [];
    writeFileSync(join(folder, 'a.yaml'), `${yaml('a')}---\n${yaml('b', 'ratings')}`);
    await rules.rescan();
    assert.deepEqual(log, ['put TrafficRule/shop/b']);
    writeFileSync(join(folder, 'a.yaml'), `# moved\n${yaml('a')}---\n${yaml('b', 'ratings')}`);
    await rules.rescan();
    assert.equal(held.get('TrafficRule/shop/a')?.where([]).line, 2);
  });

  it('removes what is gone, and only that', async () => {
    writeFileSync(join(folder, 'a.yaml'), `${yaml('a')}---\n${yaml('b')}`);
    writeFileSync(join(folder, 'c.yaml'), yaml('c'));
    start();
    await until('the sync', () => log.includes('synced'));
    log = [];
    writeFileSync(join(folder, 'a.yaml'), yaml('a'));
    rmSync(join(folder, 'c.yaml'));
    await until('both removals', () => log.length === 2);
    assert.deepEqual([...log].sort(), ['remove TrafficRule/shop/b', 'remove TrafficRule/shop/c']);
  });

  it('keeps what a broken file held, and says where it is broken until it is cured', async () => {
    writeFileSync(join(folder, 'a.yaml'), yaml('a'));
    start();
    await until('the sync', () => log.includes('synced'));
    log = [];
    writeFileSync(join(folder, 'a.yaml'), 'kind: "TrafficRule\n');
    await until('the finding', () => findings.length > 0);
    assert.equal(findings[0]?.code, 'FW-FILE-001');
    assert.equal(findings[0]?.where.file, join(folder, 'a.yaml'));
    assert.ok((findings[0]?.where.line ?? 0) >= 1);
    assert.deepEqual(log, []);
    writeFileSync(join(folder, 'a.yaml'), yaml('a', 'ratings'));
    await until('the cure', () => findings.length === 0 && log.length === 1);
  });

  it('lets the first of two files count, and the second take over', async () => {
    writeFileSync(join(folder, 'a.yaml'), yaml('x', 'first'));
    writeFileSync(join(folder, 'b.yaml'), yaml('x', 'second'));
    start();
    await until('the sync', () => log.includes('synced'));
    assert.equal(findings[0]?.code, 'FW-FILE-008');
    rmSync(join(folder, 'a.yaml'));
    await rules.rescan();
    assert.deepEqual(held.get('TrafficRule/shop/x')?.object, rule('x', 'second'));
    assert.equal(log.includes('remove TrafficRule/shop/x'), false);
  });

  it('removes nothing while the folder is gone', async () => {
    writeFileSync(join(folder, 'a.yaml'), yaml('a'));
    start();
    await until('the sync', () => log.includes('synced'));
    renameSync(folder, `${folder}-away`);
    await until('the finding', () => findings[0]?.code === 'FW-FILE-013');
    assert.equal(held.size, 1);
    renameSync(`${folder}-away`, folder);
    await until('the cure', () => findings.length === 0);
    assert.equal(held.size, 1);
    assert.equal(log.filter((line) => line.startsWith('put')).length, 1);
  });

  describe('writer', () => {
    it('gives each object a file, and says what it did', async () => {
      start();
      const writer = new RulesWriter(folder);
      const file = join(folder, 'shop.a.trafficrule.yaml');
      assert.deepEqual(await writer.apply(rule('a')), { action: 'created', file });
      assert.deepEqual(await writer.apply(rule('a')), { action: 'unchanged', file });
      assert.deepEqual(await writer.apply(rule('a', 'ratings')), { action: 'configured', file });
      await rules.rescan();
      assert.deepEqual(held.get('TrafficRule/shop/a')?.object, rule('a', 'ratings'));
      assert.deepEqual(await writer.delete('TrafficRule', 'shop', 'a'), { action: 'deleted', file });
      assert.deepEqual(await writer.delete('TrafficRule', 'shop', 'a'), { action: 'not-found', file: '' });
      await rules.rescan();
      assert.equal(held.size, 0);
      assert.deepEqual(readdirSync(folder), []);
    });

    it('edits an object where it lives, and leaves every other byte', async () => {
      const a = `# about a\n${yaml('a')}`;
      const b = `---\n# about b\n${yaml('b')}`;
      const c = `---\n# about c\n${yaml('c')}# the end\n`;
      const path = join(folder, 'all.yaml');
      writeFileSync(path, a + b + c);
      const writer = new RulesWriter(folder);
      assert.deepEqual(await writer.apply(rule('b', 'ratings')), { action: 'configured', file: path });
      const text = readFileSync(path, 'utf8');
      assert.ok(text.startsWith(a) && text.endsWith(c), text);
      assert.match(text, /# about b\n[^]*service: ratings/);
      await writer.delete('TrafficRule', 'shop', 'b');
      assert.equal(readFileSync(path, 'utf8'), a + c);
      await writer.delete('TrafficRule', 'shop', 'a');
      await writer.apply(rule('c', 'ratings'));
      assert.match(readFileSync(path, 'utf8'), /^# about a\n---\n# about c\n/);
      await writer.delete('TrafficRule', 'shop', 'c');
      assert.deepEqual(readdirSync(folder), []);
    });

    it('edits lists and JSON', async () => {
      const list = join(folder, 'list.yaml');
      writeFileSync(
        list,
        `kind: List\napiVersion: v1\nitems:\n# first\n- ${JSON.stringify(rule('a'))}\n# second\n- ${JSON.stringify(rule('b'))}\n`,
      );
      const json = join(folder, 'c.json');
      writeFileSync(json, JSON.stringify(rule('c')));
      const writer = new RulesWriter(folder);
      await writer.apply(rule('b', 'ratings'));
      assert.match(readFileSync(list, 'utf8'), /# second/);
      await writer.apply(rule('c', 'ratings'));
      assert.deepEqual(JSON.parse(readFileSync(json, 'utf8')), rule('c', 'ratings'));
      await writer.delete('TrafficRule', 'shop', 'a');
      start();
      await until('the sync', () => log.includes('synced'));
      assert.deepEqual([...held.keys()].sort(), ['TrafficRule/shop/b', 'TrafficRule/shop/c']);
      assert.deepEqual(held.get('TrafficRule/shop/b')?.object, rule('b', 'ratings'));
      await writer.delete('TrafficRule', 'shop', 'b');
      assert.deepEqual(readdirSync(folder), ['c.json']);
    });

    it('deletes an object wherever it stands', async () => {
      writeFileSync(join(folder, 'a.yaml'), yaml('x'));
      mkdirSync(join(folder, 'sub'));
      writeFileSync(join(folder, 'sub', 'b.yaml'), yaml('x'));
      await new RulesWriter(folder).delete('TrafficRule', 'shop', 'x');
      start();
      await until('the sync', () => log.includes('synced'));
      assert.equal(held.size, 0);
    });

    it('refuses names that could leave the folder', async () => {
      const writer = new RulesWriter(join(folder, 'rules'));
      for (const bad of [
        rule('../../x'),
        rule('a', 's', '../x'),
        { ...rule('a'), kind: '../K' },
        { kind: 'TrafficRule' },
        'text',
      ]) {
        await assert.rejects(
          writer.apply(bad),
          (error: unknown) => error instanceof FairwayError && error.code === 'FW-FILE-016',
        );
      }
      assert.deepEqual(readdirSync(folder), []);
    });

    it('says so when the folder cannot be written', async () => {
      writeFileSync(join(folder, 'file'), '');
      const writer = new RulesWriter(join(folder, 'file', 'rules'));
      await assert.rejects(
        writer.apply(rule('a')),
        (error: unknown) => error instanceof FairwayError && error.code === 'FW-FILE-018',
      );
    });

    it('writes what is asked at the same time one after the other', async () => {
      const writer = new RulesWriter(folder);
      await Promise.all(Array.from({ length: 20 }, (_, index) => writer.apply(rule(`r${index}`))));
      assert.equal(readdirSync(folder).length, 20);
    });
  });
});
