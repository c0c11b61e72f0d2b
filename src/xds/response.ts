/**
 * Drafts to bytes. A response is put together from parts that were encoded when they changed; streams that are owed the same message get
 * the very same Buffer, nonce included, out of a bounded cache.
 *
 * Nonces count up per process, and a stream never gets one that is not newer than its last of that type: a cached message that a stream
 * may have seen before is framed anew.
 */

import type { EncodedResource } from '../core/resource.ts';
import { type Draft, toldAliases } from './draft.ts';
import { frameBytes } from './grpc-stream.ts';
import { MessageWriter } from './message-bytes.ts';

export interface Response {
  /** The encoded message. */
  readonly bytes: Buffer;
  /** The same memory with gRPC's frame in front of it. */
  readonly framed: Buffer;
  readonly nonce: string;
  readonly serial: number;
}

export interface ResponseContext {
  readonly transport: 'sotw' | 'delta';
  /** The client may be sent `ttl`. */
  readonly ttl: boolean;
  /** The serial of the last message of this type on this stream; 0 if none. */
  readonly afterSerial: number;
}

/** Resources from which on a message is a long one. */
const longMessage = 10;

export class ResponseEncoder {
  readonly #identifier: string;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  /** In order of use, oldest first. */
  readonly #cache = new Map<string, Response>();
  /** Hashes of the keys of long messages that were written once, oldest first. Two that are alike cost a message that is kept in vain. */
  readonly #once = new Set<number>();
  readonly #writer = new MessageWriter();
  #bytes = 0;
  #serial = 0;
  #hits = 0;
  #misses = 0;

  constructor(options: { readonly identifier: string; readonly maxBytes: number; readonly maxEntries: number }) {
    this.#identifier = options.identifier;
    this.#maxBytes = options.maxBytes;
    this.#maxEntries = options.maxEntries;
  }

  get counts(): { readonly hits: number; readonly misses: number; readonly entries: number; readonly bytes: number } {
    return { hits: this.#hits, misses: this.#misses, entries: this.#cache.size, bytes: this.#bytes };
  }

  encode(draft: Draft, context: ResponseContext): Response {
    const key = cacheKey(draft, context);
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.serial > context.afterSerial) {
      this.#hits++;
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached;
    }
    this.#misses++;
    const serial = ++this.#serial;
    const nonce = serial.toString(36);
    const { transport, ttl } = context;
    const framed = this.#writer.write(draft, { transport, nonce, ttl, identifier: this.#identifier });
    const response = { bytes: framed.subarray(frameBytes), framed, nonce, serial };
    if (this.#isShared(draft, key)) this.#keep(key, response);
    return response;
  }

  /**
   * Whether others may be owed the same. Proxies on demand have long messages of their own, which would drive out what is shared: such a one is
   * kept when it is asked for again.
   */
  #isShared(draft: Draft, key: string): boolean {
    if (draft.cacheKey !== undefined || draft.resources.length < longMessage) return true;
    const hash = fnv1a(key);
    if (this.#once.delete(hash)) return true;
    this.#once.add(hash);
    if (this.#once.size > this.#maxEntries) for (const oldest of this.#once.values().take(1)) this.#once.delete(oldest);
    return false;
  }

  #keep(key: string, response: Response): void {
    const old = this.#cache.get(key);
    if (old !== undefined) {
      this.#bytes -= old.bytes.length + key.length;
      this.#cache.delete(key);
    }
    const size = response.bytes.length + key.length;
    if (size > this.#maxBytes) return;
    this.#cache.set(key, response);
    this.#bytes += size;
    for (const [oldest, entry] of this.#cache) {
      if (this.#bytes <= this.#maxBytes && this.#cache.size <= this.#maxEntries) break;
      this.#cache.delete(oldest);
      this.#bytes -= entry.bytes.length + oldest.length;
    }
  }
}

function cacheKey(draft: Draft, context: ResponseContext): string {
  const head = `${context.transport} ${context.ttl ? 't' : ''}${draft.heartbeat ? 'h' : ''} ${draft.typeUrl}`;
  if (draft.cacheKey !== undefined) return `${head} = ${draft.cacheKey}`;
  const resources = draft.resources.map((resource) => keyOf(resource, draft)).join(',');
  return [`${head} ${draft.version}`, resources, ...draft.removed].join('\0');
}

/** Clients that asked for the same by other names are told so by other aliases. */
function keyOf(resource: EncodedResource, draft: Draft): string {
  const serial = serialOf(resource);
  if (draft.asked === undefined) return String(serial);
  return [serial, ...toldAliases(resource, draft)].join(' ');
}

/** http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

const serials = new WeakMap<EncodedResource, number>();
let serialsGiven = 0;

/** Stands for the resource in keys: as short as can be, since a message may have thousands, and proxies on demand each have their own. */
function serialOf(resource: EncodedResource): number {
  let serial = serials.get(resource);
  if (serial === undefined) {
    serial = ++serialsGiven;
    serials.set(resource, serial);
  }
  return serial;
}
