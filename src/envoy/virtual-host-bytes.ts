/**
 * Encoded virtual hosts, changed without being decoded: name (field 1) and domains (field 2) stand at the beginning, for fields are written in
 * the order of their numbers; what follows stays as it is.
 */

import protobuf from 'protobufjs';

const nameTag = tag(1);
const domainsTag = tag(2);

/** Of a string, bytes or a message (https://protobuf.dev/programming-guides/encoding/#structure). */
function tag(field: number): number {
  return (field << 3) | 2;
}

interface Parts {
  readonly name: string;
  readonly domains: readonly string[];
  /** Where the domains begin, and where they end. */
  readonly domainsAt: number;
  readonly restAt: number;
}

function read(host: Uint8Array): Parts {
  const reader = protobuf.Reader.create(host);
  if (reader.uint32() !== nameTag) throw new Error('a virtual host has no name');
  const name = reader.string();
  const domainsAt = reader.pos;
  const domains: string[] = [];
  let restAt = domainsAt;
  while (reader.pos < reader.len && reader.uint32() === domainsTag) {
    domains.push(reader.string());
    restAt = reader.pos;
  }
  return { name, domains, domainsAt, restAt };
}

export function domainsOf(host: Uint8Array): readonly string[] {
  return read(host).domains;
}

/** The same virtual host under another name. */
export function renamed(host: Uint8Array, name: string): Buffer {
  const head = protobuf.Writer.create().uint32(nameTag).string(name).finish();
  return Buffer.concat([head, host.subarray(read(host).domainsAt)]);
}

/** The same routes for one other domain, by which the virtual host is named too. */
export function withDomain(host: Uint8Array, domain: string): Buffer {
  const head = protobuf.Writer.create().uint32(nameTag).string(domain).uint32(domainsTag).string(domain).finish();
  return Buffer.concat([head, host.subarray(read(host).restAt)]);
}
