/** The flags of `fairway bootstrap`; apart from the command, so that declaring them loads nothing of Envoy's. */

import { type Command, Option } from 'commander';
import { collect } from './api-options.ts';
import { serveDefaults } from './serve-options.ts';

/** As commander hands them over. */
export interface BootstrapFlags {
  readonly mode: 'captured' | 'explicit';
  readonly grpc?: true;
  readonly xds?: readonly string[];
  readonly transport: 'delta' | 'sotw';
  readonly routes?: 'vhds' | 'tables';
  readonly config?: 'eager' | 'on-demand';
  readonly cluster: string;
  readonly network: string;
  readonly locality?: string;
  readonly namespace: string;
  readonly workload: string;
  readonly serviceAccount: string;
  readonly address?: readonly string[];
  readonly label?: readonly string[];
  readonly adminPort: string;
  readonly outbound: string;
  readonly inboundAddress: string;
  readonly inbound?: readonly string[];
  readonly clusterDomain: string;
  readonly output: 'json' | 'yaml';
}

export function addBootstrapFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--mode <mode>',
        'captured: iptables sends traffic to Envoy; explicit: the application names it as its proxy',
      )
        .choices(['captured', 'explicit'])
        .default('explicit'),
    )
    .option(
      '--grpc',
      "of a gRPC client without a proxy, for GRPC_XDS_BOOTSTRAP, in JSON: what concerns an Envoy's listeners and routes does not count",
    )
    .requiredOption('--cluster <name>', 'the registered cluster that the workload runs in')
    .option('-n, --namespace <namespace>', "the workload's namespace", 'default')
    .requiredOption('--workload <name>', "the workload's (pod's) name")
    .option('--service-account <name>', 'its service account', 'default')
    .option('--address <ip>', 'its address; may be repeated (default: 127.0.0.1)', collect)
    .option('--label <key=value>', 'a label of the workload, such as version=v1; may be repeated', collect)
    .option('--network <name>', 'its network', '')
    .option('--locality <region/zone/subzone>', 'where it runs, as far as known')
    .option('--xds <host:port>', `a pilot; may be repeated (default: ${serveDefaults.xds})`, collect)
    .addOption(new Option('--transport <kind>', 'the xDS variant').choices(['delta', 'sotw']).default('delta'))
    .addOption(
      new Option(
        '--routes <form>',
        'each virtual host by itself, or whole route tables (default: vhds over delta)',
      ).choices(['vhds', 'tables']),
    )
    .addOption(
      new Option(
        '--config <mode>',
        'how much it holds, over vhds (default: what its namespace or the mesh says)',
      ).choices(['eager', 'on-demand']),
    )
    .option('--admin-port <port>', "Envoy's own admin port, on 127.0.0.1", '15000')
    .option('--outbound <host:port>', 'explicit: where the application finds its proxy', '127.0.0.1:15001')
    .option('--inbound-address <ip>', 'explicit: where the inbound ports listen', '0.0.0.0')
    .option(
      '--inbound <port[:target][:protocol]>',
      "a port of the workload's; may be repeated (default: what the catalog says of its addresses)",
      collect,
    )
    .option('--cluster-domain <domain>', 'the suffix of service host names', serveDefaults.clusterDomain)
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml']).default('yaml'));
}
