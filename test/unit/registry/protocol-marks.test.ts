import assert from 'node:assert/strict';
import { portMarks } from '../../../src/registry/protocol.ts';

describe('portMarks', () => {
  const marks = (name: string, appProtocol = '', transport: 'TCP' | 'UDP' = 'TCP') =>
    portMarks({ name, appProtocol, transport });

  it('tells TLS by appProtocol first, then by the name', () => {
    assert.deepEqual(marks('https-web'), { tls: true });
    assert.deepEqual(marks('tls'), { tls: true });
    assert.deepEqual(marks('web', 'HTTPS'), { tls: true });
    assert.deepEqual(marks('https', 'http'), {});
  });

  it('tells a port that declares nothing from one that does', () => {
    assert.deepEqual(marks('web'), { undeclared: true });
    assert.deepEqual(marks(''), { undeclared: true });
    for (const name of ['http', 'tcp-x', 'redis', 'grpc-web']) assert.deepEqual(marks(name), {}, name);
    assert.deepEqual(marks('web', 'something.else/x'), {});
    assert.deepEqual(marks('web', '', 'UDP'), {});
  });
});
