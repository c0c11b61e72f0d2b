/**
 * Coded errors and findings: everything that goes wrong because of an input says what, where, and what to do.
 *
 * A `FairwayError` is thrown where the caller cannot go on; a `Finding` is returned where the rest can (one bad rule in a folder of good
 * ones). Both carry the same fields, so that the CLI, the log and a status condition print the same words.
 * Codes are `FW-<ROOM>-<NNN>`, never reused, and listed with their cure in docs/errors.md.
 */

export type ErrorCode = `FW-${Uppercase<string>}-${number}`;

/** Where the bad thing is. Every field is optional: a file knows its line, a cluster's object its name. */
export interface Where {
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  readonly cluster?: string;
  /** `Kind namespace/name`, as kubectl users write it. */
  readonly object?: string;
  /** A path inside the object, `spec.routes[0].backends[1].weight`. */
  readonly field?: string;
}

export interface Finding {
  readonly code: ErrorCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly where: Where;
  /** What to do about it, as an imperative sentence. */
  readonly hint: string;
}

export class FairwayError extends Error implements Finding {
  readonly code: ErrorCode;
  readonly severity = 'error';
  readonly where: Where;
  readonly hint: string;

  constructor(finding: Omit<Finding, 'severity'>, options?: ErrorOptions) {
    super(finding.message, options);
    this.name = 'FairwayError';
    this.code = finding.code;
    this.where = finding.where;
    this.hint = finding.hint;
  }
}

/** `rules/reviews.yaml:7:15`, `cluster west, Service shop/reviews, spec.ports[0]`; empty when nothing is known. */
export function formatWhere(where: Where): string {
  const parts: string[] = [];
  if (where.file !== undefined) {
    const line = where.line === undefined ? '' : `:${where.line}`;
    const column = where.line === undefined || where.column === undefined ? '' : `:${where.column}`;
    parts.push(`${where.file}${line}${column}`);
  }
  if (where.cluster !== undefined) parts.push(`cluster ${where.cluster}`);
  if (where.object !== undefined) parts.push(where.object);
  if (where.field !== undefined) parts.push(where.field);
  return parts.join(', ');
}

/** One line: `FW-RULE-012 rules/a.yaml:7:15: weight must be … — give …`. */
export function formatFinding(finding: Finding): string {
  const where = formatWhere(finding.where);
  return `${finding.code} ${where === '' ? '' : `${where}: `}${finding.message} — ${finding.hint}`;
}

/** Any thrown value as text; never throws itself. */
export function errorMessage(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}
