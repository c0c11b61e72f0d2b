import assert from 'node:assert/strict';
import protobuf from 'protobufjs';
import { Ledger } from '../../../bench/load/ledger.ts';
import { typeUrl } from '../../../src/core/type-urls.ts';

/** A DeltaDiscoveryResponse with one resource; with removed names behind the nonce. */
function response(name: string, content: string, nonce: string, removed: readonly string[] = []): Buffer {
  const any = protobuf.Writer.create().uint32(10).string(typeUrl.endpoint).uint32(18).string(content).finish();
  const resource = protobuf.Writer.create()
    .uint32(10)
    .string('v')
    .uint32(18)
    .bytes(any)
    .uint32(26)
    .string(name)
    .finish();
  const writer = protobuf.Writer.create().uint32(18).bytes(resource).uint32(34).string(typeUrl.endpoint);
  writer.uint32(42).string(nonce);
  for (const one of removed) writer.uint32(50).string(one);
  return Buffer.from(writer.finish());
}

describe("the load client's ledger", () => {
  const pieceSizes = [1, 7, 1000];
  const cut = (bytes: Buffer, size: number): readonly Buffer[] =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));

  for (const size of pieceSizes) {
    it(`a message that differs in its nonce alone is the same, with its own nonce; in pieces of ${size} bytes`, () => {
      const ledger = new Ledger('delta');
      const read = (bytes: Buffer) => ledger.read(cut(bytes, size), bytes.length);
      const first = read(response('a', 'x10.254.0.7', 'nonce-1', ['gone']));
      const second = read(response('a', 'x10.254.0.7', 'nonce-2', ['gone']));
      assert.equal(first.nonce, 'nonce-1');
      assert.equal(second.nonce, 'nonce-2');
      assert.deepEqual(second.marks, [7]);
      assert.equal(second.versions, first.versions, 'it was read once');
      assert.equal(read(response('a', 'x10.254.0.7', 'nonce-1', ['gone'])), first);
    });

    it(`a message of the same length that says something else is another; in pieces of ${size} bytes`, () => {
      const ledger = new Ledger('delta');
      const read = (bytes: Buffer) => ledger.read(cut(bytes, size), bytes.length);
      const first = read(response('a', 'content-1', 'nonce', ['gone']));
      for (const other of [
        response('a', 'content-2', 'nonce', ['gone']),
        response('b', 'content-1', 'nonce', ['gone']),
      ]) {
        const message = read(other);
        assert.notDeepEqual([...message.versions, ...message.names], [...first.versions, ...first.names]);
      }
      // Behind the nonce, too.
      assert.notDeepEqual(read(response('a', 'content-1', 'nonce', ['more'])).removed, first.removed);
    });
  }
});
