/** What src/xds/grpc-stream.ts takes for granted of grpc-js: if this fails after an upgrade, that file is to be looked at. */

import assert from 'node:assert/strict';
import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { type BytesStream, frameBytes, resetStream, takesFramed, writeFrame } from '../../src/xds/grpc-stream.ts';
import { bytesMethod } from '../../src/xds/services.ts';

const path = '/test.Service/Stream';
const same = (bytes: Buffer): Buffer => bytes;

/** Serves one bidirectional stream with `serve` and opens it. */
async function open(serve: (call: BytesStream) => void) {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  server.addService({ stream: bytesMethod(path, true) }, { stream: serve });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(path, same, same);
  stream.on('error', () => {});
  return {
    stream,
    close: () => {
      stream.cancel();
      client.close();
      server.forceShutdown();
    },
  };
}

describe('a grpc-js stream', () => {
  it('passes a framed message on to HTTP/2 as the very same buffer', async () => {
    const framed = Buffer.concat([Buffer.alloc(frameBytes), Buffer.from('a message')]);
    writeFrame(framed, framed.length - frameBytes);
    const written: unknown[] = [];
    const { stream, close } = await open((call) => {
      const { stream: http2 } = (call as unknown as { call: { stream: { write: (...args: unknown[]) => boolean } } })
        .call;
      const write = http2.write.bind(http2);
      http2.write = (...args) => {
        written.push(args[0]);
        return write(...args);
      };
      assert.ok(takesFramed(call));
      call.write(framed, () => call.end());
    });
    try {
      const received = await new Promise<Buffer>((resolve) => stream.once('data', resolve));
      assert.equal(received.toString(), 'a message');
      assert.equal(written[0], framed);
      assert.equal(framed.subarray(frameBytes).toString(), 'a message');
    } finally {
      close();
    }
  });

  it('can be reset', async () => {
    const { stream, close } = await open((call) => {
      call.on('error', () => {});
      resetStream(call);
    });
    try {
      const ended = await new Promise<{ code: status }>((resolve) => stream.once('status', resolve));
      assert.notEqual(ended.code, status.OK);
    } finally {
      close();
    }
  });
});
