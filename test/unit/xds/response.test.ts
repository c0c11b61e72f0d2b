import assert from 'node:assert/strict';
import type { EncodedResource } from '../../../src/core/resource.ts';
import { typeUrl } from '../../../src/core/type-urls.ts';
import type { Draft } from '../../../src/xds/draft.ts';
import { ResponseEncoder } from '../../../src/xds/response.ts';
import { noSpellings } from '../../../src/xds/spellings.ts';
import { decodeResponse } from '../../support/xds-response.ts';
import { testResource } from '../../support/xds-views.ts';

const options = { identifier: 'pilot-1', maxBytes: 1 << 20, maxEntries: 3 };
const resources = new Map<string, EncodedResource>();
const resource = (name: string): EncodedResource => {
  const known = resources.get(name) ?? testResource(typeUrl.cluster, name);
  resources.set(name, known);
  return known;
};
const draft = (names: readonly string[], more: Partial<Draft> = {}): Draft => ({
  typeUrl: typeUrl.cluster,
  complete: false,
  resources: names.map(resource),
  removed: [],
  heartbeat: false,
  version: 'v1',
  revision: 1,
  cacheKey: undefined,
  added: [],
  changed: [],
  exhaustive: true,
  ...more,
});

describe('responses', () => {
  for (const transport of ['sotw', 'delta'] as const) {
    it(`${transport}: protobufjs reads back what was framed by hand`, () => {
      const encoder = new ResponseEncoder(options);
      const response = encoder.encode(draft(['a', 'b'], { removed: transport === 'delta' ? ['c'] : [] }), {
        transport,
        ttl: false,
        afterSerial: 0,
      });
      const decoded = decodeResponse(response.bytes, transport);
      assert.deepEqual(
        [decoded.typeUrl, decoded.version, decoded.nonce, decoded.controlPlane],
        [typeUrl.cluster, 'v1', response.nonce, 'pilot-1'],
      );
      assert.deepEqual(
        decoded.resources.map(({ name }) => name),
        ['a', 'b'],
      );
      assert.deepEqual(decoded.removed, transport === 'delta' ? ['c'] : []);
    });
  }

  it('writes what is long, what is not ASCII, and what is larger than its memory, as protobufjs reads it', () => {
    const encoder = new ResponseEncoder({ ...options, maxBytes: 10 << 20 });
    const long = 'é'.repeat(9_000);
    const large = testResource(typeUrl.cluster, 'large', 'x'.repeat(1_000_000));
    const aliased = { ...testResource(typeUrl.cluster, 'hôte'), aliases: [long, 'b', ''], ttlMs: 3_723_500 };
    for (const transport of ['sotw', 'delta'] as const) {
      const context = { transport, ttl: true, afterSerial: 0 };
      const { bytes, framed } = encoder.encode(draft(['a'], { resources: [large, aliased, resource('a')] }), context);
      assert.equal(framed.readUInt32BE(1), bytes.length);
      const read = decodeResponse(bytes, transport).resources;
      assert.deepEqual(
        read.map(({ name, ttlMs }) => [name, ttlMs]),
        [
          ['large', undefined],
          ['hôte', 3_723_500],
          ['a', undefined],
        ],
      );
      assert.deepEqual(read[1]?.aliases, aliased.aliases);
    }
  });

  it('the same message is the same Buffer, unless a stream may have had its nonce', () => {
    const encoder = new ResponseEncoder(options);
    const context = { transport: 'delta', ttl: false, afterSerial: 0 } as const;
    const first = encoder.encode(draft(['a']), context);
    assert.equal(encoder.encode(draft(['a']), context).bytes, first.bytes);
    const again = encoder.encode(draft(['a']), { ...context, afterSerial: first.serial });
    assert.notEqual(again.nonce, first.nonce);
    assert.equal(encoder.encode(draft(['a']), context).bytes, again.bytes);
  });

  it('messages that differ in anything that a client sees are kept apart', () => {
    const encoder = new ResponseEncoder({ ...options, maxEntries: 100 });
    const context = { transport: 'delta', ttl: true, afterSerial: 0 } as const;
    const plain = testResource(typeUrl.cluster, 'a');
    const asked = testResource(typeUrl.cluster, 'b', '1', { aliases: ['x', 'y'] });
    const variants = [
      encoder.encode(draft([], { resources: [plain] }), context),
      encoder.encode(draft([], { resources: [plain] }), { ...context, transport: 'sotw' }),
      encoder.encode(draft([], { resources: [plain] }), { ...context, ttl: false }),
      encoder.encode(draft([], { resources: [{ ...plain, ttlMs: 1500 }] }), context),
      encoder.encode(draft([], { resources: [{ ...plain, ttlMs: 1500 }], heartbeat: true }), context),
      encoder.encode(draft([], { resources: [{ ...plain, aliases: ['x'] }] }), context),
      encoder.encode(
        draft([], { resources: [asked], asked: { names: new Set(['x']), spellings: noSpellings } }),
        context,
      ),
      encoder.encode(
        draft([], { resources: [asked], asked: { names: new Set(['y']), spellings: noSpellings } }),
        context,
      ),
      encoder.encode(draft([], { resources: [plain], version: 'v2' }), context),
      encoder.encode(draft([], { resources: [plain], removed: ['b'] }), context),
      encoder.encode(draft([], { resources: [plain], typeUrl: typeUrl.listener }), context),
    ];
    assert.equal(new Set(variants.map(({ nonce }) => nonce)).size, variants.length);
    assert.equal(decodeResponse(variants[3]?.bytes ?? Buffer.alloc(0), 'delta').resources[0]?.ttlMs, 1500);
  });

  it('a long message is kept when it is asked for again, and drives nothing out before', () => {
    const encoder = new ResponseEncoder(options);
    const context = { transport: 'delta', ttl: false, afterSerial: 0 } as const;
    const kept = encoder.encode(draft(['a']), context);
    const long = (name: string): Draft => draft(Array.from({ length: 20 }, (_, at) => `${name}-${at}`));
    for (const name of ['b', 'c', 'd', 'e']) encoder.encode(long(name), context);
    assert.equal(encoder.counts.entries, 1);
    assert.equal(encoder.encode(draft(['a']), context), kept);
    const second = encoder.encode(long('e'), context);
    assert.equal(encoder.encode(long('e'), context), second);
  });

  it('the cache is bounded by entries and by bytes, the least used going first', () => {
    const encoder = new ResponseEncoder({ ...options, maxBytes: 2_000 });
    const context = { transport: 'delta', ttl: false, afterSerial: 0 } as const;
    const kept = encoder.encode(draft(['a']), context);
    for (const name of ['b', 'c', 'd', 'e']) {
      encoder.encode(draft([name]), context);
      assert.equal(encoder.encode(draft(['a']), context).bytes, kept.bytes);
    }
    assert.equal(encoder.counts.entries, 3);
    const large = testResource(typeUrl.cluster, 'large', 'x'.repeat(3_000));
    encoder.encode(draft([], { resources: [large] }), context);
    assert(encoder.counts.bytes <= 2_000);
  });
});
