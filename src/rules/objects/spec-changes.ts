/**
 * What became another between two forms of an object, in a line for people: `routes[0].backends[1].weight 10 → 50, timeouts added`.
 * Pure; lists are compared place by place, and long values are cut.
 */

export interface SpecChange {
  /** `routes[0].backends[1].weight` */
  readonly path: string;
  /** undefined: it was not there. */
  readonly before?: unknown;
  /** undefined: it is not there any more. */
  readonly after?: unknown;
}

const maxListed = 4;
const maxValueLength = 40;
/** Deeper than any valid spec; what is deeper is compared as a whole. */
const maxDepth = 32;

/** In the order of the keys, outermost difference that says it all: a new field is one change, whatever it holds. */
export function specChanges(before: unknown, after: unknown): readonly SpecChange[] {
  const changes: SpecChange[] = [];
  compare(before, after, '', 0, changes);
  return changes;
}

/** One line; 'nothing' when they are equal. */
export function describeChanges(before: unknown, after: unknown): string {
  const changes = specChanges(before, after);
  if (changes.length === 0) return 'nothing';
  const listed = changes.slice(0, maxListed).map(describe);
  const more = changes.length > maxListed ? [`and ${changes.length - maxListed} more`] : [];
  return [...listed, ...more].join(', ');
}

function describe(change: SpecChange): string {
  const path = change.path === '' ? 'all of it' : change.path;
  if (!('before' in change)) return `${path} added${isScalar(change.after) ? `: ${show(change.after)}` : ''}`;
  if (!('after' in change)) return `${path} removed`;
  return `${path} ${show(change.before)} → ${show(change.after)}`;
}

function compare(before: unknown, after: unknown, path: string, depth: number, changes: SpecChange[]): void {
  if (Array.isArray(before) && Array.isArray(after) && depth < maxDepth) {
    for (let at = 0; at < Math.max(before.length, after.length); at++) {
      const place = `${path}[${at}]`;
      if (at >= before.length) changes.push({ path: place, after: after[at] });
      else if (at >= after.length) changes.push({ path: place, before: before[at] });
      else compare(before[at], after[at], place, depth + 1, changes);
    }
    return;
  }
  if (isMap(before) && isMap(after) && depth < maxDepth) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const place = path === '' ? key : `${path}.${key}`;
      if (!Object.hasOwn(before, key)) changes.push({ path: place, after: after[key] });
      else if (!Object.hasOwn(after, key)) changes.push({ path: place, before: before[key] });
      else compare(before[key], after[key], place, depth + 1, changes);
    }
    return;
  }
  const isSame = Object.is(before, after) || (!isScalar(before) && JSON.stringify(before) === JSON.stringify(after));
  if (!isSame) changes.push({ path, before, after });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > maxValueLength ? `${text.slice(0, maxValueLength - 1)}…` : text;
}
