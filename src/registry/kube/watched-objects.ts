/** The five kinds of objects that a cluster is read from: where they are, whether there may be none, and how they come into the index. */

import { type ClusterObjectKind, objectKey } from '../cluster-objects.ts';
import type { ClusterIndex } from '../derive-index.ts';
import { rawObjectKey, readClusterObject } from '../derive-objects.ts';
import type { Resource } from './list.ts';
import type { Target } from './lister-watcher.ts';

interface Watched extends Resource {
  readonly kind: ClusterObjectKind;
  /** Every API has namespaces and the service `kubernetes`; the rest may be none. */
  readonly empty: 'never' | 'confirmed' | 'possible';
}

export const watched: readonly Watched[] = [
  { kind: 'Namespace', name: 'namespaces', group: '', path: '/api/v1/namespaces', empty: 'never' },
  { kind: 'Node', name: 'nodes', group: '', path: '/api/v1/nodes', empty: 'possible' },
  { kind: 'Pod', name: 'pods', group: '', path: '/api/v1/pods', empty: 'possible' },
  {
    kind: 'EndpointSlice',
    name: 'endpointslices',
    group: 'discovery.k8s.io',
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    empty: 'possible',
  },
  { kind: 'Service', name: 'services', group: '', path: '/api/v1/services', empty: 'confirmed' },
];

/** Puts what a watcher reads into the index. */
export function indexTarget(index: ClusterIndex, kind: ClusterObjectKind): Target<unknown> {
  type Value = ReturnType<typeof readClusterObject>;
  const put = (key: string, value: Value): void => {
    if (value.kind === 'Unreadable') index.putUnreadable(kind, key, value.reason);
    else index.put(value);
  };
  return {
    read(raw) {
      const value = readClusterObject(kind, raw);
      return { key: value.kind === 'Unreadable' ? rawObjectKey(raw) : objectKey(value), value };
    },
    size: () => index.size(kind),
    has: (key) => index.get(kind, key) !== undefined,
    replace(items) {
      index.retain(kind, (key) => items.has(key));
      for (const [key, value] of items) put(key, value as Value);
    },
    put: (key, value) => put(key, value as Value),
    remove: (key) => index.remove(kind, key),
  };
}
