/** A path that the proxy is to write in the place of a request's, and the words for one that no request can have. */

import { holdsUnwritable, percentEncoded } from '../rules/traffic-rule/request-path.ts';
import type { Notes } from './notes.ts';
import { child, type Part, textOf } from './parts.ts';

/** The text of `field`; undefined where there is none, or one that cannot be written, which is noted as an error. */
export function newPathOf(part: Part | undefined, field: string, notes: Notes): string | undefined {
  const at = child(part, field);
  const path = textOf(at, notes);
  if (at === undefined || path === undefined || !holdsUnwritable(path)) return path;
  notes.error('FW-ISTIO-005', at, ...unwritable(path));
  return undefined;
}

/** Message and hint. */
export function unwritable(path: string): readonly [string, string] {
  const message = `no request has the path ${JSON.stringify(path)}: spaces, control characters and all beyond ASCII are written otherwise there`;
  return [message, `Write it as requests do: ${percentEncoded(path)}`];
}
