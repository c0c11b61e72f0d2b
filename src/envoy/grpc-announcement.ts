/**
 * A route table as a proxyless client has it, with Envoy clusters named besides to which no call goes: so that the client gets ready what the
 * next table leads to (src/xds/announcements.ts). Made once for all clients that hold the same table.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import { decodeResource } from './proto/decode.ts';
import { encodeResource, type Plain } from './proto/encode.ts';

const routeName = 'announced';
const header = 'x-fairway-announced';

interface TableMessage {
  readonly virtual_hosts?: readonly { readonly routes?: readonly Plain[] }[];
}

const made = new WeakMap<EncodedResource, { readonly clusters: string; readonly resource: EncodedResource }>();

/** `held`: a table of grpc-routes.ts, announcing others or not. */
export function announcing(held: EncodedResource, clusters: readonly string[]): EncodedResource {
  const id = JSON.stringify(clusters);
  const known = made.get(held);
  if (known?.clusters === id) return known.resource;
  const table = decodeResource(held);
  const { virtual_hosts: hosts = [] }: TableMessage = table;
  const resource = encodeResource(typeUrl.route, held.name, {
    ...table,
    virtual_hosts: hosts.map((host) => ({
      ...host,
      routes: [...(host.routes ?? []).filter(({ name }) => name !== routeName), toNobody(clusters)],
    })),
  });
  made.set(held, { clusters: id, resource });
  return resource;
}

/** No call has a header and has it not. */
function toNobody(clusters: readonly string[]): Plain {
  const present = { name: header, present_match: true };
  return {
    name: routeName,
    match: { prefix: '/', headers: [present, { ...present, invert_match: true }] },
    route: { weighted_clusters: { clusters: clusters.map((name) => ({ name, weight: 1 })) } },
  };
}
