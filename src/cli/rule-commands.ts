/** `fairway rule history` and `fairway rule undo`, with their flags. */

import { type Command, Option } from 'commander';
import { addAdminFlags, addKubernetesFlags } from './api-options.ts';
import type { Run } from './command-context.ts';
import type { RuleHistoryFlags } from './commands/rule-history.ts';
import type { RuleUndoFlags } from './commands/rule-undo.ts';

export function addRuleCommands(program: Command, run: Run): void {
  const rule = program
    .command('rule')
    .description('the forms that a rule (or, with --kind, another object) had, and the way back');

  const history = rule
    .command('history')
    .description('list the last forms: when, by whom, and what each changed')
    .argument('<name>', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <namespace>', 'for a name without one (default: default)')
    .option('--kind <kind>', 'another kind of object, as in `es`', 'rule')
    .option('--revision <number>', 'print this form whole, as YAML')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml']));
  addKubernetesFlags(addAdminFlags(history)).action(
    run(async (context, name: string, flags: RuleHistoryFlags) => {
      const { runRuleHistory } = await import('./commands/rule-history.ts');
      return runRuleHistory(name, flags, context);
    }),
  );

  const undo = rule
    .command('undo')
    .description('apply an earlier form again: the last good one that was another, or the one that --to names')
    .argument('<name>', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <namespace>', 'for a name without one (default: default)')
    .option('--kind <kind>', 'another kind of object, as in `es`', 'rule')
    .option('--to <revision>', 'a revision of `fairway rule history`')
    .option('--dry-run', 'check everything and say what would change, change nothing')
    .option('--force', 'Kubernetes: take over fields that somebody else manages')
    .option('--wait', 'wait until every proxy holds it')
    .option('--timeout <duration>', 'how long --wait waits', '30s');
  addKubernetesFlags(addAdminFlags(undo)).action(
    run(async (context, name: string, flags: RuleUndoFlags) => {
      const { runRuleUndo } = await import('./commands/rule-undo.ts');
      return runRuleUndo(name, flags, context);
    }),
  );
}
