import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTokenFile } from '../../../src/api/token-file.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';

describe('the admin token file', () => {
  let folder: string;
  let file: string;
  let nowMs: number;
  const clock: Clock = { ...systemClock, monotonic: () => nowMs };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-token-'));
    file = join(folder, 'token');
    nowMs = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('refuses what is no fit token', () => {
    assert.throws(() => openTokenFile(file, clock, silentLogger), { code: 'FW-API-002' });
    for (const content of ['', 'short', 'two words that are long', 'x'.repeat(5000), 'ümlaute-sind-nicht-ascii']) {
      writeFileSync(file, content);
      assert.throws(() => openTokenFile(file, clock, silentLogger), { code: 'FW-API-002' }, content.slice(0, 20));
    }
  });

  it('follows a rotation, and keeps the last good token when the file is lost or bad', () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
    writeFileSync(file, 'first-token-0123456789\n');
    const token = openTokenFile(file, clock, logger);
    assert.equal(token(), 'first-token-0123456789');

    writeFileSync(file, 'second-token-0123456789-longer\n');
    assert.equal(token(), 'first-token-0123456789', 'the file is not looked at on every request');
    nowMs += 1000;
    assert.equal(token(), 'second-token-0123456789-longer');

    writeFileSync(file, 'bad');
    nowMs += 1000;
    assert.equal(token(), 'second-token-0123456789-longer');
    rmSync(file);
    nowMs += 1000;
    assert.equal(token(), 'second-token-0123456789-longer');
    assert.equal(warnings.length, 2);

    writeFileSync(file, 'third-token-0123456789');
    nowMs += 1000;
    assert.equal(token(), 'third-token-0123456789');
  });
});
