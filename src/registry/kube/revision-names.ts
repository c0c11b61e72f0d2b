/** How a form of an object stands in a ControllerRevision: for whoever writes and whoever reads them. */

import { createHash } from 'node:crypto';

/** The label that finds an object's revisions. */
export const ownerLabel = 'fairway.dev/owner-uid';

export const revisionAnnotation = {
  at: 'fairway.dev/at',
  by: 'fairway.dev/by',
  hash: 'fairway.dev/spec-hash',
  valid: 'fairway.dev/valid',
} as const;

/** The same from every replica: `reviews-1f0c9be3a1-7`. */
export function revisionName(name: string, uid: string, generation: number): string {
  return `${name.slice(0, 200)}-${createHash('sha256').update(uid).digest('hex').slice(0, 10)}-${generation}`;
}
