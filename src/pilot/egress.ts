/**
 * What the proxies of a namespace do with hosts that no service has: what the namespace's label says in the proxy's own cluster; undefined
 * where it says nothing, and then the mesh's setting counts. A label that changes is in force at once.
 */

import type { Logger } from '../core/logger.ts';
import type { MeshSettings } from '../model/mesh.ts';
import { type Namespaces, namespaceLabel } from './namespace-label.ts';

/** On a Namespace: `allow-any` or `registered-only`. */
export const egressLabel = 'fairway.dev/outbound';

/** undefined: the mesh's setting counts. */
export type Egress = (cluster: string, namespace: string) => MeshSettings['outbound'] | undefined;

/** `clusters`: by name, live. */
export function egressOf(clusters: Namespaces, logger: Logger): Egress {
  return namespaceLabel(egressLabel, ['allow-any', 'registered-only'], clusters, (mistaken) =>
    logger.warn(`a namespace's label ${egressLabel} is neither allow-any nor registered-only, and counts for nothing`, {
      code: 'FW-PILOT-009',
      ...mistaken,
      hint: 'Write allow-any or registered-only into the label, or remove it; until then the mesh’s setting counts.',
    }),
  );
}
