import assert from 'node:assert/strict';
import { formatHostPort, parseHostPort } from '../../../src/cli/host-port.ts';

describe('cli HOST:PORT', () => {
  it('reads addresses, names, IPv6 in brackets and an empty host', () => {
    assert.deepEqual(parseHostPort('127.0.0.1:15010', '--xds'), { host: '127.0.0.1', port: 15_010 });
    assert.deepEqual(parseHostPort('pilot.fairway-system.svc:0', '--xds'), {
      host: 'pilot.fairway-system.svc',
      port: 0,
    });
    assert.deepEqual(parseHostPort('[::1]:65535', '--xds'), { host: '::1', port: 65_535 });
    assert.deepEqual(parseHostPort(':15010', '--xds'), { host: '', port: 15_010 });
  });

  it('prints what it reads', () => {
    for (const text of ['127.0.0.1:1', '[fd00::2]:80', 'localhost:15014', ':9']) {
      assert.equal(formatHostPort(parseHostPort(text, '--xds')), text);
    }
  });

  it('refuses the rest, and says how IPv6 is written', () => {
    for (const text of [
      '',
      '15010',
      'localhost',
      'localhost:',
      'a:65536',
      'a:-1',
      '[nope]:1',
      'a b:1',
      '[127.0.0.1]:1',
      '-a:1',
    ]) {
      assert.throws(() => parseHostPort(text, '--xds'), { code: 'FW-CLI-003', exit: 2 }, text);
    }
    assert.throws(() => parseHostPort('::1:15010', '--xds'), { hint: /brackets/ });
    assert.throws(() => parseHostPort('::1', '--xds'), { hint: /brackets/ });
  });
});
