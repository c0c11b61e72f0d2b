/** The cluster that rules are read from, among the registered ones. */

import type { PilotConfig } from './config.ts';

/** undefined: there is none, rules come from a folder alone. */
export function primaryOf(
  config: Pick<PilotConfig, 'primary' | 'inCluster' | 'inClusterName' | 'contexts'>,
): string | undefined {
  if (config.contexts.length === 0 && !config.inCluster) return undefined;
  return config.primary ?? (config.inCluster ? config.inClusterName : config.contexts[0]?.cluster);
}
