/** `fairway config`: every setting that is in force in the pilot. */

import { stringify } from 'yaml';
import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type ExitCode, exitCode } from '../failure.ts';

export interface ConfigFlags extends AdminFlags {
  readonly output: 'yaml' | 'json';
}

export async function runConfig(flags: ConfigFlags, { terminal, env }: CommandContext): Promise<ExitCode> {
  const settings = await openAdminClient(flags, env).settings();
  terminal.out(
    flags.output === 'json' ? `${JSON.stringify(settings, null, 2)}\n` : stringify(settings, { lineWidth: 0 }),
  );
  return exitCode.ok;
}
