/** One hash for equal values that were built the same way; for specs as people write them, see spec-hash.ts. */

import { createHash } from 'node:crypto';

/** A hash of what is given, the same in every process: 128 bits of SHA-256, in hex. The order of keys counts. */
export function contentHash(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}
