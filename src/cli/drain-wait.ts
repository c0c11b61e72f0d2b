/**
 * `cluster drain --wait` and `undrain --wait`: ask until the last step was taken, every service has moved and every proxy knows; show each step to
 * a person.
 */

import { sleep } from '../core/clock.ts';
import type { ObjectReport, WriteReport } from '../model/report.ts';
import type { Condition } from '../model/rule.ts';
import { drainHead } from '../rules/drain/head.ts';
import type { CommandContext } from './command-context.ts';
import { formatAge } from './duration.ts';
import { CommandFailure, exitCode, failed } from './failure.ts';
import type { RuleStore } from './rule-store.ts';
import { conditionOf } from './views/rules.ts';

const pollMs = 250;

interface Goal {
  readonly isReached: (drained: Condition) => boolean;
  /** What is said when the time is up, and after how long. */
  readonly code: 'FW-CLI-119';
  readonly what: string;
  readonly hint: string;
}

/** @throws CommandFailure FW-CLI-118 when some services stay, FW-CLI-119 (exit code 4) when the time is up. */
export function waitUntilDrained(
  store: RuleStore,
  result: WriteReport['results'][number],
  timeoutMs: number,
  context: CommandContext,
): Promise<void> {
  const goal: Goal = {
    isReached(drained) {
      if (drained.reason === 'NoCapacity') throw failed(kept(drained.message));
      return drained.status === 'True';
    },
    code: 'FW-CLI-119',
    what: 'not drained',
    hint: 'The drain goes on; see `fairway get drains`, or take it back with `fairway cluster undrain`',
  };
  return waitFor(goal, store, result, timeoutMs, context);
}

/** @throws CommandFailure FW-CLI-118 when somebody else deletes it, FW-CLI-119 (exit code 4) when the time is up. */
export function waitUntilReturned(
  store: RuleStore,
  result: WriteReport['results'][number],
  timeoutMs: number,
  context: CommandContext,
): Promise<void> {
  const goal: Goal = {
    isReached: ({ reason }) => reason === 'Returned',
    code: 'FW-CLI-119',
    what: 'the load is not back',
    hint: 'It goes on coming back; see `fairway get drains`, and delete the drain with `fairway cluster undrain` in the end',
  };
  return waitFor(goal, store, result, timeoutMs, context);
}

async function waitFor(
  goal: Goal,
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
      const isReached = goal.isReached(drained);
      // Without proxies nobody has to know.
      const isKnown = programmed?.status === 'True' || programmed?.reason === 'NoProxies';
      if (isReached && isKnown) return;
    }
    const remainingMs = timeoutMs - (clock.monotonic() - startedMs);
    if (remainingMs <= 0) break;
    await sleep(clock, Math.min(pollMs, remainingMs), signal);
  }
  throw new CommandFailure(signal.aborted ? exitCode.interrupted : exitCode.timeout, {
    code: goal.code,
    message: `${goal.what} after ${formatAge(clock.monotonic() - startedMs)}: ${said === '' ? 'the pilot has not read the drain yet' : said}`,
    hint: goal.hint,
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
  return {
    code: 'FW-CLI-118',
    message: `some services stay: ${message}`,
    hint: 'See `fairway get drains` for which; give them ready endpoints elsewhere, or drain with --force',
  };
}

function gone(name: string): ConstructorParameters<typeof CommandFailure>[1] {
  return {
    code: 'FW-CLI-118',
    message: `Drain ${name} was deleted meanwhile`,
    hint: 'Nothing needs to be done: its load has come back; drain again if it should not',
  };
}
