/** One hash for equal specs, whatever the order of their keys. */

import { createHash } from 'node:crypto';

/** 12 hexadecimal digits. undefined for what JSON cannot say (YAML's anchors can make a value that holds itself). */
export function specHash(spec: unknown): string | undefined {
  try {
    return createHash('sha256')
      .update(JSON.stringify(sortKeys(spec ?? null)))
      .digest('hex')
      .slice(0, 12);
  } catch {
    return undefined;
  }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}
