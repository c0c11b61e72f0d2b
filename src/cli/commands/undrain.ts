/** `fairway cluster undrain`: deletes the Drains of exactly this place, whatever they are called. */

import { drainedPlaceWords } from '../../model/drain.ts';
import { drainHead } from '../../rules/drain/head.ts';
import type { AdminFlags, KubernetesFlags } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { openDrainStores, readPlace } from '../drain-place.ts';
import { type ExitCode, exitCode, failed } from '../failure.ts';

export interface UndrainFlags extends AdminFlags, KubernetesFlags {
  readonly zone?: string;
  readonly dryRun?: boolean;
}

export async function runUndrain(
  cluster: string | undefined,
  flags: UndrainFlags,
  { env, terminal }: CommandContext,
): Promise<ExitCode> {
  const place = readPlace(cluster, flags.zone);
  const dryRun = flags.dryRun === true;
  const stores = await openDrainStores(flags, env);
  let ended = 0;
  try {
    for (const store of stores) {
      const drains = await store.objects(drainHead, {});
      const ofPlace = drains.filter(({ spec }) => {
        const own = (spec ?? {}) as { readonly cluster?: string; readonly zone?: string };
        return (own.cluster ?? '') === place.cluster && (own.zone ?? '') === place.zone;
      });
      for (const { name } of ofPlace) {
        const { results } = await store.delete({ kind: drainHead.kind, namespace: '', name }, { dryRun });
        const suffix = `${dryRun ? ' (dry run)' : ''}${store.label === '' ? '' : ` in ${store.label}`}`;
        terminal.out(`drain.fairway.dev/${name} ${results[0]?.action ?? 'deleted'}${suffix}\n`);
        ended += 1;
      }
    }
  } finally {
    for (const store of stores) store.close();
  }
  if (ended > 0) return exitCode.ok;
  throw failed({
    code: 'FW-CLI-117',
    message: `${drainedPlaceWords(place)} is not being drained`,
    hint: 'See `fairway get drains`; a zone of a cluster is another place than the whole cluster',
  });
}
