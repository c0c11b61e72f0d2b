/** What a client holds, as one hash: of every type, name and content, in an order of its own. The server's truth is hashed the same way. */

import { createHash } from 'node:crypto';
import { typeUrl } from '../../src/core/type-urls.ts';

/** The types that a sidecar asks for; virtual hosts only where they come by themselves. */
export const sidecarTypes = [
  typeUrl.cluster,
  typeUrl.endpoint,
  typeUrl.listener,
  typeUrl.route,
  typeUrl.virtualHost,
] as const;

/** Of an encoded google.protobuf.Any. */
export function contentHash(any: Buffer): string {
  return createHash('sha1').update(any).digest('base64');
}

export function stateHash(entries: Iterable<readonly [url: string, name: string, content: string]>): string {
  const lines = Array.from(entries, (entry) => entry.join('\0')).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}
