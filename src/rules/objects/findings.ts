/**
 * Collects what is wrong with one object. Each finding gets the place where the bad part stands; there are never more than `maxFindings`,
 * and the last one says how many were left out.
 */

import type { ErrorCode, Finding, Where } from '../../core/errors.ts';
import type { RawObject } from '../../model/object.ts';
import type { RuleCode } from '../codes/rule-codes.ts';

export type Path = readonly (string | number)[];

const maxFindings = 50;

/** `spec.routes[0].backends[1].weight`. */
export function formatPath(path: Path): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`)).join('');
}

/** A value as a message shows it: short, on one line. */
export function show(value: unknown): string {
  const text =
    typeof value === 'object' && value !== null
      ? Array.isArray(value)
        ? 'a list'
        : 'a mapping'
      : JSON.stringify(value);
  if (text === undefined) return String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…"`;
}

/** Kubernetes takes messages of conditions of up to 32768 characters. */
export const maxMessageLength = 4096;

/** RFC 3339 in whole seconds, as Kubernetes keeps times. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function trimWords(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}

/** `Code`: codes of another room's table, besides this room's. */
export class Findings<Code extends ErrorCode = RuleCode> {
  readonly #raw: RawObject;
  readonly #object: string | undefined;
  readonly #list: Finding[] = [];
  #errors = 0;
  #omitted = 0;

  /** `object`: `TrafficRule shop/reviews`, where it is known. */
  constructor(raw: RawObject, object?: string) {
    this.#raw = raw;
    this.#object = object;
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  /** `stands`: the nearest part that is written down, where `path` itself is missing. */
  add(severity: Finding['severity'], code: Code, path: Path, message: string, hint: string, stands: Path = path): void {
    this.#add(severity, code, path, message, hint, stands, 'value');
  }

  #add(
    severity: Finding['severity'],
    code: ErrorCode,
    path: Path,
    message: string,
    hint: string,
    stands: Path,
    what: 'key' | 'value',
  ): void {
    if (severity === 'error') this.#errors += 1;
    if (this.#list.length >= maxFindings) {
      this.#omitted += 1;
      return;
    }
    this.#list.push({ code, severity, message, where: this.#where(path, stands, what), hint });
  }

  error(code: Code, path: Path, message: string, hint: string, stands: Path = path): void {
    this.add('error', code, path, message, hint, stands);
  }

  /** A key that should not be there: the finding stands at the key, not at what it holds. */
  unknownField(path: Path, message: string, hint: string): void {
    this.#add('error', 'FW-RULE-006', path, message, hint, path, 'key');
  }

  warn(code: Code, path: Path, message: string, hint: string): void {
    this.add('warning', code, path, message, hint);
  }

  /** In the order in which they stand in the file; where that is not known, as they were found. */
  list(): readonly Finding[] {
    const list = this.#list.toSorted(
      (a, b) => (a.where.line ?? 0) - (b.where.line ?? 0) || (a.where.column ?? 0) - (b.where.column ?? 0),
    );
    if (this.#omitted === 0) return list;
    const hint = 'Cure the first ones and apply again';
    const severity = this.hasErrors ? 'error' : 'warning';
    return [
      ...list,
      {
        code: 'FW-RULE-043',
        severity,
        message: `${this.#omitted} more findings are not shown`,
        where: this.#where([], []),
        hint,
      },
    ];
  }

  #where(path: Path, stands: Path, what: 'key' | 'value' = 'value'): Where {
    const where = this.#raw.where(stands, what);
    const object = where.object ?? this.#object;
    return {
      ...where,
      ...(object === undefined ? {} : { object }),
      ...(path.length === 0 ? {} : { field: formatPath(path) }),
    };
  }
}
