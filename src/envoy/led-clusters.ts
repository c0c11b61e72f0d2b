/**
 * The Envoy clusters that a virtual host sends requests to: where its routes lead, and where they copy requests. In: a virtual host as it is sent.
 * Out: names, each once. Read out of the bytes when it is about to be sent, and once for all who are sent the same.
 */

import protobuf from 'protobufjs';
import type { EncodedResource } from '../core/resource.ts';

/** Field numbers: an Any's value, VirtualHost.routes, Route.route. */
const actions = [2, 3, 2] as const;

/** In a RouteAction: cluster; weighted_clusters.clusters.name; request_mirror_policies.cluster. */
const names = [[1], [3, 1, 1], [30, 1]] as const;

const known = new WeakMap<Buffer, readonly string[]>();

/** What says that there is no such host leads nowhere. */
export function ledClusters({ body }: EncodedResource): readonly string[] {
  let led = known.get(body);
  if (led === undefined) {
    const found = new Set<string>();
    for (const action of fieldsAt(body, actions))
      for (const path of names)
        for (const name of fieldsAt(action, path))
          found.add(Buffer.from(name.buffer, name.byteOffset, name.length).toString());
    found.delete('');
    led = [...found];
    known.set(body, led);
  }
  return led;
}

/** The strings, bytes or messages at the end of a path of fields (https://protobuf.dev/programming-guides/encoding/#structure). */
function* fieldsAt(message: Uint8Array, [field, ...rest]: readonly number[]): Generator<Uint8Array> {
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const kind = tag & 7;
    if (tag >>> 3 !== field || kind !== 2) {
      reader.skipType(kind);
      continue;
    }
    const value = reader.bytes();
    if (rest.length === 0) yield value;
    else yield* fieldsAt(value, rest);
  }
}
