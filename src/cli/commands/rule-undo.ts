/**
 * `fairway rule undo NAME`: an earlier form of an object is applied again, by the way that every form is applied; so it is itself a new entry of
 * the history, and can be undone.
 */

import type { HistoryEntry, ObjectHistory } from '../../model/history.ts';
import type { WriteReport } from '../../model/report.ts';
import { describeChanges } from '../../rules/objects/spec-changes.ts';
import type { AdminFlags, KubernetesFlags } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { parseDuration } from '../duration.ts';
import { type ExitCode, exitCode, FindingsFailure, failed } from '../failure.ts';
import { resourceName } from '../kind-names.ts';
import { type NamedObject, readObjectName } from '../object-name.ts';
import { openRuleStores, type RuleStore } from '../rule-store.ts';
import { waitUntilProgrammed } from '../wait.ts';
import { findRevision, noHistory, readRevision } from './rule-history.ts';

export interface RuleUndoFlags extends AdminFlags, KubernetesFlags {
  readonly namespace?: string;
  readonly kind: string;
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
}

export async function runRuleUndo(name: string, flags: RuleUndoFlags, context: CommandContext): Promise<ExitCode> {
  const object = readObjectName(flags.kind, name, flags.namespace);
  const to = flags.to === undefined ? undefined : readRevision(flags.to, '--to');
  const timeoutMs = parseDuration(flags.timeout, '--timeout');
  const stores = await openRuleStores(flags, context.env);
  const dryRun = flags.dryRun === true;
  // In turn: the second cluster is not touched when the first refuses.
  try {
    for (const store of stores) {
      const history = (await store.history(object.ref)) ?? noHistory(object.words, store);
      const form = to === undefined ? lastOther(history, object) : findRevision(history, to, object.words);
      const report = await store.restore(object.ref, form, { dryRun, force: flags.force === true });
      const [result] = report.results;
      if (result === undefined || result.action === 'invalid') {
        throw new FindingsFailure(result?.findings ?? [], `Revision ${form.revision} was not applied.`);
      }
      say(object, history, form, report, store, dryRun, context);
      if (flags.wait === true && !dryRun) await waitUntilProgrammed(store, report, timeoutMs, context);
    }
  } finally {
    for (const store of stores) store.close();
  }
  return exitCode.ok;
}

/** The youngest valid form that is not in force now. @throws CommandFailure FW-CLI-104 */
function lastOther({ entries, deleted }: ObjectHistory, { words }: NamedObject): HistoryEntry {
  const present = deleted ? undefined : entries.at(-1);
  const earlier = entries.findLast(({ hash, valid }) => valid && hash !== present?.hash);
  if (earlier !== undefined) return earlier;
  throw failed({
    code: 'FW-CLI-104',
    message: `no earlier form of ${words} is kept`,
    hint: 'See `fairway rule history`; a history begins when the pilot first sees the object, and holds its last forms',
  });
}

function say(
  { ref }: NamedObject,
  { entries, deleted }: ObjectHistory,
  form: HistoryEntry,
  { results }: WriteReport,
  store: RuleStore,
  dryRun: boolean,
  { terminal }: CommandContext,
): void {
  const action = results[0]?.action ?? 'unchanged';
  const space = ref.namespace === '' ? '' : ` (namespace ${ref.namespace})`;
  const suffix = `${dryRun ? ' (dry run)' : ''}${store.label === '' ? '' : ` in ${store.label}`}`;
  const done = action === 'unchanged' ? `is as in revision ${form.revision}` : `undone to revision ${form.revision}`;
  terminal.out(`${resourceName(ref.kind, ref.name)} ${done}${space}${suffix}\n`);
  const present = entries.at(-1);
  if (action === 'unchanged' || present === undefined || deleted) return;
  terminal.err(`${dryRun ? 'Would change' : 'Changed'}: ${describeChanges(present.spec, form.spec)}`);
}
