/**
 * Drafts to bytes. A response is put together from parts that were encoded when they changed; streams that are owed the same message get
 * the very same Buffer, nonce included, out of a bounded cache.
 *
 * Nonces count up per process, and a stream never gets one that is not newer than its last of that type: a cached message that a stream
 * may have seen before is framed anew.
 */

import protobuf from 'protobufjs';
import type { EncodedResource } from '../core/resource.ts';
import type { Draft } from './draft.ts';
import { frame, frameBytes } from './grpc-stream.ts';

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

/** Tags: field number × 8 + wire type 2 (length-delimited), as in envoy/service/discovery/v3/discovery.proto. */
const tag = (field: number): number => field * 8 + 2;
const resourceTypeUrl = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

export class ResponseEncoder {
  readonly #identifier: string;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  /** In order of use, oldest first. */
  readonly #cache = new Map<string, Response>();
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
    const write = context.transport === 'sotw' ? writeSotw : writeDelta;
    const framed = frame(write(draft, nonce, context.ttl, this.#identifier));
    const response = { bytes: framed.subarray(frameBytes), framed, nonce, serial };
    this.#keep(key, response);
    return response;
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
  const resources = draft.resources.map((resource) =>
    [resource.name, resource.version, resource.ttlMs ?? '', ...(resource.aliases ?? [])].join('\x01'),
  );
  return [`${head} ${draft.version}`, ...resources, '', ...draft.removed].join('\0');
}

function writeSotw(draft: Draft, nonce: string, ttl: boolean, identifier: string): Uint8Array {
  const writer = protobuf.Writer.create();
  text(writer, 1, draft.version);
  for (const resource of draft.resources) {
    if (ttl && resource.ttlMs !== undefined) {
      writer.uint32(tag(2)).fork();
      text(writer, 1, resourceTypeUrl);
      writer.uint32(tag(2)).fork();
      writeResource(writer, resource, draft.heartbeat, ttl);
      writer.ldelim().ldelim();
    } else writer.uint32(tag(2)).bytes(resource.body);
  }
  text(writer, 4, draft.typeUrl);
  text(writer, 5, nonce);
  controlPlane(writer, 6, identifier);
  return writer.finish();
}

function writeDelta(draft: Draft, nonce: string, ttl: boolean, identifier: string): Uint8Array {
  const writer = protobuf.Writer.create();
  text(writer, 1, draft.version);
  for (const resource of draft.resources) {
    writer.uint32(tag(2)).fork();
    writeResource(writer, resource, draft.heartbeat, ttl);
    writer.ldelim();
  }
  text(writer, 4, draft.typeUrl);
  text(writer, 5, nonce);
  for (const name of draft.removed) writer.uint32(tag(6)).string(name);
  controlPlane(writer, 7, identifier);
  return writer.finish();
}

function writeResource(writer: protobuf.Writer, resource: EncodedResource, heartbeat: boolean, ttl: boolean): void {
  text(writer, 1, resource.version);
  if (!heartbeat && resource.body.length > 0) writer.uint32(tag(2)).bytes(resource.body);
  text(writer, 3, resource.name);
  for (const alias of resource.aliases ?? []) writer.uint32(tag(4)).string(alias);
  if (ttl && resource.ttlMs !== undefined) {
    // google.protobuf.Duration: seconds (1), nanos (2), both varints.
    writer.uint32(tag(6)).fork();
    writer.uint32(8).int64(Math.floor(resource.ttlMs / 1000));
    writer.uint32(16).int32((resource.ttlMs % 1000) * 1e6);
    writer.ldelim();
  }
}

function text(writer: protobuf.Writer, field: number, value: string): void {
  if (value !== '') writer.uint32(tag(field)).string(value);
}

function controlPlane(writer: protobuf.Writer, field: number, identifier: string): void {
  if (identifier === '') return;
  writer.uint32(tag(field)).fork();
  text(writer, 1, identifier);
  writer.ldelim();
}
