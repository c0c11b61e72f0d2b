/**
 * What `--help` says beside the flags: the commands by what they are for, and examples under each. In: the whole command line; out: the same, arranged.
 * What always holds: a page of help is as wide as tables are.
 */

import type { Command } from 'commander';

/** In the order in which they are shown. `help` is Commander's own. */
const groups: Readonly<Record<string, readonly string[]>> = {
  'See how it is:': ['get', 'describe', 'check', 'analyze', 'inspect', 'endpoints'],
  'See what would be:': ['diff', 'translate', 'convert'],
  'Change it:': ['apply', 'delete', 'rule', 'cluster'],
  'Run it:': ['serve', 'bootstrap', 'envoy', 'demo'],
  'About this command and its pilot:': ['config', 'version', 'completion', 'help'],
};

/** By command, as typed after `fairway`. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  get: [
    'get services',
    'get endpoints -n shop',
    'get rules -o wide',
    'get proxies --watch',
    'get rule shop/reviews -o yaml',
  ],
  describe: ['describe service shop/reviews', 'describe pod reviews-v1-a -n shop'],
  check: ['check', 'check --wait --timeout 2m'],
  analyze: ['analyze', 'analyze -f rules --clusters clusters'],
  inspect: ['inspect rule shop/reviews --all'],
  endpoints: [
    'endpoints reviews.shop:80 --as shop/web-1',
    "endpoints reviews:80 --as shop/web-1 --header 'x-group: beta'",
  ],
  diff: ['diff -f rule.yaml', 'diff -f rule.yaml --clusters clusters --rules rules'],
  translate: [
    'translate -f clusters -f rules --as shop/web-1',
    'translate -f clusters --as cluster=west,namespace=shop --type cds',
  ],
  'convert istio': ['convert istio -f istio > rules.yaml', 'convert istio -f istio --report'],
  apply: ['apply -f rule.yaml --wait', 'apply -f rules --dry-run', 'apply -f rule.yaml --context primary'],
  delete: ['delete rule reviews -n shop', 'delete -f rule.yaml'],
  'rule history': ['rule history shop/reviews', 'rule history shop/reviews --revision 2'],
  'rule undo': ['rule undo shop/reviews --dry-run', 'rule undo shop/reviews --to 2 --wait'],
  'cluster drain': [
    'cluster drain west --dry-run',
    'cluster drain west --over 5m --wait',
    'cluster drain --zone eu-1a --service shop/reviews',
  ],
  'cluster undrain': ['cluster undrain west'],
  serve: ['serve --clusters clusters --rules rules', 'serve --context east --context west --state state'],
  bootstrap: [
    'bootstrap --cluster east -n shop --workload web-1',
    'bootstrap --cluster east -n shop --workload web-1 --grpc',
  ],
  envoy: ['envoy', 'envoy -- --version'],
  demo: ['demo', 'demo --once'],
  completion: ['completion bash'],
};

/** `columns`: of the page; undefined where it has no width, and then Commander's 80 count. Call it when all commands are there. */
export function arrangeHelp(program: Command, columns: number | undefined): void {
  const width = columns === undefined ? {} : { getOutHelpWidth: () => columns, getErrHelpWidth: () => columns };
  program.configureOutput(width).configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 });
  const order = Object.values(groups).flat();
  // Groups stand in the order of their first commands.
  (program.commands as Command[]).sort((a, b) => order.indexOf(a.name()) - order.indexOf(b.name()));
  const help = program
    .createHelp()
    .visibleCommands(program)
    .find((command) => command.name() === 'help');
  for (const [heading, names] of Object.entries(groups))
    for (const name of names) (name === 'help' ? help : named(program, name))?.helpGroup(heading);
  for (const [path, lines] of Object.entries(examples)) {
    const command = path.split(' ').reduce<Command | undefined>(named, program);
    const text = lines.map((line) => `  ${program.name()} ${line}`).join('\n');
    command?.addHelpText('after', `\nExamples:\n${text}`);
  }
}

function named(parent: Command | undefined, name: string): Command | undefined {
  return parent?.commands.find((command) => command.name() === name);
}
