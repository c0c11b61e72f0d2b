/** The order of names: by UTF-16 code units, the same wherever a process runs. */

export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
