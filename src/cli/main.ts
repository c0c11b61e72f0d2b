#!/usr/bin/env node
/**
 * The `fairway` command, also called as `kubectl fairway` (bin `kubectl-fairway`). Reads the command line, runs one command, prints what went
 * wrong, and ends with a documented exit code. Data goes to stdout, everything else to stderr.
 */

import { basename } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import { type Command, CommanderError } from 'commander';
import { type CommandContext, commandClock } from './command-context.ts';
import { ownVersion } from './commands/version.ts';
import { exitCode } from './failure.ts';
import { arrangeHelp } from './help.ts';
import { printFailure, printUsage } from './print-findings.ts';
import { createProgram } from './program.ts';
import { openTerminal } from './terminal.ts';

async function main(): Promise<number> {
  const { stdout, stderr, env, argv } = process;
  // A reader that went away (`fairway get services | head`) is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? exitCode.ok : exitCode.failed),
  );

  let exit: number = exitCode.ok;
  let terminal = openTerminal({ stdout, stderr, env, noColour: argv.includes('--no-color') });
  const context = ({ color }: { readonly color: boolean }): CommandContext => {
    terminal = openTerminal({ stdout, stderr, env, noColour: !color });
    return { terminal, env, clock: commandClock, interruptSignal };
  };
  const isPlugin = basename(argv[1] ?? '').startsWith('kubectl-fairway');
  const program = createProgram({
    name: isPlugin ? 'kubectl fairway' : 'fairway',
    version: ownVersion(),
    context,
    done: (code) => {
      exit = code;
    },
  });
  program.exitOverride().configureOutput({ outputError: (text) => printUsage(terminal, text) });
  completeKinds(tab(program, { completionCommandName: 'completion' }));
  arrangeHelp(program, terminal.columns);
  inheritSettings(program);
  try {
    await program.parseAsync(argv);
    return exit;
  } catch (error) {
    // Commander has printed its own words; help and --version end through it too, with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    return printFailure(terminal, error);
  }
}

/** The kinds that commands take; aliases work and are not offered. */
function completeKinds({ commands }: ReturnType<typeof tab>): void {
  const offer = (kinds: readonly string[]) => (complete: (value: string, description: string) => void) => {
    for (const kind of kinds) complete(kind, '');
  };
  commands.get('get')?.argument('kind', offer(['clusters', 'services', 'endpoints', 'rules', 'proxies']));
  commands.get('describe')?.argument('kind', offer(['service', 'pod']));
  commands.get('inspect')?.argument('kind', offer(['rule']));
  commands.get('delete')?.argument('what', offer(['rule']));
}

/** Commands are made before the program's settings are; and they may have commands of their own. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

/** Only for a command that asks: the others end as any process does. Aborts at the first signal; the second ends the process at once. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => controller.abort());
  }
  return controller.signal;
}

process.exitCode = await main();
