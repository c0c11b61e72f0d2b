/**
 * Brings what is held of a cluster in line with what its source has said, and tells what became different. Nothing is emitted here.
 *
 * What always holds: an equal shard stays the same object, and counts as no change; what a changed shard has of equal endpoints stays the same
 * objects too; a cluster whose source has not synced, or says too much, keeps what it holds; one that is withheld (expired, or another cluster
 * serves its API) ends with nothing.
 */

import type { ServiceKey } from '../model/service.ts';
import type { Registration } from './inventory-registration.ts';
import { sameNamespace, sameShard, shareEndpoints } from './same-shard.ts';

export interface Published {
  readonly services: Set<ServiceKey>;
  readonly namespaces: Set<string>;
}

/** Looks at the given keys only; undefined looks at everything. */
export function bringInLine(
  registration: Registration,
  keys: Iterable<ServiceKey> | undefined,
  names: Iterable<string> | undefined,
): Published {
  const services = new Set<ServiceKey>();
  const namespaces = new Set<string>();
  const { active } = registration;
  const withheld = registration.expired || active?.duplicateOf !== undefined;
  const said = active?.synced === true && !withheld ? active.said : undefined;
  if (!withheld && (said === undefined || registration.excess !== undefined)) return { services, namespaces };

  for (const key of keys ?? [...registration.services.keys(), ...(said?.services.keys() ?? [])]) {
    const held = registration.services.get(key);
    const now = said?.services.get(key);
    if (held === now) continue;
    if (held !== undefined && now !== undefined && sameShard(held, now)) {
      said?.intern(key, held);
      continue;
    }
    if (now === undefined) registration.services.delete(key);
    else {
      const shard = held === undefined ? now : shareEndpoints(now, held);
      if (shard !== now) said?.intern(key, shard);
      registration.services.set(key, shard);
    }
    services.add(key);
  }
  for (const name of names ?? [...registration.namespaces.keys(), ...(said?.namespaces.keys() ?? [])]) {
    const held = registration.namespaces.get(name);
    const now = said?.namespaces.get(name);
    if (held === now || (held !== undefined && now !== undefined && sameNamespace(held, now))) continue;
    if (now === undefined) registration.namespaces.delete(name);
    else registration.namespaces.set(name, now);
    namespaces.add(name);
  }
  if (said?.info !== undefined) registration.info = said.info;
  registration.endpointCount = said?.endpointCount ?? 0;
  return { services, namespaces };
}
