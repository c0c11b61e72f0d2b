/** Findings and failures as people read them on stderr: a first line with code and place, then what to do, wrapped to the page. */

import { errorMessage, FairwayError, type Finding, formatWhere } from '../core/errors.ts';
import { CommandFailure, type ExitCode, exitCode, FindingsFailure } from './failure.ts';
import { oneLine, wrap } from './table.ts';
import type { Terminal } from './terminal.ts';

export function printFinding(terminal: Terminal, finding: Finding): void {
  const where = formatWhere(finding.where);
  const colour = finding.severity === 'error' ? 'red' : 'yellow';
  const mark = terminal.paint(colour, `${finding.severity} ${finding.code}`);
  terminal.err(where === '' ? `${mark} ${oneLine(finding.message)}` : `${mark} ${oneLine(where)}`);
  const lines = where === '' ? [] : [oneLine(finding.message)];
  if (finding.hint !== '') lines.push(`→ ${oneLine(finding.hint)}`);
  const width = terminal.columns === undefined ? undefined : terminal.columns - 2;
  for (const line of lines.flatMap((text) => wrap(text, width))) terminal.err(`  ${line}`);
}

/** Prints whatever a command threw, and says how the process ends. */
export function printFailure(terminal: Terminal, error: unknown): ExitCode {
  if (error instanceof FindingsFailure) {
    for (const finding of error.findings) printFinding(terminal, finding);
    terminal.err(error.outcome);
    return error.exit;
  }
  if (error instanceof FairwayError) {
    printFinding(terminal, error);
    return error instanceof CommandFailure ? error.exit : exitCode.failed;
  }
  printFinding(terminal, {
    code: 'FW-CLI-099',
    severity: 'error',
    message: errorMessage(error),
    where: {},
    hint: 'This is a fault in fairway itself; run again with FAIRWAY_DEBUG=1 for the stack and report it',
  });
  if ((process.env.FAIRWAY_DEBUG ?? '') !== '' && error instanceof Error) terminal.err(error.stack ?? '');
  return exitCode.failed;
}

/** Commander's own complaints (an unknown flag, a missing argument), in our words' form. */
export function printUsage(terminal: Terminal, text: string): void {
  const [complaint = '', ...rest] = text.trim().split('\n');
  const { code, message, hint } = {
    code: 'FW-CLI-001',
    message: oneLine(complaint.replace(/^error: /, '')),
    hint: 'Add --help for the flags and arguments',
  };
  terminal.err(`${terminal.paint('red', `error ${code}`)} ${message}`);
  const hints = rest.map((line) => line.trim()).filter((line) => line !== '');
  for (const line of [...hints, hint]) terminal.err(`  → ${line}`);
}
