/** The commands that look closer, with their flags: analyze, describe, inspect, endpoints. */

import { type Command, Option } from 'commander';
import { addAdminFlags, collect } from './api-options.ts';
import type { Run } from './command-context.ts';
import type { AnalyzeFlags } from './commands/analyze.ts';
import type { DescribeFlags } from './commands/describe.ts';
import type { EndpointsFlags } from './commands/endpoints.ts';
import type { InspectFlags } from './commands/inspect.ts';
import { filesMerging } from './preview-options.ts';

const output = (): Option => new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml']);

export function addInspectCommands(program: Command, run: Run): void {
  addAnalyze(program, run);
  addDescribe(program, run);
  addInspect(program, run);
  addEndpoints(program, run);
}

function addAnalyze(program: Command, run: Run): void {
  const analyze = program
    .command('analyze')
    .description('find what is wrong: in the running mesh, or, with -f or --clusters, in files without any pilot')
    .option(
      '-f, --filename <path>',
      'rules and other objects: a file, a folder, or - for stdin; may be repeated',
      collect,
    )
    .option('--clusters <dir>', 'look up what they name in this folder of clusters, as `serve --clusters` reads it')
    .addOption(filesMerging())
    .option('-n, --namespace <namespace>', 'live: only this namespace; files: for objects that name none')
    .option('--cluster <name>', 'live: only what is said of this cluster')
    .addOption(
      new Option('--severity <severity>', 'show findings from this severity on')
        .choices(['warning', 'error'])
        .default('warning'),
    )
    .addOption(
      new Option('--fail-on <severity>', 'end with exit code 1 for findings from this severity on')
        .choices(['warning', 'error', 'never'])
        .default('error'),
    )
    .addOption(output());
  addAdminFlags(analyze).action(
    run(async (context, flags: AnalyzeFlags) => {
      const { runAnalyze } = await import('./commands/analyze.ts');
      return runAnalyze(flags, context);
    }),
  );
}

function addDescribe(program: Command, run: Run): void {
  const describe = program
    .command('describe')
    .description('what applies to a service or a pod, and where requests go; what is known of a cluster')
    .argument('<kind>', 'service (svc), pod or cluster')
    .argument('<name>', 'NAMESPACE/NAME, or NAME with -n; an exported service also by its name in clusterset.local')
    .option('-n, --namespace <namespace>', 'its namespace')
    .option('--cluster <name>', 'pod: of this cluster, where several have one of the name')
    .addOption(output());
  addAdminFlags(describe).action(
    run(async (context, kind: string, name: string, flags: DescribeFlags) => {
      const { runDescribe } = await import('./commands/describe.ts');
      return runDescribe(kind, name, flags, context);
    }),
  );
}

function addInspect(program: Command, run: Run): void {
  const inspect = program
    .command('inspect')
    .description('which proxies hold a rule, which wait for it, and who rejected it and why')
    .argument('<kind>', 'rule')
    .argument('<name>', 'NAMESPACE/NAME, or NAME with -n; an exported service also by its name in clusterset.local')
    .option('-n, --namespace <namespace>', 'its namespace')
    .option('--cluster <name>', 'only proxies of this cluster')
    .option(
      '--holder <cluster>',
      "the rule that this cluster holds of its own (default: the primary's, if it has one of the name)",
    )
    .option('--all', 'name every proxy')
    .addOption(output());
  addAdminFlags(inspect).action(
    run(async (context, kind: string, name: string, flags: InspectFlags) => {
      const { runInspect } = await import('./commands/inspect.ts');
      return runInspect(kind, name, flags, context);
    }),
  );
}

function addEndpoints(program: Command, run: Run): void {
  const endpoints = program
    .command('endpoints')
    .description('what one proxy would use for a request to a host: routes, Envoy clusters and endpoints')
    .argument('<host:port>', 'as the application writes it: reviews.shop:80; port 80 where none is given')
    .requiredOption('--as <proxy>', 'NAMESPACE/POD, POD.NAMESPACE or a node id of `fairway get proxies`')
    .option('--path <path>', 'only the route that a request with this path takes')
    .option('--method <method>', 'the same for this method (default: GET, where a path or a header is given)')
    .option('--header <header>', "the same for this header, as in 'x-group: beta'; may be repeated", collect)
    .addOption(output());
  addAdminFlags(endpoints).action(
    run(async (context, target: string, flags: EndpointsFlags) => {
      const { runEndpoints } = await import('./commands/endpoints.ts');
      return runEndpoints(target, flags, context);
    }),
  );
}
