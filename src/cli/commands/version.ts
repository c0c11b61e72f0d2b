/** `fairway version`: of this command, and of the pilot if one answers. */

import { readFileSync } from 'node:fs';
import type { VersionReport } from '../../model/report.ts';
import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandFailure, type ExitCode, exitCode } from '../failure.ts';

export interface VersionFlags extends AdminFlags {
  readonly client?: boolean;
  readonly output?: 'json';
}

/** Fairway's own version, from the package.json next to the sources or above the compiled files. */
export function ownVersion(): string {
  for (const up of ['../../../package.json', '../../../../package.json']) {
    try {
      const parsed: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (typeof parsed === 'object' && parsed !== null && 'name' in parsed && 'version' in parsed) {
        if (parsed.name === 'fairway') return String(parsed.version);
      }
    } catch {
      // Not there: one folder further up.
    }
  }
  return 'unknown';
}

export async function runVersion(flags: VersionFlags, { terminal, env }: CommandContext): Promise<ExitCode> {
  const own = ownVersion();
  let pilot: VersionReport | undefined;
  let problem: CommandFailure | undefined;
  if (flags.client !== true) {
    try {
      pilot = await openAdminClient(flags, env).version();
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exit === exitCode.usage) throw error;
      problem = error;
    }
  }
  if (flags.output === 'json') {
    terminal.out(
      `${JSON.stringify({ client: { version: own, node: process.version }, ...(pilot ? { pilot } : {}) }, null, 2)}\n`,
    );
  } else {
    terminal.out(`fairway ${own} (Node ${process.version})\n`);
    if (pilot !== undefined)
      terminal.out(`pilot   ${pilot.version} (Node ${pilot.node})${pilot.ready ? '' : ', not ready'}\n`);
  }
  if (problem !== undefined) terminal.err(`${problem.code} ${problem.message}`);
  // A pilot that is not there is no failure of `version`, which is often asked for the command's own alone.
  return exitCode.ok;
}
