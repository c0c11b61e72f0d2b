/**
 * The `fairway` command line: every command with its flags, and which file runs it. What a command needs is loaded when it runs, so that
 * `fairway --help` and shell completion stay quick.
 */

import { Command, Option } from 'commander';
import { logLevels } from '../core/logger.ts';
import { addAdminFlags, addKubernetesFlags, collect } from './api-options.ts';
import { addBootstrapFlags, type BootstrapFlags } from './bootstrap-options.ts';
import type { CommandContext, Run } from './command-context.ts';
import type { ApplyFlags } from './commands/apply.ts';

import type { CheckFlags } from './commands/check.ts';
import type { ConfigFlags } from './commands/config.ts';
import type { DeleteFlags } from './commands/delete.ts';
import type { DemoFlags } from './commands/demo.ts';
import type { EnvoyFlags } from './commands/envoy.ts';
import type { GetFlags } from './commands/get.ts';
import type { ServeFlags } from './commands/serve.ts';
import type { VersionFlags } from './commands/version.ts';
import { addConvertCommands } from './convert-options.ts';
import { addClusterCommands } from './drain-options.ts';
import { addInspectCommands } from './inspect-options.ts';
import { addPreviewCommands } from './preview-options.ts';
import { addRuleCommands } from './rule-commands.ts';
import { serveDefaults } from './serve-options.ts';

export interface ProgramInput {
  /** The name it was called by: `fairway` or `kubectl fairway`. */
  readonly name: string;
  readonly version: string;
  /** Made when a command runs, after the global flags were read. */
  readonly context: (flags: { readonly color: boolean }) => CommandContext;
  /** Takes the exit code of the command that ran. */
  readonly done: (exit: number) => void;
}

export function createProgram(input: ProgramInput): Command {
  const program = new Command(input.name)
    .description(
      'One rule sends load to a version in a cluster, everywhere: the pilot of a multicluster mesh, and its command.',
    )
    .version(input.version, '-V, --version', "print this command's version")
    .option('--no-color', 'no colours; NO_COLOR does the same');

  const run = <Args extends unknown[]>(
    action: (context: CommandContext, ...args: Args) => Promise<number>,
  ): ((...args: Args) => Promise<void>) => {
    return async (...args) => {
      const { color } = program.opts<{ color: boolean }>();
      input.done(await action(input.context({ color }), ...args));
    };
  };
  addReadCommands(program, run);
  addInspectCommands(program, run);
  addPreviewCommands(program, run);
  addConvertCommands(program, run);
  addWriteCommands(program, run);
  addRuleCommands(program, run);
  addClusterCommands(program, run);
  addServe(program, run);
  addLocalCommands(program, run);
  return program;
}

const output = (choices: readonly string[]): Option =>
  new Option('-o, --output <format>', 'how to print it').choices([...choices]);

