/**
 * How much the proxies of a namespace hold that do not say it themselves: what the namespace's label says in the proxy's own cluster, else what
 * the mesh says. Looked up when a proxy connects; a label that changes later counts from its next connection.
 */

import type { Logger } from '../core/logger.ts';
import type { ConfigMode } from '../model/mesh.ts';
import { type Namespaces, namespaceLabel } from './namespace-label.ts';

/** On a Namespace: `eager` or `on-demand`. */
export const modeLabel = 'fairway.dev/mode';

/** `clusters`: by name, live. */
export function configModes(
  clusters: Namespaces,
  ofMesh: ConfigMode,
  logger: Logger,
): (cluster: string, namespace: string) => ConfigMode {
  const said = namespaceLabel<ConfigMode>(modeLabel, ['eager', 'on-demand'], clusters, (mistaken) =>
    logger.warn(`a namespace's label ${modeLabel} is neither eager nor on-demand, and counts for nothing`, {
      code: 'FW-PILOT-008',
      ...mistaken,
      hint: `Write eager or on-demand into the label, or remove it; until then the mesh’s mode counts, ${ofMesh}.`,
    }),
  );
  return (cluster, namespace) => said(cluster, namespace) ?? ofMesh;
}
