/** `fairway rule history NAME`: the forms that an object had, oldest first, each with what it changed. */

import { stringify } from 'yaml';
import { allKinds } from '../../kinds/all-kinds.ts';
import type { HistoryEntry, ObjectHistory } from '../../model/history.ts';
import { describeChanges } from '../../rules/objects/spec-changes.ts';
import type { AdminFlags, KubernetesFlags } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { ageOf } from '../duration.ts';
import { type ExitCode, exitCode, failed, usageError } from '../failure.ts';
import { readObjectName } from '../object-name.ts';
import { openRuleStores, type RuleStore } from '../rule-store.ts';
import { renderTable } from '../table.ts';
import { orDash } from '../views/view.ts';

export interface RuleHistoryFlags extends AdminFlags, KubernetesFlags {
  readonly namespace?: string;
  readonly kind: string;
  readonly revision?: string;
  readonly output?: 'json' | 'yaml';
}

interface Row extends HistoryEntry {
  /** Against the form before it, among those that are kept. */
  readonly changes: string;
}

export async function runRuleHistory(
  name: string,
  flags: RuleHistoryFlags,
  context: CommandContext,
): Promise<ExitCode> {
  const { ref, words } = readObjectName(flags.kind, name, flags.namespace);
  const revision = flags.revision === undefined ? undefined : readRevision(flags.revision, '--revision');
  const stores = await openRuleStores(flags, context.env);
  try {
    for (const store of stores) {
      const history = (await store.history(ref)) ?? noHistory(words, store);
      if (stores.length > 1 && flags.output === undefined) context.terminal.err(`In ${store.label}:`);
      if (revision === undefined) print(history, flags, context);
      else context.terminal.out(formText(findRevision(history, revision, words), history));
    }
  } finally {
    for (const store of stores) store.close();
  }
  return exitCode.ok;
}

/** @throws CommandFailure FW-CLI-101 */
export function noHistory(words: string, store: RuleStore): never {
  throw failed({
    code: 'FW-CLI-101',
    message: `there is no ${words}${store.label === '' ? '' : ` in ${store.label}`}, and no history of it`,
    hint: 'List what there is with `fairway get rules`; name another namespace with -n, another kind with --kind',
  });
}

/** @throws CommandFailure FW-CLI-102 */
export function readRevision(text: string, flag: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw usageError({
    code: 'FW-CLI-102',
    message: `${flag} ${JSON.stringify(text)} is not a revision`,
    hint: 'Give a number out of the first column of `fairway rule history`',
  });
}

/** @throws CommandFailure FW-CLI-103 */
export function findRevision({ entries }: ObjectHistory, revision: number, words: string): HistoryEntry {
  const entry = entries.find((candidate) => candidate.revision === revision);
  if (entry !== undefined) return entry;
  throw failed({
    code: 'FW-CLI-103',
    message: `no revision ${revision} of ${words} is kept`,
    hint: `There are ${entries.map((candidate) => candidate.revision).join(', ')}`,
  });
}

function print(history: ObjectHistory, flags: RuleHistoryFlags, { terminal, clock }: CommandContext): void {
  const rows = withChanges(history.entries);
  if (flags.output === 'json') terminal.out(`${JSON.stringify({ ...history, entries: rows }, null, 2)}\n`);
  else if (flags.output === 'yaml') terminal.out(stringify({ ...history, entries: rows }, { lineWidth: 0 }));
  if (flags.output !== undefined) return;
  const nowMs = clock.now();
  const { text } = renderTable<Row>({
    columns: [
      { title: 'REVISION', cell: ({ revision }) => String(revision) },
      { title: 'AGE', cell: ({ at }) => ageOf(at, nowMs) },
      { title: 'BY', cell: ({ by }) => orDash(by), shrinkTo: 12 },
      { title: 'HASH', cell: ({ hash }) => hash, dropOrder: 1 },
      { title: 'VALID', cell: ({ valid }) => (valid ? 'True' : 'False'), dropOrder: 2 },
      { title: 'CHANGED', cell: ({ changes }) => changes, shrinkTo: 20 },
    ],
    rows,
    width: terminal.columns,
    wide: false,
    paintTitle: (title) => terminal.paint('bold', title),
  });
  terminal.out(text);
  if (history.deleted) terminal.err('It was deleted; `fairway rule undo` brings its last form back.');
  if (!history.durable) {
    terminal.err('This pilot forgets the history when it ends: start it with --state DIR to keep it.');
  }
}

function withChanges(entries: readonly HistoryEntry[]): readonly Row[] {
  return entries.map((entry, at) => {
    const before = entries[at - 1];
    const twin = entries.slice(0, at).findLast(({ hash }) => hash === entry.hash);
    const changes = before === undefined ? 'the oldest form that is kept' : describeChanges(before.spec, entry.spec);
    return { ...entry, changes: twin === undefined ? changes : `as revision ${twin.revision}: ${changes}` };
  });
}

/** As it could be applied. */
function formText({ spec, metadata = {} }: HistoryEntry, { kind, namespace, name }: ObjectHistory): string {
  const place = namespace === '' ? { name } : { namespace, name };
  const object = { apiVersion: allKinds.named(kind)?.apiVersion, kind, metadata: { ...place, ...metadata }, spec };
  return stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 });
}
