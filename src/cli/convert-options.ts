/** The commands that translate what others define, with their flags: convert istio. */

import { type Command, Option } from 'commander';
import { collect } from './api-options.ts';
import type { Run } from './command-context.ts';
import type { ConvertIstioFlags } from './commands/convert-istio.ts';
import { serveDefaults } from './serve-options.ts';

export function addConvertCommands(program: Command, run: Run): void {
  const convert = program.command('convert').description('print what others define as Fairway’s own objects');
  convert
    .command('istio')
    .description('VirtualServices, DestinationRules and ServiceEntries as TrafficRules and ExternalServices')
    .requiredOption('-f, --filename <path>', 'a file, a folder, or - for stdin; may be repeated', collect)
    .option('-n, --namespace <namespace>', 'for objects that name none (default: default)')
    .option('--cluster-domain <domain>', 'the suffix of service host names', serveDefaults.clusterDomain)
    .option('--report', 'say of each object what became of it')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['yaml', 'json']).default('yaml'))
    .action(
      run(async (context, flags: ConvertIstioFlags) => {
        const { runConvertIstio } = await import('./commands/convert-istio.ts');
        return runConvertIstio(flags, context);
      }),
    );
}
