/** The commands that look ahead, with their flags: translate, diff. */

import { type Command, Option } from 'commander';
import { addAdminFlags, collect } from './api-options.ts';
import type { Run } from './command-context.ts';
import type { DiffFlags } from './commands/diff.ts';
import type { TranslateFlags } from './commands/translate.ts';
import { serveDefaults } from './serve-options.ts';

export function addPreviewCommands(program: Command, run: Run): void {
  addTranslate(program, run);
  addDiff(program, run);
}

function addTranslate(program: Command, run: Run): void {
  const translate = program
    .command('translate')
    .description('print the configuration that a proxy would get, out of files: no pilot, no network')
    .requiredOption(
      '-f, --filename <path>',
      'a folder of clusters, one cluster’s folder (with a cluster.yaml), or rules and other objects; may be repeated',
      collect,
    )
    .requiredOption('--as <proxy>', 'NAMESPACE/POD, a node id, or cluster=NAME,namespace=NAME')
    .option('-n, --namespace <namespace>', 'for objects that name none (default: default)')
    .option('--type <types>', 'only these, of cds,eds,lds,rds,vhds')
    .addOption(
      new Option('--routes <form>', 'each virtual host by itself, or whole route tables')
        .choices(['vhds', 'tables'])
        .default('vhds'),
    )
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['yaml', 'json']).default('yaml'));
  addProxyFlags(translate).action(
    run(async (context, flags: TranslateFlags) => {
      const { runTranslate } = await import('./commands/translate.ts');
      return runTranslate(flags, context);
    }),
  );
}

function addDiff(program: Command, run: Run): void {
  const diff = program
    .command('diff')
    .description('what applying rules would do: which proxies change, and how requests would move; changes nothing')
    .requiredOption('-f, --filename <path>', 'a file, a folder, or - for stdin; may be repeated', collect)
    .option('-n, --namespace <namespace>', 'for objects that name none (default: default)')
    .option('--clusters <dir>', 'compare with these files instead of a pilot: a folder of clusters')
    .option('--rules <dir>', 'with --clusters: the rules and other objects that are in force')
    .option('--as <proxy>', 'with --clusters: this proxy; may be repeated (default: one at every pod)', collect)
    .addOption(
      new Option('-o, --output <format>', 'how to print it').choices(['table', 'wide', 'json']).default('table'),
    );
  addAdminFlags(addProxyFlags(diff)).action(
    run(async (context, flags: DiffFlags) => {
      const { runDiff } = await import('./commands/diff.ts');
      return runDiff(flags, context);
    }),
  );
}

/** What `serve --services` would say. */
export function filesMerging(): Option {
  return new Option(
    '--services <which>',
    'files: which services are one over all clusters: all of a name, or exported ones',
  )
    .choices(['all', 'exported'])
    .default(serveDefaults.services);
}

/** What files do not say of a proxy and its mesh. */
function addProxyFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'files: how the proxy gets its traffic')
        .choices(['captured', 'explicit'])
        .default('captured'),
    )
    .addOption(
      new Option('--outbound <mode>', 'files: what sidecars do with hosts that no service has')
        .choices(['allow-any', 'registered-only'])
        .default(serveDefaults.outbound),
    )
    .option('--cluster-domain <domain>', 'files: the suffix of service host names', serveDefaults.clusterDomain)
    .addOption(filesMerging())
    .option('--detect-protocols', 'files: look into ports that declare no protocol');
}
