/**
 * How a command fails: a coded error together with the exit code that scripts see. The codes are documented in docs/cli.md and never change
 * their meaning.
 */

import { FairwayError, type Finding } from '../core/errors.ts';

export const exitCode = {
  ok: 0,
  /** Rejected, not found, unhealthy, or any other failure. */
  failed: 1,
  /** A flag or argument that makes no sense. */
  usage: 2,
  /** The admin API or the Kubernetes API does not answer. */
  unreachable: 3,
  /** `--wait` ran out of time. */
  timeout: 4,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

type FailureInput = Omit<Finding, 'severity' | 'where'> & { readonly where?: Finding['where'] };

/** Thrown by a command; main.ts prints it and exits with `exit`. */
export class CommandFailure extends FairwayError {
  readonly exit: ExitCode;

  constructor(exit: ExitCode, finding: FailureInput, options?: ErrorOptions) {
    super({ ...finding, where: finding.where ?? {} }, options);
    this.name = 'CommandFailure';
    this.exit = exit;
  }
}

export function usageError(finding: FailureInput, options?: ErrorOptions): CommandFailure {
  return new CommandFailure(exitCode.usage, finding, options);
}

export function failed(finding: FailureInput, options?: ErrorOptions): CommandFailure {
  return new CommandFailure(exitCode.failed, finding, options);
}

export function unreachable(finding: FailureInput, options?: ErrorOptions): CommandFailure {
  return new CommandFailure(exitCode.unreachable, finding, options);
}

/** Several things are wrong at once, as in a folder of files; each is printed on its own line. */
export class FindingsFailure extends Error {
  readonly findings: readonly Finding[];
  /** A closing line, such as `nothing was applied`. */
  readonly outcome: string;
  readonly exit: ExitCode = exitCode.failed;

  constructor(findings: readonly Finding[], outcome: string) {
    super(outcome);
    this.name = 'FindingsFailure';
    this.findings = findings;
    this.outcome = outcome;
  }
}
