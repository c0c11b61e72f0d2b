/** `cluster drain --wait`: asks until the last step was taken, every service has moved and every proxy knows; shows each step to a person. */

import { sleep } from '../core/clock.ts';
import type { ObjectReport, WriteReport } from '../model/report.ts';
import { drainHead } from '../rules/drain/head.ts';
import type { CommandContext } from './command-context.ts';
import { formatAge } from './duration.ts';
import { CommandFailure, exitCode, failed } from './failure.ts';
import type { RuleStore } from './rule-store.ts';
import { conditionOf } from './views/rules.ts';

const pollMs = 250;

/** @throws CommandFailure FW-CLI-118 when some services stay, FW-CLI-119 (exit code 4) when the time is up. */
export async function waitUntilDrained(
  store: RuleStore,
  { name, generation = 0 }: WriteReport['results'][number],
  timeoutMs: number,
  context: CommandContext,
): Promise<void> {
  const { clock, terminal } = context;
  const signal = context.interruptSignal();
  const startedMs = clock.monotonic();
  let said = '';
  while (!signal.aborted) {
    const drains = await ask(store, name);
    if (drains?.length === 0) throw failed(gone(name));
    const [drain] = drains ?? [];
    const [drained, programmed] =
      drain === undefined ? [] : [conditionOf(drain, 'Drained'), conditionOf(drain, 'Programmed')];
    const isCurrent =
      drain !== undefined &&
      drained !== undefined &&
      drained.observedGeneration >= Math.max(generation, drain.generation);
    if (isCurrent) {
      if (drained.message !== said && terminal.isInteractive) terminal.err(drained.message);
      said = drained.message;
      if (drained.reason === 'NoCapacity') throw failed(kept(drained.message));
      // Without proxies nobody has to know.
      const isKnown = programmed?.status === 'True' || programmed?.reason === 'NoProxies';
      if (drained.status === 'True' && isKnown) return;
    }
    const remainingMs = timeoutMs - (clock.monotonic() - startedMs);
    if (remainingMs <= 0) break;
    await sleep(clock, Math.min(pollMs, remainingMs), signal);
  }
  throw new CommandFailure(signal.aborted ? exitCode.interrupted : exitCode.timeout, {
    code: 'FW-CLI-119',
    message: `not drained after ${formatAge(clock.monotonic() - startedMs)}: ${said === '' ? 'the pilot has not read the drain yet' : said}`,
    hint: 'The drain goes on; see `fairway get drains`, or take it back with `fairway cluster undrain`',
  });
}

/** undefined: nobody answers just now, as while a pilot starts again; the drain goes on meanwhile. */
async function ask(store: RuleStore, name: string): Promise<readonly ObjectReport[] | undefined> {
  try {
    return await store.objects(drainHead, { name });
  } catch (error) {
    if (error instanceof CommandFailure && error.exit === exitCode.unreachable) return undefined;
    throw error;
  }
}

function kept(message: string): ConstructorParameters<typeof CommandFailure>[1] {
  const hint = 'See `fairway get drains` for which; give them ready endpoints elsewhere, or drain with --force';
  return { code: 'FW-CLI-118', message: `some services stay: ${message}`, hint };
}

function gone(name: string): ConstructorParameters<typeof CommandFailure>[1] {
  return { code: 'FW-CLI-118', message: `Drain ${name} was deleted meanwhile`, hint: 'Its load has come back' };
}
