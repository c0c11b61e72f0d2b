import assert from 'node:assert/strict';
import { appProtocolOf } from '../../../src/registry/protocol.ts';

describe('registry: app protocol of a port', () => {
  const cases: readonly (readonly [string | undefined, string, 'TCP' | 'UDP', string])[] = [
    ['http', '', 'TCP', 'http'],
    ['HTTP', 'tcp', 'TCP', 'http'],
    ['kubernetes.io/h2c', 'http', 'TCP', 'http2'],
    ['kubernetes.io/ws', '', 'TCP', 'http'],
    ['kubernetes.io/wss', '', 'TCP', 'tcp'],
    ['http2', '', 'TCP', 'http2'],
    ['grpc', '', 'TCP', 'grpc'],
    ['https', 'http', 'TCP', 'tcp'],
    ['tls', '', 'TCP', 'tcp'],
    ['example.com/own', 'http', 'TCP', 'tcp'],
    [undefined, 'http', 'TCP', 'http'],
    ['', 'http-web', 'TCP', 'http'],
    [undefined, 'httpweb', 'TCP', 'tcp'],
    [undefined, 'HTTP2-x', 'TCP', 'http2'],
    [undefined, 'grpc', 'TCP', 'grpc'],
    [undefined, 'grpc-web', 'TCP', 'http'],
    [undefined, 'grpc-web-x', 'TCP', 'http'],
    [undefined, 'grpc-webby', 'TCP', 'grpc'],
    [undefined, 'https-web', 'TCP', 'tcp'],
    [undefined, 'mongo', 'TCP', 'tcp'],
    [undefined, '', 'TCP', 'tcp'],
    [undefined, 'constructor', 'TCP', 'tcp'],
    ['__proto__', '', 'TCP', 'tcp'],
    ['http', 'http', 'UDP', 'tcp'],
  ];
  for (const [appProtocol, name, transport, want] of cases) {
    it(`appProtocol ${appProtocol ?? 'unset'}, name "${name}", ${transport} → ${want}`, () => {
      assert.equal(appProtocolOf({ appProtocol, name, transport }), want);
    });
  }
});
