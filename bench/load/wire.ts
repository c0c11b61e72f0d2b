/**
 * xDS on the wire, as far as the load client needs it: requests are written, responses are walked field by field and not decoded, so that a
 * thousand clients cost less than the server that they measure.
 * https://github.com/envoyproxy/envoy/blob/main/api/envoy/service/discovery/v3/discovery.proto
 */

import protobuf from 'protobufjs';

export type Transport = 'sotw' | 'delta';

export interface WireResource {
  readonly name: string;
  /** The server's word; '' over SotW. */
  readonly version: string;
  /** An encoded google.protobuf.Any. */
  readonly any: Buffer;
  /** Other names under which it may be asked for; none over SotW. */
  readonly aliases: readonly string[];
}

export interface WireResponse {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly WireResource[];
  readonly removed: readonly string[];
}

export interface WireRequest {
  readonly typeUrl: string;
  /** An encoded Node, in the first request of a stream. */
  readonly node?: Buffer;
  readonly nonce?: string;
  /** SotW: version_info. */
  readonly version?: string;
  /** SotW: all names; delta: those to subscribe to. The same array is encoded once. */
  readonly names?: readonly string[];
  readonly unsubscribe?: readonly string[];
  /** Delta: what is held from an earlier stream, by name. */
  readonly initialVersions?: Iterable<readonly [string, string]>;
}

const frameBytes = 5;
export const lengthDelimited = (field: number): number => field * 8 + 2;

/** Calls back for every field; what is neither bytes nor varint is skipped. */
export function walk(
  bytes: Buffer,
  onBytes: (field: number, value: Buffer) => void,
  onNumber: (field: number, value: number) => void = () => {},
): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) === 2) onBytes(tag >>> 3, reader.bytes() as Buffer);
    else if ((tag & 7) === 0) onNumber(tag >>> 3, reader.uint32());
    else reader.skipType(tag & 7);
  }
}

export function readResponse(bytes: Buffer, transport: Transport): WireResponse {
  const removed: string[] = [];
  const resources: WireResource[] = [];
  let typeUrl = '';
  let version = '';
  let nonce = '';
  walk(bytes, (field, value) => {
    if (field === 1) version = value.toString();
    else if (field === 2) resources.push(transport === 'delta' ? readDeltaResource(value) : readAny(value));
    else if (field === 4) typeUrl = value.toString();
    else if (field === 5) nonce = value.toString();
    else if (field === 6 && transport === 'delta') removed.push(value.toString());
  });
  return { typeUrl, version, nonce, resources, removed };
}

function readDeltaResource(bytes: Buffer): WireResource {
  let name = '';
  let version = '';
  let any = Buffer.alloc(0);
  const aliases: string[] = [];
  walk(bytes, (field, value) => {
    if (field === 1) version = value.toString();
    else if (field === 2) any = value as Buffer<ArrayBuffer>;
    else if (field === 3) name = value.toString();
    else if (field === 4) aliases.push(value.toString());
  });
  return { name, version, any, aliases };
}

/** In every type that is asked for here, the resource's name is its first field. */
function readAny(any: Buffer): WireResource {
  let name = '';
  walk(anyValue(any), (field, value) => {
    if (field === 1 && name === '') name = value.toString();
  });
  return { name, version: '', any, aliases: [] };
}

export function anyValue(any: Buffer): Buffer {
  let content: Buffer = Buffer.alloc(0);
  walk(any, (field, value) => {
    if (field === 2) content = value;
  });
  return content;
}

const encodedNames = new WeakMap<readonly string[], Buffer>();

function namesField(names: readonly string[]): Buffer {
  let encoded = encodedNames.get(names);
  if (encoded === undefined) {
    const writer = protobuf.Writer.create();
    for (const name of names) writer.uint32(lengthDelimited(3)).string(name);
    encoded = Buffer.from(writer.finish());
    encodedNames.set(names, encoded);
  }
  return encoded;
}

/** The request with gRPC's frame in front of it. */
export function writeRequest(request: WireRequest, transport: Transport): Buffer {
  const fields = transport === 'sotw' ? { node: 2, typeUrl: 4, nonce: 5 } : { node: 1, typeUrl: 2, nonce: 6 };
  const writer = protobuf.Writer.create();
  const text = (field: number, value: string | undefined): void => {
    if (value !== undefined && value !== '') writer.uint32(lengthDelimited(field)).string(value);
  };
  if (request.node !== undefined) writer.uint32(lengthDelimited(fields.node)).bytes(request.node);
  if (transport === 'sotw') text(1, request.version);
  text(fields.typeUrl, request.typeUrl);
  for (const name of request.unsubscribe ?? []) text(4, name);
  for (const [name, version] of request.initialVersions ?? []) {
    writer.uint32(lengthDelimited(5)).fork();
    text(1, name);
    text(2, version);
    writer.ldelim();
  }
  text(fields.nonce, request.nonce);
  const head = writer.finish();
  const names = request.names === undefined ? Buffer.alloc(0) : namesField(request.names);
  const frame = Buffer.alloc(frameBytes);
  frame.writeUInt32BE(head.length + names.length, 1);
  return Buffer.concat([frame, head, names]);
}

/**
 * Cuts a stream of chunks into gRPC messages. They are given in the pieces in which they came: most are messages that are known already, and need
 * not be put together.
 */
export class Unframer {
  #pieces: Buffer[] = [];
  #size = 0;
  #wanted = frameBytes;
  #inHead = true;

  push(chunk: Buffer, onMessage: (pieces: readonly Buffer[], length: number) => void): void {
    let rest = chunk;
    while (rest.length > 0 || this.#wanted === 0) {
      const piece = rest.subarray(0, this.#wanted - this.#size);
      rest = rest.subarray(piece.length);
      this.#pieces.push(piece);
      this.#size += piece.length;
      if (this.#size < this.#wanted) return;
      const { pieces, length, isHead } = this.#turn();
      if (!isHead) onMessage(pieces, length);
    }
  }

  /** What is complete; a message follows a head, and a head a message. */
  #turn(): { readonly pieces: readonly Buffer[]; readonly length: number; readonly isHead: boolean } {
    const complete = { pieces: this.#pieces, length: this.#size, isHead: this.#inHead };
    this.#wanted = this.#inHead ? Buffer.concat(this.#pieces).readUInt32BE(1) : frameBytes;
    this.#inHead = !this.#inHead;
    this.#pieces = [];
    this.#size = 0;
    return complete;
  }
}
