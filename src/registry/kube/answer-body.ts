/**
 * The bodies of answers: in come the bytes of a connection, out goes one text or a line at a time.
 *
 * What always holds: both are bounded in size; an answer that was cut off is an error, never a short answer.
 */

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ApiError } from './api-error.ts';

/** Ends the iteration with an error when the signal aborts, wherever the stream stands. */
export function abortable<T extends Readable>(stream: T, signal: AbortSignal): T {
  const abort = (): void => void stream.destroy(new Error('aborted'));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', abort));
  return stream;
}

/** The whole body, unpacked; throws an ApiError when it is larger or cut off. */
export async function readWhole(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<string> {
  abortable(response, signal);
  const packed = response.headers['content-encoding'] === 'gzip';
  const stream: Readable = packed ? response.pipe(createGunzip()) : response;
  if (packed) response.once('error', (error) => stream.destroy(error));
  // A cut connection ends a piped stream in nothing: without this the reader would wait for ever.
  if (packed) response.once('close', () => !response.complete && stream.destroy(new Error('the answer was cut off')));
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) {
      response.destroy();
      throw new ApiError('malformed', `the answer is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  if (!response.complete) throw new ApiError('unreachable', 'the answer was cut off');
  return Buffer.concat(chunks).toString('utf8');
}

/** Bytes in pieces, lines out; a line is looked at once, however many pieces it comes in. */
export class LineSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *push(chunk: Buffer): Generator<string, void, undefined> {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, at));
      from = at + 1;
      const line = this.#take();
      if (line !== '') yield line;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** What came without an end of line. */
  *end(): Generator<string, void, undefined> {
    const line = this.#take();
    if (line !== '') yield line;
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) throw new ApiError('malformed', `a line is longer than ${this.#maxBytes} bytes`);
    if (piece.length > 0) this.#pieces.push(piece);
  }

  #take(): string {
    const line = Buffer.concat(this.#pieces).toString('utf8').trim();
    this.#pieces = [];
    this.#bytes = 0;
    return line;
  }
}
