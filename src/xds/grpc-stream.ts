/**
 * What the xDS server needs of a grpc-js stream and its public API does not give: to write a message without a copy, to see that a client takes a
 * long one bit by bit, and to reset a stream.
 * Both reach through the stream to the call inside; where that is not as it was in the version that package.json pins, a stream still works,
 * and test/feature/grpc-stream.test.ts fails.
 */

import type { ServerDuplexStream } from '@grpc/grpc-js';

export type BytesStream = ServerDuplexStream<Buffer, Buffer>;

/** grpc-js's own call object. */
interface InnerCall {
  stream?: { destroy?: () => void; session?: { socket?: { bytesWritten?: number } } };
  serializeMessage?: (message: Buffer) => Buffer;
}

/** One byte for compression, four for the length: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const frameBytes = 5;

/** Writes the frame of a message that is not compressed to the beginning of `bytes`; the message stands behind it. */
export function writeFrame(bytes: Buffer, messageBytes: number): void {
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(messageBytes, 1);
}

/**
 * Has messages on `call` written as they are, already framed: all streams that are sent the same share one buffer down to the socket.
 * grpc-js would copy each message into a new buffer per stream, which for a thousand proxies that come at once is 2.3 GB.
 * False if that cannot be had; then messages are to be written without a frame.
 */
export function takesFramed(call: BytesStream): boolean {
  const inner = innerCall(call);
  if (typeof inner?.serializeMessage !== 'function') return false;
  inner.serializeMessage = (framed) => framed;
  return true;
}

/** What was given to the connection of `call` so far, of all its streams: it grows as the client takes it. Undefined if that cannot be had. */
export function bytesGiven(call: BytesStream): number | undefined {
  return innerCall(call)?.stream?.session?.socket?.bytesWritten;
}

/** The request that came with a call of one request, whose answer is written as to a stream. */
export function requestOf(call: BytesStream): Buffer {
  return (call as BytesStream & { readonly request: Buffer }).request;
}

/** Ends `call` without a word; what is queued on it is dropped. */
export function resetStream(call: BytesStream): void {
  innerCall(call)?.stream?.destroy?.();
}

function innerCall(call: BytesStream): InnerCall | undefined {
  return (call as unknown as { call?: InnerCall }).call;
}
