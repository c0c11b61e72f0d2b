import assert from 'node:assert/strict';
import {
  checkHost,
  checkSameOrigin,
  checkToken,
  isLoopbackHost,
  requireCredentialBeyondLoopback,
} from '../../../src/api/guard.ts';

describe('the admin guard', () => {
  it('knows loopback from the rest', () => {
    for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'localhost']) assert.equal(isLoopbackHost(host), true, host);
    for (const host of [
      '',
      '0.0.0.0',
      '::',
      '10.0.0.1',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '::ffff:10.0.0.1',
    ]) {
      assert.equal(isLoopbackHost(host), false, host);
    }
  });

  it('lets nobody listen beyond loopback without a credential', () => {
    assert.doesNotThrow(() => requireCredentialBeyondLoopback('127.0.0.1', false));
    assert.doesNotThrow(() => requireCredentialBeyondLoopback('0.0.0.0', true));
    for (const host of ['', '0.0.0.0', '::', 'pilot.example', '10.1.2.3']) {
      assert.throws(() => requireCredentialBeyondLoopback(host, false), { code: 'FW-API-001' }, host);
    }
  });

  it('answers only Host headers that name loopback', () => {
    for (const host of ['127.0.0.1:15014', 'localhost', 'LOCALHOST:1', '[::1]:15014']) checkHost(host);
    for (const host of [
      undefined,
      '',
      'evil.example',
      'evil.example:15014',
      'localhost.evil.example',
      '[::1',
      '127.0.0.1@evil.example',
      '::1',
    ]) {
      assert.throws(() => checkHost(host), { code: 'FW-API-003', status: 421 }, String(host));
    }
  });

  it('refuses changes from other sites', () => {
    const host = '127.0.0.1:15014';
    checkSameOrigin({ host });
    checkSameOrigin({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' });
    for (const headers of [
      { host, origin: 'http://evil.example' },
      { host, origin: 'null' },
      { host, origin: 'http://127.0.0.1:8080' },
      { host, 'sec-fetch-site': 'cross-site' },
      { host, 'sec-fetch-site': 'same-site' },
    ]) {
      assert.throws(() => checkSameOrigin(headers), { code: 'FW-API-004', status: 403 }, JSON.stringify(headers));
    }
  });

  it('takes the right token alone', () => {
    checkToken('Bearer s3cret-s3cret-s3cret', 's3cret-s3cret-s3cret');
    checkToken('bearer  s3cret-s3cret-s3cret', 's3cret-s3cret-s3cret');
    for (const given of [
      undefined,
      '',
      'Bearer',
      'Bearer s3cret',
      'Basic s3cret-s3cret-s3cret',
      'Bearer s3cret-s3cret-s3cret x',
    ]) {
      assert.throws(
        () => checkToken(given, 's3cret-s3cret-s3cret'),
        { code: 'FW-API-005', status: 401 },
        String(given),
      );
    }
  });
});
