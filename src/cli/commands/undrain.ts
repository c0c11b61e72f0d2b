/**
 * `fairway cluster undrain`: ends the Drains of exactly this place, whatever they are called: deletes them, or with a time lets the load come
 * back in steps first.
 */

import { drainedPlaceWords } from '../../model/drain.ts';
import type { ObjectReport } from '../../model/report.ts';
import { drainHead } from '../../rules/drain/head.ts';
import { parseDrain } from '../../rules/drain/parse.ts';
import type { AdminFlags, KubernetesFlags } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { openDrainStores, readPlace } from '../drain-place.ts';
import { waitUntilReturned } from '../drain-wait.ts';
import { parseDuration } from '../duration.ts';
import { type ExitCode, exitCode, FindingsFailure, failed, usageError } from '../failure.ts';
import type { Manifest, RuleStore } from '../rule-store.ts';

export interface UndrainFlags extends AdminFlags, KubernetesFlags {
  readonly zone?: string;
  readonly over?: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly timeout?: string;
}

/** What a person waits on top of the steps themselves, ms. */
const patienceMs = 60_000;

export async function runUndrain(
  cluster: string | undefined,
  flags: UndrainFlags,
  context: CommandContext,
): Promise<ExitCode> {
  const place = readPlace(cluster, flags.zone);
  if (flags.over === undefined && flags.wait === true) {
    throw usageError({
      code: 'FW-CLI-120',
      message: '--wait was given without --over',
      hint: 'Without --over the load comes back at once; give both, or neither',
    });
  }
  const overMs = flags.over === undefined ? 0 : parseDuration(flags.over, '--over');
  const timeoutMs = flags.timeout === undefined ? overMs + patienceMs : parseDuration(flags.timeout, '--timeout');
  const stores = await openDrainStores(flags, context.env);
  let ended = 0;
  try {
    for (const store of stores) {
      const drains = await store.objects(drainHead, {});
      for (const drain of drains.filter((one) => isOf(one, place))) {
        if (flags.over === undefined) await remove(store, drain.name, flags.dryRun === true, context);
        else await letBack(store, drain, flags.over, flags, context, timeoutMs);
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

interface Spec {
  readonly cluster?: string;
  readonly zone?: string;
  readonly undrain?: { readonly startAt?: string };
}

function isOf({ spec }: ObjectReport, place: { readonly cluster: string; readonly zone: string }): boolean {
  const own = (spec ?? {}) as Spec;
  return (own.cluster ?? '') === place.cluster && (own.zone ?? '') === place.zone;
}

async function remove(store: RuleStore, name: string, dryRun: boolean, { terminal }: CommandContext): Promise<void> {
  const { results } = await store.delete({ kind: drainHead.kind, namespace: '', name }, { dryRun });
  terminal.out(`drain.fairway.dev/${name} ${results[0]?.action ?? 'deleted'}${suffixOf(store, dryRun)}\n`);
}

/** Given again, the way back takes the new time and keeps its start. */
async function letBack(
  store: RuleStore,
  drain: ObjectReport,
  over: string,
  flags: UndrainFlags,
  context: CommandContext,
  timeoutMs: number,
): Promise<void> {
  const { clock, terminal } = context;
  const spec = (drain.spec ?? {}) as Spec;
  const startAt = spec.undrain?.startAt ?? `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
  const manifest: Manifest = {
    apiVersion: drainHead.apiVersion,
    kind: drainHead.kind,
    metadata: { name: drain.name },
    spec: { ...spec, undrain: { startAt, over } },
  };
  const { value, findings } = parseDrain(
    { object: manifest, origin: 'the command line', where: () => ({}) },
    { defaultNamespace: 'default' },
  );
  if (value === undefined) throw new FindingsFailure(findings, 'Nothing was changed.');
  const dryRun = flags.dryRun === true;
  const { results } = await store.apply([manifest], { dryRun, force: false });
  const [result] = results;
  if (result === undefined || result.action === 'invalid')
    throw new FindingsFailure(result?.findings ?? [], 'Nothing was changed.');
  terminal.out(`drain.fairway.dev/${drain.name} ${result.action}${suffixOf(store, dryRun)}\n`);
  if (flags.wait !== true || dryRun) return;
  await waitUntilReturned(store, result, timeoutMs, context);
  await remove(store, drain.name, false, context);
}

function suffixOf({ label }: RuleStore, dryRun: boolean): string {
  return `${dryRun ? ' (dry run)' : ''}${label === '' ? '' : ` in ${label}`}`;
}
