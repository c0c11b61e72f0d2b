/**
 * How much the proxies of a namespace hold that do not say it themselves: what the namespace's label says in the proxy's own cluster, else what
 * the mesh says. Looked up when a proxy connects; a label that changes later counts from its next connection.
 */

import type { Logger } from '../core/logger.ts';
import type { ConfigMode } from '../model/mesh.ts';
import type { NamespaceShard } from '../model/service.ts';

/** On a Namespace: `eager` or `on-demand`. */
export const modeLabel = 'fairway.dev/mode';

type Namespaces = ReadonlyMap<string, { readonly namespaces: ReadonlyMap<string, NamespaceShard> }>;

/** `clusters`: by name, live. */
export function configModes(
  clusters: () => Namespaces,
  ofMesh: ConfigMode,
  logger: Logger,
): (cluster: string, namespace: string) => ConfigMode {
  return (cluster, namespace) => {
    const labels = clusters().get(cluster)?.namespaces.get(namespace)?.labels ?? {};
    const label = Object.hasOwn(labels, modeLabel) ? labels[modeLabel] : undefined;
    if (label === undefined || label === '') return ofMesh;
    if (label === 'eager' || label === 'on-demand') return label;
    logger.warn(`a namespace's label ${modeLabel} is neither eager nor on-demand, and counts for nothing`, {
      code: 'FW-PILOT-008',
      cluster,
      namespace,
      label,
    });
    return ofMesh;
  };
}
