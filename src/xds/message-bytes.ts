/**
 * Responses as bytes, with gRPC's frame in front: DiscoveryResponse and DeltaDiscoveryResponse of envoy/service/discovery/v3/discovery.proto.
 * In: a draft. Out: one Buffer of its own, exactly as large as the message.
 *
 * Written by hand, into memory that is used again and again: proxies on demand are each owed messages of their own, and a thousand of them at
 * once cost what is copied, not what is allocated on the way.
 */

import type { EncodedResource } from '../core/resource.ts';
import { type Draft, toldAliases } from './draft.ts';
import { frameBytes, writeFrame } from './grpc-stream.ts';

/** Field number × 8 + wire type (https://protobuf.dev/programming-guides/encoding/#structure). */
const lengthDelimited = (field: number): number => field * 8 + 2;
const varint = (field: number): number => field * 8;
const resourceTypeUrl = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

export interface MessageForm {
  readonly transport: 'sotw' | 'delta';
  readonly nonce: string;
  /** The client may be sent `ttl`. */
  readonly ttl: boolean;
  /** ControlPlane.identifier; empty sends none. */
  readonly identifier: string;
}

/** Larger than nearly all messages; a larger one has memory of its own, which is let go with it. */
const scratchBytes = 256 * 1024;

export class MessageWriter {
  readonly #scratch = Buffer.allocUnsafeSlow(scratchBytes);
  #bytes: Buffer = this.#scratch;
  #at = 0;

  /** Framed, not compressed. */
  write(draft: Draft, form: MessageForm): Buffer {
    this.#at = frameBytes;
    if (form.transport === 'sotw') this.#sotw(draft, form);
    else this.#delta(draft, form);
    writeFrame(this.#bytes, this.#at - frameBytes);
    const framed = Buffer.allocUnsafeSlow(this.#at);
    this.#bytes.copy(framed, 0, 0, this.#at);
    this.#bytes = this.#scratch;
    return framed;
  }

  #sotw(draft: Draft, { nonce, ttl, identifier }: MessageForm): void {
    this.#text(1, draft.version);
    for (const resource of draft.resources) {
      if (ttl && resource.ttlMs !== undefined) {
        const size = resourceSize(resource, draft, ttl);
        this.#message(2, textSize(resourceTypeUrl) + fieldSize(size));
        this.#text(1, resourceTypeUrl);
        this.#resource(resource, size, draft, ttl);
      } else this.#body(resource.body);
    }
    this.#text(4, draft.typeUrl);
    this.#text(5, nonce);
    this.#controlPlane(6, identifier);
  }

  #delta(draft: Draft, { nonce, ttl, identifier }: MessageForm): void {
    this.#text(1, draft.version);
    for (const resource of draft.resources) this.#resource(resource, resourceSize(resource, draft, ttl), draft, ttl);
    this.#text(4, draft.typeUrl);
    this.#text(5, nonce);
    for (const name of draft.removed) this.#text(6, name, true);
    this.#controlPlane(7, identifier);
  }

  /** A Resource as field 2. */
  #resource(resource: EncodedResource, size: number, draft: Draft, ttl: boolean): void {
    this.#message(2, size);
    this.#text(1, resource.version);
    if (!draft.heartbeat && resource.body.length > 0) this.#body(resource.body);
    this.#text(3, resource.name);
    for (const alias of toldAliases(resource, draft)) this.#text(4, alias, true);
    if (!ttl || resource.ttlMs === undefined) return;
    // google.protobuf.Duration: seconds (1), nanos (2).
    const { seconds, nanos } = duration(resource.ttlMs);
    this.#message(6, durationSize(resource.ttlMs));
    this.#tag(varint(1));
    this.#number(seconds);
    this.#tag(varint(2));
    this.#number(nanos);
  }

  #controlPlane(field: number, identifier: string): void {
    if (identifier === '') return;
    this.#message(field, textSize(identifier));
    this.#text(1, identifier);
  }

  /** The head of a message whose `size` bytes follow. */
  #message(field: number, size: number): void {
    this.#tag(lengthDelimited(field));
    this.#number(size);
  }

  /** A resource's Any, as field 2. */
  #body(body: Buffer): void {
    this.#message(2, body.length);
    this.#reserve(body.length);
    body.copy(this.#bytes, this.#at);
    this.#at += body.length;
  }

  /** Empty texts are left out, but in lists. */
  #text(field: number, value: string, listed = false): void {
    if (value === '' && !listed) return;
    const size = Buffer.byteLength(value);
    this.#message(field, size);
    this.#reserve(size);
    this.#at += this.#bytes.write(value, this.#at);
  }

  #tag(tag: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = tag;
  }

  #number(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Without the field's own head. */
function resourceSize(resource: EncodedResource, draft: Draft, ttl: boolean): number {
  let size = textSize(resource.version) + textSize(resource.name);
  if (!draft.heartbeat && resource.body.length > 0) size += fieldSize(resource.body.length);
  for (const alias of toldAliases(resource, draft)) size += fieldSize(Buffer.byteLength(alias));
  if (ttl && resource.ttlMs !== undefined) size += fieldSize(durationSize(resource.ttlMs));
  return size;
}

function textSize(value: string): number {
  return value === '' ? 0 : fieldSize(Buffer.byteLength(value));
}

/** All fields here have numbers below 16, and so tags of one byte. */
function fieldSize(size: number): number {
  return 1 + numberSize(size) + size;
}

function durationSize(ms: number): number {
  const { seconds, nanos } = duration(ms);
  return 2 + numberSize(seconds) + numberSize(nanos);
}

function duration(ms: number): { readonly seconds: number; readonly nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
}

function numberSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++;
  return size;
}
