/**
 * What proxies of one scope would be sent if some services were others. In: the services as they are and as they would be, and what the
 * proxies are given now. Out: the resources and virtual hosts that come, change or go, and the bytes that say so.
 *
 * What always holds: nothing that is live is touched. The resources are made of the services in question alone, twice; what they share with
 * others (a port's listener, a whole route table) is as large as it is now, and grows or shrinks by what is theirs.
 */

import type { EncodedResource } from '../core/resource.ts';
import { shortTypeName, typeUrl } from '../core/type-urls.ts';
import { ScopeResources } from '../envoy/scope-resources.ts';
import type { MeshService, MeshSettings, Scope } from '../model/mesh.ts';
import type { PreviewedResource, ResourceChange } from '../model/preview.ts';
import type { ServiceKey } from '../model/service.ts';

type Services = ReadonlyMap<ServiceKey, MeshService>;
type Resources = (url: string) => ReadonlyMap<string, EncodedResource>;

/** A scope and what its proxies see of the services in question. */
export interface Side {
  readonly scope: Scope;
  readonly services: Services;
}

export interface ScopeChanges {
  /** Sorted by type, in the order in which they are sent, and name. */
  readonly resources: readonly PreviewedResource[];
  /** Sorted by name. */
  readonly virtualHosts: readonly { readonly name: string; readonly change: ResourceChange }[];
  readonly bytes: number;
}

const types = [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener, typeUrl.route, typeUrl.virtualHost] as const;

/** `live`: all that the proxies are given now. */
export function scopeChanges(
  before: Side,
  after: Side,
  settings: MeshSettings,
  transport: 'sotw' | 'delta',
  live: Resources,
): ScopeChanges {
  const was = resourcesOf(before, settings);
  const is = resourcesOf(after, settings);
  const resources: PreviewedResource[] = [];
  let bytes = 0;
  for (const url of types) {
    const changes = changesOf(was.resources(url), is.resources(url), live(url));
    for (const { name, change } of changes) resources.push({ type: shortTypeName[url], name, change });
    bytes += bytesOf(url, transport, changes, live(url));
  }
  return { resources, virtualHosts: hostChanges(was, is), bytes };
}

function resourcesOf({ scope, services }: Side, settings: MeshSettings): ScopeResources {
  const resources = new ScopeResources(scope);
  resources.update({ revision: 0, settings, services }, 'all');
  return resources;
}

interface Change {
  readonly name: string;
  readonly change: ResourceChange;
  /** How large it will be; 0 for what goes. */
  readonly size: number;
}

type Held = ReadonlyMap<string, EncodedResource>;

function changesOf(was: Held, is: Held, live: Held): readonly Change[] {
  const changes: Change[] = [];
  for (const name of [...new Set([...was.keys(), ...is.keys()])].sort()) {
    const before = was.get(name);
    const after = is.get(name);
    if (before?.version === after?.version) continue;
    const now = live.get(name);
    // Others have their part in it as well.
    const others = now === undefined ? 0 : Math.max(0, now.body.length - (before?.body.length ?? 0));
    if (after === undefined && others === 0) changes.push({ name, change: 'removed', size: 0 });
    else
      changes.push({
        name,
        change: now === undefined && before === undefined ? 'added' : 'changed',
        size: others + (after?.body.length ?? 0),
      });
  }
  return changes;
}

/** Over the state-of-the-world variant a message says all Envoy clusters, or all listeners, that there are. */
function bytesOf(url: string, transport: 'sotw' | 'delta', changes: readonly Change[], live: Held): number {
  if (changes.length === 0) return 0;
  const told = changes.reduce((sum, { name, size }) => sum + (size === 0 ? name.length : size), 0);
  const isWhole = transport === 'sotw' && (url === typeUrl.cluster || url === typeUrl.listener);
  if (!isWhole) return told;
  const touched = new Set(changes.map(({ name }) => name));
  let rest = 0;
  for (const [name, { body }] of live) if (!touched.has(name)) rest += body.length;
  return rest + changes.reduce((sum, { size }) => sum + size, 0);
}

function hostChanges(was: ScopeResources, is: ScopeResources): ScopeChanges['virtualHosts'] {
  const before = hostVersions(was);
  const after = hostVersions(is);
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
    const [from, to] = [before.get(name), after.get(name)];
    if (from === to) return [];
    return [{ name, change: from === undefined ? 'added' : to === undefined ? 'removed' : 'changed' } as const];
  });
}

/** By name; a host that stands in several tables has one name in each. */
function hostVersions(resources: ScopeResources): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const table of resources.resources(typeUrl.route).keys()) {
    for (const [name, { version }] of resources.virtualHosts(table) ?? []) versions.set(name, version);
  }
  return versions;
}
