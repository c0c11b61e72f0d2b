/**
 * `apply --wait`: asks again and again until every applied rule is in force on every proxy, or was refused, or the time is up.
 * What always holds: an answer about an older generation is not taken for one about the new.
 */

import { sleep } from '../core/clock.ts';
import type { RuleReport, WriteReport } from '../model/report.ts';
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
    const rules = new Map((await store.rules({})).map((rule) => [`${rule.namespace}/${rule.name}`, rule]));
    const states = waiting.map((result) => ({ result, state: stateOf(result, rules) }));
    const left = states.filter(({ state }) => state !== undefined);
    waiting = left.map(({ result }) => result);
    reasons = left.map(({ result, state }) => `${result.namespace}/${result.name}: ${state}`);
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

/** undefined once it is in force; else what it waits for. */
function stateOf(result: Result, rules: ReadonlyMap<string, RuleReport>): string | undefined {
  const id = `${result.namespace}/${result.name}`;
  const rule = rules.get(id);
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
  if (programmed?.status === 'True' && programmed.observedGeneration >= wanted) return undefined;
  const { acknowledged, total } = rule.programmed;
  const isCurrent = programmed !== undefined && programmed.observedGeneration >= wanted;
  const why = isCurrent && programmed.message !== '' ? ` (${programmed.message})` : '';
  return `${acknowledged} of ${total} proxies hold it${why}`;
}
