/** The flags of `fairway bootstrap`; apart from the command, so that declaring them loads nothing of Envoy's. */

import { type Command, Option } from 'commander';
import { collect } from './api-options.ts';
import { serveDefaults } from './serve-options.ts';

/** As commander hands them over. */
export interface BootstrapFlags {
  readonly mode: 'captured' | 'explicit';
  readonly xds?: readonly string[];
  readonly cluster: string;
  readonly network?: string;
  readonly namespace: string;
  readonly workload: string;
  readonly serviceAccount?: string;
  readonly address?: readonly string[];
  readonly label?: readonly string[];
  readonly adminPort: string;
  readonly outbound: string;
  readonly inboundAddress: string;
  readonly inbound?: readonly string[];
  readonly output: 'json' | 'yaml';
}

export function addBootstrapFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'captured: iptables sends traffic to Envoy; explicit: the application names it as its proxy')
        .choices(['captured', 'explicit'])
        .default('explicit'),
    )
    .option('--xds <host:port>', `a pilot; may be repeated (default: ${serveDefaults.xds})`, collect)
    .requiredOption('--cluster <name>', 'the registered cluster that the workload runs in')
    .option('--network <name>', 'its network (default: the cluster’s)')
    .option('-n, --namespace <namespace>', "the workload's namespace", 'default')
    .requiredOption('--workload <name>', "the workload's (pod's) name")
    .option('--service-account <name>', 'its service account')
    .option('--address <ip>', 'its address; may be repeated (default: 127.0.0.1)', collect)
    .option('--label <key=value>', 'a label of the workload, such as version=v1; may be repeated', collect)
    .option('--admin-port <port>', "Envoy's own admin port, on loopback", '15000')
    .option('--outbound <host:port>', 'explicit mode: where the application finds its proxy', '127.0.0.1:15001')
    .option('--inbound-address <ip>', 'explicit mode: where inbound listens', '0.0.0.0')
    .option('--inbound <port:target[:protocol]>', 'explicit mode: a port to take for the workload; may be repeated', collect)
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml']).default('yaml'));
}
