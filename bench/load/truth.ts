/** What proxies are to hold, out of the pilot's own views: what the load client's hashes are compared with. */

import type { EncodedResource } from '../../src/core/resource.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { ResourceView } from '../../src/xds/view.ts';
import type { OnDemandProxy } from './messages.ts';
import { referencesOf } from './references.ts';
import { contentHash, sidecarTypes, stateHash } from './state-hash.ts';

/** Of a proxy that holds all that it may see. */
export function eagerState(view: ResourceView): string {
  return stateHash(sidecarTypes.flatMap((url) => entries(url, view.resources(url).values())));
}

/**
 * Of one in on-demand mode: what comes unasked, the hosts that it calls, the Envoy clusters that it asked for or was given before and those to which its hosts lead
 * now, and the endpoints of its clusters. Throws for a host that the pilot does not have.
 */
export function onDemandState(view: ResourceView, { calls, clusters }: OnDemandProxy): string {
  const hosts = taken(view, typeUrl.virtualHost, [
    ...view
      .resources(typeUrl.route)
      .keys()
      .flatMap((table) => calls.map((host) => `${table}/${host}`)),
  ]);
  const led = hosts.flatMap(({ body }) => referencesOf(typeUrl.virtualHost, body));
  const known = view.resources(typeUrl.cluster);
  const held = taken(
    view,
    typeUrl.cluster,
    [...new Set([...clusters, ...led])].filter((name) => known.has(name)),
  );
  const endpoints = view.resources(typeUrl.endpoint);
  const assigned = held.flatMap(({ body }) => referencesOf(typeUrl.cluster, body));
  return stateHash([
    ...entries(typeUrl.virtualHost, hosts),
    ...entries(typeUrl.cluster, held),
    ...entries(
      typeUrl.endpoint,
      [...new Set(assigned)].flatMap((name) => endpoints.get(name) ?? []),
    ),
    ...entries(typeUrl.listener, view.resources(typeUrl.listener).values()),
    ...entries(typeUrl.route, view.resources(typeUrl.route).values()),
  ]);
}

/** What comes unasked, and what is asked for by these names or aliases. */
function taken(view: ResourceView, url: string, asked: readonly string[]): readonly EncodedResource[] {
  const resources = view.resources(url);
  const nameOf = (alias: string): string => nameBehind(view, url, alias);
  const unasked = [...(view.base?.wildcardNames?.(url) ?? []), ...(view.wildcardNames?.(url) ?? [])];
  const found = unasked.flatMap((name) => resources.get(name) ?? []);
  const named = asked.map((name) => {
    const resource = resources.get(nameOf(name));
    if (resource === undefined) throw new Error(`the pilot has no ${name}`);
    return resource;
  });
  return [...new Set([...found, ...named])];
}

/** Of the view or base last looked at; it is small work, but not a thousand times. */
let aliases: { readonly of: ResourceView; readonly revision: number; readonly map: Map<string, string> } | undefined;

function aliasesOf(view: ResourceView): ReadonlyMap<string, string> {
  if (aliases?.of !== view || aliases.revision !== view.revision) {
    const { revision } = view;
    aliases = { of: view, revision, map: aliasMap(view.resources(typeUrl.virtualHost).values()) };
  }
  return aliases.map;
}

function aliasMap(resources: Iterable<EncodedResource | undefined>): Map<string, string> {
  const map = new Map<string, string>();
  for (const resource of resources) for (const alias of resource?.aliases ?? []) map.set(alias, resource?.name ?? '');
  return map;
}

/** What is asked for by `alias`, which may be its name. */
function nameBehind(view: ResourceView, url: string, alias: string): string {
  if (url !== typeUrl.virtualHost) return alias;
  const own = aliasMap(view.own?.(url).values() ?? []).get(alias);
  return own ?? aliasesOf(view.base ?? view).get(alias) ?? alias;
}

/** Views have most of their resources in common. */
const hashes = new WeakMap<Buffer, string>();

function entries(url: string, resources: Iterable<EncodedResource>): (readonly [string, string, string])[] {
  return Array.from(resources, ({ name, body }) => {
    const hash = hashes.get(body) ?? contentHash(body);
    hashes.set(body, hash);
    return [url, name, hash] as const;
  });
}
