/** Responses as a client reads them: bytes in, SotW and delta in one shape out. */

import protobuf from 'protobufjs';
import { discoveryProtos } from '../../src/xds/protos.ts';

/** A response, SotW or delta, in one shape. */
export interface XdsResponse {
  readonly typeUrl: string;
  /** SotW `version_info`, delta `system_version_info`. */
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly ReceivedResource[];
  /** Delta only. */
  readonly removed: readonly string[];
  readonly controlPlane: string;
  /** As it came off the wire. */
  readonly bytes: Buffer;
}

export interface ReceivedResource {
  readonly name: string;
  /** Delta only. */
  readonly version: string;
  /** The message inside the Any; undefined for a heartbeat, or where the server says that there is none. */
  readonly body: Buffer | undefined;
  readonly aliases: readonly string[];
  readonly ttlMs: number | undefined;
}

interface RawAny {
  type_url: string;
  value: Uint8Array;
}
interface RawResource {
  name: string;
  version: string;
  aliases: string[];
  resource?: RawAny | null;
  ttl?: { seconds: number | { toNumber(): number }; nanos: number } | null;
}
interface RawResponse {
  version_info?: string;
  system_version_info?: string;
  type_url: string;
  nonce: string;
  resources: (RawAny | RawResource)[];
  removed_resources?: string[];
  control_plane?: { identifier: string } | null;
}

const wrapperUrl = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

export function decodeResponse(bytes: Buffer, transport: 'sotw' | 'delta'): XdsResponse {
  const protos = discoveryProtos();
  const type = transport === 'sotw' ? protos.sotwResponse : protos.deltaResponse;
  const raw = type.decode(bytes) as unknown as RawResponse;
  return {
    typeUrl: raw.type_url,
    version: raw.version_info ?? raw.system_version_info ?? '',
    nonce: raw.nonce,
    resources: raw.resources.map((resource) =>
      transport === 'sotw' ? fromAny(resource as RawAny) : fromResource(resource as RawResource),
    ),
    removed: raw.removed_resources ?? [],
    controlPlane: raw.control_plane?.identifier ?? '',
    bytes,
  };
}

function fromAny(any: RawAny): ReceivedResource {
  if (any.type_url === wrapperUrl)
    return fromResource(discoveryProtos().resource.decode(any.value) as unknown as RawResource);
  return { name: nameInside(any.value), version: '', body: Buffer.from(any.value), aliases: [], ttlMs: undefined };
}

function fromResource(raw: RawResource): ReceivedResource {
  const seconds = raw.ttl === undefined || raw.ttl === null ? undefined : Number(raw.ttl.seconds);
  return {
    name: raw.name,
    version: raw.version,
    body: raw.resource === undefined || raw.resource === null ? undefined : Buffer.from(raw.resource.value),
    aliases: raw.aliases,
    ttlMs: seconds === undefined ? undefined : seconds * 1000 + (raw.ttl?.nanos ?? 0) / 1e6,
  };
}

/** All types that Envoy asks for have their name in field 1. */
function nameInside(message: Uint8Array): string {
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) return reader.string();
    reader.skipType(tag & 7);
  }
  return '';
}
