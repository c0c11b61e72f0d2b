/** What `drain` and `undrain` are about: a place out of their arguments, its Drain's name, and where Drains are kept. */

import type { DrainedPlace } from '../model/drain.ts';
import type { AdminFlags, KubernetesFlags } from './api-options.ts';
import { usageError } from './failure.ts';
import { openRuleStores, type RuleStore } from './rule-store.ts';

/** @throws CommandFailure FW-CLI-110 */
export function readPlace(cluster: string | undefined, zone: string | undefined): DrainedPlace {
  if ((cluster ?? '') === '' && (zone ?? '') === '') {
    throw usageError({
      code: 'FW-CLI-110',
      message: 'which place is meant was not said',
      hint: 'Name a cluster, a zone with --zone, or both',
    });
  }
  return { cluster: cluster ?? '', zone: zone ?? '' };
}

/** `west`, `west-eu-1a`, `zone-eu-1a`: names of objects hold less than names of clusters and zones do. */
export function drainNameOf({ cluster, zone }: DrainedPlace): string {
  const parts = cluster === '' ? ['zone', zone] : zone === '' ? [cluster] : [cluster, zone];
  return parts
    .join('-')
    .toLowerCase()
    .replaceAll('_', '-')
    .replaceAll(/[-.]*\.[-.]*/g, '.')
    .slice(0, 253);
}

/** Unlike other commands, --admin may stand beside --kubeconfig here: the pilot is asked, and the primary cluster keeps the objects. */
export function openDrainStores(
  flags: AdminFlags & KubernetesFlags,
  env: NodeJS.ProcessEnv,
): Promise<readonly RuleStore[]> {
  const isElsewhere = flags.kubeconfig !== undefined || (flags.context?.length ?? 0) > 0;
  if (!isElsewhere) return openRuleStores(flags, env);
  const { admin: _pilot, ...others } = flags;
  return openRuleStores(others, env);
}
