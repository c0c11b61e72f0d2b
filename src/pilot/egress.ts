/**
 * What the proxies of a namespace do with hosts that no service has: what the namespace's label says in the proxy's own cluster; undefined
 * where it says nothing, and then the mesh's setting counts. A label that changes is in force at once.
 */

import type { Logger } from '../core/logger.ts';
import type { MeshSettings } from '../model/mesh.ts';
import type { NamespaceShard } from '../model/service.ts';

/** On a Namespace: `allow-any` or `registered-only`. */
export const egressLabel = 'fairway.dev/outbound';

export type Egress = (cluster: string, namespace: string) => MeshSettings['outbound'] | undefined;

type Namespaces = ReadonlyMap<string, { readonly namespaces: ReadonlyMap<string, NamespaceShard> }>;

/** `clusters`: by name, live. A value that is neither counts for nothing, which is logged once per value and namespace. */
export function egressOf(clusters: () => Namespaces, logger: Logger): Egress {
  const told = new Set<string>();
  return (cluster, namespace) => {
    const labels = clusters().get(cluster)?.namespaces.get(namespace)?.labels ?? {};
    const label = Object.hasOwn(labels, egressLabel) ? labels[egressLabel] : undefined;
    if (label === undefined || label === '') return undefined;
    if (label === 'allow-any' || label === 'registered-only') return label;
    const id = JSON.stringify([cluster, namespace, label]);
    if (!told.has(id) && told.size < 10_000) {
      told.add(id);
      logger.warn(
        `a namespace's label ${egressLabel} is neither allow-any nor registered-only, and counts for nothing`,
        {
          code: 'FW-PILOT-009',
          cluster,
          namespace,
          label,
        },
      );
    }
    return undefined;
  };
}
