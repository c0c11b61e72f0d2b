/** Views and resources for tests of the protocol: small, changeable, and told to a server in one call. */

import { createHash } from 'node:crypto';
import protobuf from 'protobufjs';
import type { EncodedResource } from '../../src/core/resource.ts';
import type { Meaning } from '../../src/xds/spellings.ts';
import type { ResourceView } from '../../src/xds/view.ts';

/** A resource of any type whose message has its name in field 1 and `content` in field 2; not for a real Envoy. */
export function testResource(
  typeUrl: string,
  name: string,
  content = '1',
  more: Pick<EncodedResource, 'aliases' | 'ttlMs'> = {},
): EncodedResource {
  const message = protobuf.Writer.create().uint32(10).string(name).uint32(18).string(content).finish();
  return encodedResource(typeUrl, name, Buffer.from(message), more);
}

/** Wraps an encoded message as the generators do: an Any, with the hash of its bytes as version. */
export function encodedResource(
  typeUrl: string,
  name: string,
  message: Uint8Array,
  more: Pick<EncodedResource, 'aliases' | 'ttlMs'> = {},
): EncodedResource {
  const any = protobuf.Writer.create().uint32(10).string(typeUrl).uint32(18).bytes(message).finish();
  const body = Buffer.from(any);
  return { name, version: createHash('sha256').update(body).digest('hex').slice(0, 16), body, ...more };
}

/** The content of a message made by `testResource`. */
export function contentOf(message: Buffer | undefined): string | undefined {
  if (message === undefined) return undefined;
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 2) return reader.string();
    reader.skipType(tag & 7);
  }
  return undefined;
}

export type Changes = ReadonlyMap<string, ReadonlySet<string>>;

/** A view that tests change; each change returns what to tell the server. */
export class TestView implements ResourceView {
  readonly id: string;
  revision = 1;
  ready = true;
  missing?: (typeUrl: string, name: string) => EncodedResource | undefined;
  impliedWildcard?: (typeUrl: string) => boolean;
  wildcardNames?: (typeUrl: string) => ReadonlySet<string> | undefined;
  leadsTo?: (virtualHost: EncodedResource) => readonly string[];
  meaningOf?: (typeUrl: string) => Meaning | undefined;
  readonly #types = new Map<string, Map<string, EncodedResource>>();

  constructor(id = 'test-view') {
    this.id = id;
  }

  resources(typeUrl: string): ReadonlyMap<string, EncodedResource> {
    return this.#typeOf(typeUrl);
  }

  /** Sets resources of one type to a content, or removes them where it is undefined. */
  set(typeUrl: string, contents: Readonly<Record<string, string | undefined>>): Changes {
    return this.put(
      typeUrl,
      new Map(
        Object.entries(contents).map(([name, content]) => [
          name,
          content === undefined ? undefined : testResource(typeUrl, name, content),
        ]),
      ),
    );
  }

  put(typeUrl: string, resources: ReadonlyMap<string, EncodedResource | undefined>): Changes {
    const map = this.#typeOf(typeUrl);
    for (const [name, resource] of resources) {
      if (resource === undefined) map.delete(name);
      else map.set(name, resource);
    }
    this.revision++;
    return new Map([[typeUrl, new Set(resources.keys())]]);
  }

  #typeOf(typeUrl: string): Map<string, EncodedResource> {
    let map = this.#types.get(typeUrl);
    if (map === undefined) {
      map = new Map();
      this.#types.set(typeUrl, map);
    }
    return map;
  }
}

/** Several changes told as one. */
export function together(...all: readonly Changes[]): Changes {
  const merged = new Map<string, Set<string>>();
  for (const changes of all) {
    for (const [typeUrl, names] of changes) {
      const set = merged.get(typeUrl) ?? new Set<string>();
      for (const name of names) set.add(name);
      merged.set(typeUrl, set);
    }
  }
  return merged;
}
