/** `fairway cluster drain` and `undrain`: their flags, and which files run them. */

import { type Command, Option } from 'commander';
import { addAdminFlags, addKubernetesFlags, collect } from './api-options.ts';
import type { Run } from './command-context.ts';
import type { DrainFlags } from './commands/drain.ts';
import type { UndrainFlags } from './commands/undrain.ts';

export function addClusterCommands(program: Command, run: Run): void {
  const cluster = program.command('cluster').description('take load out of a cluster or a zone, and let it back');

  const drain = cluster
    .command('drain')
    .description('move the load out of a cluster or a zone, in ten steps; shows first who takes it')
    .argument('[cluster]', 'the registered cluster; may be left out with --zone')
    .option('--zone <zone>', 'only this zone of the cluster, or of all clusters')
    .option('--over <duration>', 'from the first tenth to the last (default: 0s, all at once)')
    .option('--service <namespace/name>', 'only this service; may be repeated (default: all)', collect)
    .option('--name <name>', "the Drain's name (default: made of cluster and zone)")
    .option('--force', 'even where services are left without capacity; their requests are refused then')
    .option('--dry-run', 'show what would move, change nothing')
    .option('--wait', 'wait until everything has moved and every proxy knows')
    .option('--timeout <duration>', 'how long --wait waits (default: --over and a minute)')
    .addOption(
      new Option('-o, --output <format>', 'how to print what moves').choices(['table', 'json']).default('table'),
    );
  addKubernetesFlags(addAdminFlags(drain)).action(
    run(async (context, name: string | undefined, flags: DrainFlags) => {
      const { runDrain } = await import('./commands/drain.ts');
      return runDrain(name, flags, context);
    }),
  );

  const undrain = cluster
    .command('undrain')
    .description('end the drains of a cluster or a zone: its load comes back at once, or with --over in steps')
    .argument('[cluster]', 'as it was given to drain')
    .option('--zone <zone>', 'as it was given to drain')
    .option('--over <duration>', 'the load comes back in steps, the last after this time (default: at once)')
    .option('--dry-run', 'say which drains would end, change nothing')
    .option('--wait', 'with --over: wait until everything has come back and every proxy knows, then delete the drains')
    .option('--timeout <duration>', 'how long --wait waits (default: --over and a minute)');
  addKubernetesFlags(addAdminFlags(undrain)).action(
    run(async (context, name: string | undefined, flags: UndrainFlags) => {
      const { runUndrain } = await import('./commands/undrain.ts');
      return runUndrain(name, flags, context);
    }),
  );
}