function addReadCommands(program: Command, run: Run): void {
  const get = program
    .command('get')
    .description('list clusters, services, endpoints, rules, external services or proxies')
    .argument(
      '<kind>',
      'clusters, services (svc), endpoints (ep), rules (tr), proxies, kinds, or a kind of objects: externalservices (es), drains (dr), httproutes, …',
    )
    .argument('[names...]', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <namespace>', 'only this namespace (default: all)')
    .option('-A, --all-namespaces', 'every namespace, which is the default')
    .option('--cluster <name>', 'only what this cluster holds')
    .option('-w, --watch', 'print it again each time that it is another, until Ctrl-C')
    .addOption(output(['table', 'wide', 'json', 'yaml', 'name']).default('table'));
  addKubernetesFlags(addAdminFlags(get)).action(
    run(async (context, kind: string, names: string[], flags: GetFlags) => {
      const { runGetOrWatch } = await import('./commands/get.ts');
      return runGetOrWatch(kind, names, flags, context);
    }),
  );

  const check = program
    .command('check')
    .description('is the mesh well? pilot, clusters, services, rules, proxies, and Envoy on this machine')
    .option('--wait', 'wait until every check holds')
    .option('--timeout <duration>', 'how long --wait waits', '60s')
    .addOption(output(['json']));
  addAdminFlags(check).action(
    run(async (context, flags: CheckFlags) => {
      const { runCheck } = await import('./commands/check.ts');
      return runCheck(flags, context);
    }),
  );

  const config = program
    .command('config')
    .description('print every setting that is in force in the pilot')
    .addOption(output(['yaml', 'json']).default('yaml'));
  addAdminFlags(config).action(
    run(async (context, flags: ConfigFlags) => {
      const { runConfig } = await import('./commands/config.ts');
      return runConfig(flags, context);
    }),
  );

  const version = program
    .command('version')
    .description('print the versions of this command and of the pilot')
    .option('--client', 'of this command alone')
    .addOption(output(['json']));
  addAdminFlags(version).action(
    run(async (context, flags: VersionFlags) => {
      const { runVersion } = await import('./commands/version.ts');
      return runVersion(flags, context);
    }),
  );
}

function addWriteCommands(program: Command, run: Run): void {
  const apply = program
    .command('apply')
    .description('apply rules and other objects: all of them, or none if one is wrong')
    .requiredOption('-f, --filename <path>', 'a file, a folder, or - for stdin; may be repeated', collect)
    .option('-n, --namespace <namespace>', 'for objects that name none (default: default)')
    .option('--dry-run', 'check everything, change nothing')
    .option('--force', 'Kubernetes: take over fields that somebody else manages')
    .option('--wait', 'wait until every proxy holds it')
    .option('--timeout <duration>', 'how long --wait waits', '30s')
    .addOption(output(['name', 'json', 'yaml']));
  addKubernetesFlags(addAdminFlags(apply)).action(
    run(async (context, flags: ApplyFlags) => {
      const { runApply } = await import('./commands/apply.ts');
      return runApply(flags, context);
    }),
  );

  const remove = program
    .command('delete')
    .description('delete rules and other objects')
    .argument('[what...]', 'KIND NAME…, KIND/NAME, or NAMESPACE/NAME after the kind')
    .option('-f, --filename <path>', 'the objects that a file, a folder or - names; may be repeated', collect)
    .option('-n, --namespace <namespace>', 'for names without one (default: default)')
    .option('--dry-run', 'say what would be deleted, change nothing')
    .option('--ignore-not-found', 'a rule that is not there is no failure')
    .addOption(output(['name']));
  addKubernetesFlags(addAdminFlags(remove)).action(
    run(async (context, what: string[], flags: DeleteFlags) => {
      const { runDelete } = await import('./commands/delete.ts');
      return runDelete(what, flags, context);
    }),
  );
}

function addServe(program: Command, run: Run): void {
  program
    .command('serve')
    .description('run the pilot: read the clusters, serve the proxies')
    .option('--clusters <dir>', 'a folder with one sub-folder of manifests per cluster')
    .option('--kubeconfig <file>', 'where the contexts are (default: $KUBECONFIG, else ~/.kube/config)')
    .option(
      '--context <name>',
      'register this context, or CLUSTER=CONTEXT under another name; may be repeated',
      collect,
    )
    .option('--in-cluster', 'register the cluster that the pilot runs in')
    .option('--in-cluster-name <name>', 'its name', serveDefaults.inClusterName)
    .option('--primary <cluster>', 'whose rules and cluster Secrets are read (default: the first context)')
    .option('--allow-exec-credentials', 'let kubeconfigs run commands and name files')
    .option(
      '--cluster-profiles <file>',
      'register clusters from ClusterProfiles, by the access providers that this file names',
    )
    .option('--publish-clusters', 'write a ClusterProfile for each cluster that is registered otherwise')
    .option('--rules <dir>', 'a folder of rules and other objects; those applied over the admin API are kept there')
    .option('--xds <host:port>', 'where proxies connect', serveDefaults.xds)
    .option('--admin <host:port>', 'where the admin API listens', serveDefaults.admin)
    .option('--admin-token-file <file>', "the admin API's bearer token; required beyond loopback")
    .option('--state <dir>', "where each cluster's last good state is kept")
    .option('--stale-keep <duration>', "how long a lost cluster's state stays in force (default: for ever)")
    .option('--namespace <namespace>', "the pilot's own namespace", serveDefaults.namespace)
    .addOption(
      new Option('--outbound <mode>', 'what sidecars do with hosts that no service has')
        .choices(['allow-any', 'registered-only'])
        .default(serveDefaults.outbound),
    )
    .addOption(
      new Option('--mode <mode>', 'how much sidecars hold: all that they may see, or what their requests asked for')
        .choices(['eager', 'on-demand'])
        .default(serveDefaults.mode),
    )
    .option(
      '--standards <names>',
      'kinds of others that are read: gateway-api, istio, both with a comma, or none',
      serveDefaults.standards,
    )
    .option('--cluster-domain <domain>', 'the suffix of service host names', serveDefaults.clusterDomain)
    .addOption(
      new Option('--services <which>', 'which services are one over all clusters: all of a name, or exported ones')
        .choices(['all', 'exported'])
        .default(serveDefaults.services),
    )
    .option('--mcs', 'import exported services into the clusters: ServiceImports, EndpointSlices, virtual IPs')
    .option('--detect-protocols', 'look into ports that declare no protocol, instead of carrying them as TCP')
    .option(
      '--system-ca <file>',
      'on the sidecars’ machines, the authorities that they trust in TLS to hosts outside (default: /etc/ssl/certs/ca-certificates.crt)',
    )
    .option(
      '--proxy-mark <mark>',
      'sidecars mark their own packets with it (as fairway-iptables.sh --proxy-mark is told), and need CAP_NET_ADMIN for it',
    )
    .option('--no-access-log', 'sidecars write no access log')
    .addOption(
      new Option('--log-level <level>', 'can be changed at run time')
        .choices([...logLevels])
        .default(serveDefaults.logLevel),
    )
    .addOption(
      new Option('--log-format <format>', 'auto: text on a terminal, else JSON')
        .choices(['auto', 'json', 'text'])
        .default(serveDefaults.logFormat),
    )
    .option(
      '--sync-wait <duration>',
      'how long to wait for clusters before serving without them',
      serveDefaults.syncWait,
    )
    .option('--drain <duration>', 'how long streams may drain after SIGTERM', serveDefaults.drain)
    .action(
      run(async (_context, flags: ServeFlags) => {
        const { readServeOptions } = await import('./commands/serve.ts');
        const options = readServeOptions(flags);
        // Before the pilot is loaded, which is its first burst of work.
        const { boundYoung } = await import('../core/young-generation.ts');
        boundYoung();
        const { runServe } = await import('./serve.ts');
        return runServe(options);
      }),
    );
}

function addLocalCommands(program: Command, run: Run): void {
  addBootstrapFlags(program.command('bootstrap').description("print an Envoy's bootstrap")).action(
    run(async (context, flags: BootstrapFlags) => {
      const { runBootstrap } = await import('./commands/bootstrap.ts');
      return runBootstrap(flags, context);
    }),
  );

  program
    .command('envoy')
    .description('print the path of an Envoy, installing one if there is none; with -- ARGS run it')
    .argument('[args...]', 'after --: arguments for Envoy')
    .option('--no-install', 'fail instead of installing')
    .action(
      run(async (context, args: string[], flags: EnvoyFlags) => {
        const { runEnvoy } = await import('./commands/envoy.ts');
        return runEnvoy(args, flags, context);
      }),
    );

  program
    .command('demo')
    .description('two clusters, three versions and real Envoys on this machine: watch rules move the load')
    .option('--once', 'play the scene once, check every step, end with one JSON line')
    .option('--keep', 'keep the folder with its files and logs')
    .action(
      run(async (context, flags: DemoFlags) => {
        const { runDemoCommand } = await import('./commands/demo.ts');
        return runDemoCommand(flags, context);
      }),
    );
}
