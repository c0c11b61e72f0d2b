/** Names of what is made for imports in member clusters. */

import { createHash } from 'node:crypto';

/** Of the Service that is derived from an import: a DNS label that says whose it is, and is the same for ever. */
export function derivedServiceName(name: string): string {
  return `${name.slice(0, 40)}-import-${hashOf(name)}`;
}

/** 12 characters; enough to tell names within a namespace apart. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
