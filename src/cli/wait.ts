/**
 * `apply --wait`: asks again and again until every applied rule is in force on every proxy, or was refused, or the time is up.
 * What always holds: an answer about an older generation is not taken for one about the new.
 */

import { sleep } from '../core/clock.ts';
import { allKinds } from '../kinds/all-kinds.ts';
import type { ObjectReport, RuleReport, WriteReport } from '../model/report.ts';
import { ruleKind } from '../rules/traffic-rule/head.ts';
import type { CommandContext } from './command-context.ts';
import { formatAge } from './duration.ts';
import { CommandFailure, exitCode, failed } from './failure.ts';
import type { RuleStore } from './rule-store.ts';
import { conditionOf } from './views/rules.ts';

const firstPollMs = 50;
const longestPollMs = 1000;

type Result = WriteReport['results'][number];

/** @throws CommandFailure FW-CLI-026 when a rule is refused, FW-CLI-027 (exit code 4) when the time is up. */
export async function waitUntilProgrammed(
  store: RuleStore,
  report: WriteReport,
  timeoutMs: number,
  context: CommandContext,
): Promise<void> {
  const { clock, terminal } = context;
  const signal = context.interruptSignal();
  const startedMs = clock.monotonic();
  let pollMs = firstPollMs;
  let waiting: readonly Result[] = report.results;
  let reasons: readonly string[] = [];
  if (terminal.isInteractive) terminal.err(`Waiting up to ${formatAge(timeoutMs)} for the proxies …`);
  while (!signal.aborted) {
    const objects = await objectsOf(waiting, store);
    const states = waiting.map((result) => ({ result, state: stateOf(result, objects) }));
    const left = states.filter(({ state }) => state !== undefined);
    waiting = left.map(({ result }) => result);
    reasons = left.map(({ result, state }) => `${idOf(result)}: ${state}`);
    if (waiting.length === 0) return;
    const remainingMs = timeoutMs - (clock.monotonic() - startedMs);
    if (remainingMs <= 0) break;
    await sleep(clock, Math.min(pollMs, remainingMs), signal);
    pollMs = Math.min(pollMs * 2, longestPollMs);
  }
  throw new CommandFailure(signal.aborted ? exitCode.interrupted : exitCode.timeout, {
    code: 'FW-CLI-027',
    message: `not in force everywhere after ${formatAge(clock.monotonic() - startedMs)}: ${reasons.join('; ')}`,
    hint: 'The rule stays applied; see `fairway get rules` and `fairway get proxies` for what holds it up',
  });
}

type Known = Pick<RuleReport | ObjectReport, 'conditions' | 'generation' | 'programmed'>;

/** What is known now of the kinds that are waited for, by kind and name. */
async function objectsOf(waiting: readonly Result[], store: RuleStore): Promise<ReadonlyMap<string, Known>> {
  const known = new Map<string, Known>();
  for (const name of new Set(waiting.map(({ kind }) => kind))) {
    const kind = allKinds.named(name);
    const list = name === ruleKind || kind === undefined ? await store.rules({}) : await store.objects(kind, {});
    for (const object of list) known.set(`${name} ${idOf(object)}`, object);
  }
  return known;
}

function idOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** undefined once it is in force; else what it waits for. */
function stateOf(result: Result, objects: ReadonlyMap<string, Known>): string | undefined {
  const id = idOf(result);
  const rule = objects.get(`${result.kind} ${id}`);
  if (rule === undefined) return 'the pilot has not seen it yet';
  const accepted = conditionOf(rule, 'Accepted');
  const programmed = conditionOf(rule, 'Programmed');
  // The report is newer than the write (RuleWriter's promise), so its own generation will do where the write did not name one.
  const wanted = Math.max(result.generation ?? 0, rule.generation);
  if (rule.generation < wanted) return 'the pilot has not read it yet';
  if (accepted !== undefined && accepted.status === 'False' && accepted.observedGeneration >= wanted) {
    throw failed({
      code: 'FW-CLI-026',
      message: `${id} was not accepted (${accepted.reason}): ${accepted.message}`,
      hint: 'Correct the rule and apply it again; what was in force before stays so',
    });
  }
  // Of some kinds nothing is given to proxies.
  const isForProxies = programmed !== undefined || result.kind === ruleKind;
  if (!isForProxies && accepted?.status === 'True' && accepted.observedGeneration >= wanted) return undefined;
  if (programmed?.status === 'True' && programmed.observedGeneration >= wanted) return undefined;
  const { acknowledged, total } = rule.programmed;
  const isCurrent = programmed !== undefined && programmed.observedGeneration >= wanted;
  const why = isCurrent && programmed.message !== '' ? ` (${programmed.message})` : '';
  return `${acknowledged} of ${total} proxies hold it${why}`;
}
