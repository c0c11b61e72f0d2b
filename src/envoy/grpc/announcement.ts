/**
 * Route tables that get a proxyless client ready for the next one (src/xds/announcements.ts). They name the Envoy clusters to which that leads where
 * no call goes, and else lead to what the client has: as its own table does, or, where nobody knows that, as near to the next one as can be.
 * What always holds: clients that hold the same are sent the same, made once.
 */

import type { EncodedResource } from '../../core/resource.ts';
import { typeUrl } from '../../core/type-urls.ts';
import { decodeResource } from '../proto/decode.ts';
import { encodeResource, type Plain } from '../proto/encode.ts';

const routeName = 'announced';
const header = 'x-fairway-announced';

interface TableMessage {
  readonly virtual_hosts?: readonly { readonly routes?: readonly Plain[] }[];
}

interface Share {
  readonly name: string;
  readonly weight?: number;
}

const made = new WeakMap<EncodedResource, { readonly clusters: string; readonly resource: EncodedResource }>();

/** `held`: a table of routes.ts, announcing others or not. */
export function announcing(held: EncodedResource, clusters: readonly string[]): EncodedResource {
  const id = JSON.stringify(clusters);
  const known = made.get(held);
  if (known?.clusters === id) return known.resource;
  const resource = rewritten(held, (routes) => [
    ...routes.filter(({ name }) => name !== routeName),
    toNobody(clusters),
  ]);
  made.set(held, { clusters: id, resource });
  return resource;
}

/** Tables of clients that come back, by the table of now; of each those that were wanted last, for most have held the same. */
const resumed = new WeakMap<EncodedResource, { readonly id: string; readonly resource: EncodedResource | undefined }>();

/**
 * `table`, for a client that has `held` and not `missing`. A route that leads to both leads to what is held alone. One that leads to nothing of it
 * leads to all that is held of the same services and ports, alike: where a rule moved all calls to another version, that is where they went.
 * undefined where a route would lead nowhere.
 */
export function leadingToHeld(
  table: EncodedResource,
  held: ReadonlySet<string>,
  missing: readonly string[],
): EncodedResource | undefined {
  const lost = new Set(missing.map(serviceAndPort));
  const near = [...held].filter((name) => lost.has(serviceAndPort(name))).sort();
  const id = JSON.stringify([near, missing]);
  const known = resumed.get(table);
  if (known?.id === id) return known.resource;
  const lacks = new Set(missing);
  let leadsNowhere = false;
  const resource = rewritten(table, (routes) => [
    ...routes.map((route) => {
      const shares = sharesOf(route['route'] as Plain);
      if (!shares.some(({ name }) => lacks.has(name))) return route;
      const kept = shares.filter(({ name, weight = 1 }) => !lacks.has(name) && weight > 0);
      const clusters = kept.length > 0 ? kept : standIns(shares, near);
      if (clusters.length === 0) leadsNowhere = true;
      const { cluster: _, ...action } = route['route'] as Plain;
      return { ...route, route: { ...action, weighted_clusters: { clusters } } };
    }),
    toNobody(missing),
  ]);
  resumed.set(table, { id, resource: leadsNowhere ? undefined : resource });
  return leadsNowhere ? undefined : resource;
}

function sharesOf(action: Plain): readonly Share[] {
  if (typeof action['cluster'] === 'string') return [{ name: action['cluster'], weight: 1 }];
  return (action['weighted_clusters'] as { readonly clusters?: readonly Share[] } | undefined)?.clusters ?? [];
}

function standIns(shares: readonly Share[], held: readonly string[]): readonly Share[] {
  const services = new Set(shares.map(({ name }) => serviceAndPort(name)));
  return held.filter((name) => services.has(serviceAndPort(name))).map((name) => ({ name, weight: 1 }));
}

/** Of `outbound|80|v1|reviews.shop.svc.cluster.local`, all but the chain. */
function serviceAndPort(name: string): string {
  const [direction, port, , host] = name.split('|');
  return [direction, port, host].join('|');
}

function rewritten(table: EncodedResource, change: (routes: readonly Plain[]) => readonly Plain[]): EncodedResource {
  const message = decodeResource(table);
  const { virtual_hosts: hosts = [] }: TableMessage = message;
  return encodeResource(typeUrl.route, table.name, {
    ...message,
    virtual_hosts: hosts.map((host) => ({ ...host, routes: change(host.routes ?? []) })),
  });
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
