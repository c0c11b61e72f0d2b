/**
 * Changes are numbered, and their number is part of what they change: so whoever sees a message knows which changes it carries. Neither an
 * endpoint's address nor a header's value of this form occurs otherwise.
 */

/** The address that an endpoint gets with change `n`, below 65,536. */
export function markedAddress(n: number): string {
  return `10.254.${n >> 8}.${n & 255}`;
}

/** The header value that a rule matches after change `n`. */
export function markedValue(n: number): string {
  return `bench-mark-${n}.`;
}

/** The numbers of all changes that the bytes carry. */
export function marksIn(bytes: Buffer): readonly number[] {
  const marks = new Set<number>();
  scan(bytes, '10.254.', /^(\d+)\.(\d+)/, ([, high, low]) => marks.add(Number(high) * 256 + Number(low)));
  scan(bytes, 'bench-mark-', /^(\d+)\./, ([, n]) => marks.add(Number(n)));
  return [...marks];
}

function scan(bytes: Buffer, prefix: string, form: RegExp, found: (match: RegExpExecArray) => void): void {
  for (let at = bytes.indexOf(prefix); at >= 0; at = bytes.indexOf(prefix, at + prefix.length)) {
    const after = at + prefix.length;
    const match = form.exec(bytes.toString('latin1', after, after + 8));
    if (match !== null) found(match);
  }
}

/** Monotonic, ms; the same in all processes of a machine. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
