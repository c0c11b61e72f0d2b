/**
 * A rule's match as proxyless gRPC clients understand it. A client refuses a whole route table for a path match that it does not know, and takes
 * no notice of some others: so what a gRPC call can never be, or never show, is decided here.
 *
 * In: a match. Out: the alternatives that stand for it; none for a match that no gRPC call meets. What always holds: a call's path is
 * `/package.Service/Method`, its method is POST, and it has no query.
 * https://github.com/grpc/proposal/blob/master/A28-xds-traffic-splitting-and-routing.md
 */

import type { NamedMatch, PathMatch, RouteMatch } from '../../model/rule.ts';
import type { Plain } from '../proto/encode.ts';
import { matchAll } from '../route-match.ts';

export function grpcMatches(match: RouteMatch | undefined): readonly Plain[] {
  if (match === undefined) return [matchAll];
  const { path, method, headers, queryParams } = match;
  if ((method !== undefined && method !== 'POST') || queryParams.length > 0) return [];
  if (headers.some((header) => isHidden(header.name) && !holdsUnseen(header))) return [];
  const seen = seenAlternatives(headers.filter(({ name }) => !isHidden(name)));
  return pathMatches(path).flatMap((each) =>
    seen.map((alternative) => (alternative.length === 0 ? each : { ...each, headers: alternative })),
  );
}

/** So many headers whose value must be another can be asked for in one match. */
const maxNegated = 4;

/** To gRPC a header that is not there fails every match but one for its absence: that its value is another is said in two ways. */
function seenAlternatives(headers: readonly NamedMatch[]): readonly (readonly Plain[])[] {
  const isNegated = ({ not, match }: NamedMatch): boolean => not === true && match.kind !== 'present';
  if (headers.filter(isNegated).length > maxNegated) return [];
  return headers.reduce<readonly (readonly Plain[])[]>(
    (alternatives, header) => {
      const ways = isNegated(header)
        ? [{ name: header.name.toLowerCase(), present_match: true, invert_match: true }, headerMatch(header)]
        : [headerMatch(header)];
      return alternatives.flatMap((before) => ways.map((way) => [...before, way]));
    },
    [[]],
  );
}

/** Headers that a gRPC client sends and does not look at: its authority, and what is binary. */
export function isHidden(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'host' || lower.startsWith(':') || lower.endsWith('-bin');
}

/** Every call has an authority; of what is binary, clients know nothing. */
function holdsUnseen({ name, match }: NamedMatch): boolean {
  return match.kind === 'present' && match.present !== name.toLowerCase().endsWith('-bin');
}

/** A prefix is one of whole path elements; no path of a call ends with its service. */
function pathMatches(path: PathMatch | undefined): readonly Plain[] {
  if (path === undefined) return [matchAll];
  if (path.ignoreCase === true && path.kind !== 'regex') {
    const { ignoreCase: _, ...plain } = path;
    return pathMatches(plain).map((each) => ({ ...each, case_sensitive: false }));
  }
  if (path.kind === 'start') return [{ prefix: path.value }];
  if (path.kind === 'exact') return [{ path: path.value }];
  if (path.kind === 'regex') return [{ safe_regex: wholeRegex(path.value) }];
  const prefix = path.value.replace(/\/+$/, '');
  if (prefix === '') return [matchAll];
  const below = { prefix: `${prefix}/` };
  return prefix.lastIndexOf('/') === 0 ? [below] : [{ path: prefix }, below];
}

function headerMatch({ not, ...header }: NamedMatch): Plain {
  const matched = heldMatch(header);
  return not === true ? { ...matched, invert_match: matched['invert_match'] !== true } : matched;
}

function heldMatch({ name, match }: Omit<NamedMatch, 'not'>): Plain {
  const lower = name.toLowerCase();
  if (match.kind === 'present')
    return { name: lower, present_match: true, ...(match.present ? {} : { invert_match: true }) };
  if (match.kind === 'prefix' && match.value === '') return { name: lower, present_match: true };
  if (match.kind === 'regex') return { name: lower, string_match: { safe_regex: wholeRegex(match.value) } };
  return { name: lower, string_match: { [match.kind]: match.value } };
}

/** gRPC for Node puts `^` and `$` around it as it stands, which would take an alternative apart. */
function wholeRegex(regex: string): Plain {
  return { regex: `(?:${regex})` };
}
