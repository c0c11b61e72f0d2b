/** Rewrites as a TrafficRule writes them. What Istio's `uri` replaces depends on how the path was matched. */

import type { RawRoute } from '../rules/traffic-rule/schema/spec.ts';
import type { HeaderChanges } from './headers.ts';
import type { TranslatedMatch } from './http-match.ts';
import { newPathOf } from './new-path.ts';
import type { Notes } from './notes.ts';
import { child, type Part, textOf } from './parts.ts';

type RawRewrite = NonNullable<RawRoute['rewrite']>;

const hostname = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** `by`: how the matches of the route match the path, all alike. */
export function rewriteOf(
  part: Part | undefined,
  authority: HeaderChanges['authority'],
  by: TranslatedMatch['path'],
  notes: Notes,
): RawRewrite | undefined {
  const hostPart = child(part, 'authority');
  const host = textOf(hostPart, notes) ?? authority?.value;
  const at = hostPart ?? authority?.at;
  const path = pathOf(part, by, notes);
  const name = host !== undefined && at !== undefined ? hostOf(host, at, notes) : undefined;
  if (name === undefined && path === undefined) return undefined;
  return { ...(name === undefined ? {} : { hostname: name }), ...(path === undefined ? {} : { path }) };
}

function hostOf(host: string, at: Part, notes: Notes): string | undefined {
  const lower = host.toLowerCase();
  if (hostname.test(lower)) return lower;
  notes.error(
    'FW-ISTIO-005',
    at,
    `the host cannot be rewritten to ${JSON.stringify(host)}: a name without a port is wanted`,
  );
  return undefined;
}

function pathOf(part: Part | undefined, by: TranslatedMatch['path'], notes: Notes): RawRewrite['path'] | undefined {
  const regex = child(part, 'uriRegexRewrite');
  const match = textOf(child(regex, 'match'), notes);
  if (match !== undefined) {
    return { regex: { match, substitution: newPathOf(regex, 'rewrite', notes) ?? '' } };
  }
  const uri = newPathOf(part, 'uri', notes);
  if (uri === undefined) return undefined;
  // A path that was matched whole is replaced whole.
  return by === 'start' ? { prefix: uri } : { full: uri };
}
