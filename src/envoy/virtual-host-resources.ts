/**
 * A virtual host as a resource of its own (VHDS), made from a part of a route table: the same bytes but for the name.
 *
 * What always holds: the message is named as the resource is, `<route table>/<host>`, since Envoy adds virtual hosts by the message's name and
 * removes them by the resource's; equal parts give the very same object, so that scopes and streams share it.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import { encodeAny, versionOf } from './proto/encode.ts';
import { domainsOf, renamed } from './virtual-host-bytes.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

/** `80/reviews.shop.svc.cluster.local`, `http_proxy/reviews.shop.svc.cluster.local:80`. */
export function virtualHostName(table: string, name: string): string {
  return `${table}/${name}`;
}

const pushed = new WeakMap<VirtualHostPart, EncodedResource>();
const asked = new WeakMap<VirtualHostPart, EncodedResource>();

/** For a proxy that is sent all virtual hosts of its tables: it asks for none, so the resource has no aliases. */
export function pushedVirtualHost(part: VirtualHostPart): EncodedResource {
  let resource = pushed.get(part);
  if (resource === undefined) {
    const name = virtualHostName(part.table, part.name);
    const body = encodeAny(typeUrl.virtualHost, renamed(part.body, name));
    resource = { name, version: versionOf(body), body };
    pushed.set(part, resource);
  }
  return resource;
}

/** For a proxy that asks by the Host of its requests: `80/reviews.shop` is an alias, as is every other domain that is not the name itself. */
export function askedVirtualHost(part: VirtualHostPart): EncodedResource {
  let resource = asked.get(part);
  if (resource === undefined) {
    const pushedOne = pushedVirtualHost(part);
    const names = domainsOf(part.body).map((domain) => virtualHostName(part.table, domain));
    resource = { ...pushedOne, aliases: names.filter((name) => name !== pushedOne.name) };
    asked.set(part, resource);
  }
  return resource;
}

/**
 * A name without a virtual host. For a table whose hosts come when they are asked for, it says that none are coming by themselves. The alias is
 * how Envoy tells it from a mistake. `version`: of what else the table holds.
 */
export function tableMarker(table: string, version: string): EncodedResource {
  return { ...noVirtualHost(virtualHostName(table, '')), version };
}

/** What says that there is no such host. */
export function noVirtualHost(name: string): EncodedResource {
  return { name, version: versionOf(name), body: nothing, aliases: [name] };
}

const nothing = Buffer.alloc(0);
