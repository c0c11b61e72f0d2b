/**
 * Which service of the mesh is meant by an exported one. Where all services merge, that is the service itself; where only exported ones do, the
 * exported part is a service of its own, with a key of its own, beside the one of each cluster.
 */

import type { ServiceKey } from './service.ts';

/** Which services are one over all clusters: every one of a name, or those that are exported. */
export type Merging = 'all' | 'exported';

const prefix = 'clusterset:';

/** `clusterset:shop/reviews`: no service's key, for no namespace holds a colon. */
export function clustersetKey(key: ServiceKey): ServiceKey {
  return `${prefix}${key}`;
}

/** The key of the service that this is the exported part of; any other key is its own. */
export function exportedKey(key: ServiceKey): ServiceKey {
  return key.startsWith(prefix) ? (key.slice(prefix.length) as ServiceKey) : key;
}

/** The mesh's service behind the ServiceImport of this namespace and name. It is there only while some cluster exports it. */
export function importedServiceKey(key: ServiceKey, merging: Merging): ServiceKey {
  return merging === 'all' ? key : clustersetKey(key);
}
