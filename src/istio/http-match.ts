/**
 * One alternative of an HTTP route's matches as a TrafficRule writes it. In: its parts. Out: the match, its port, and how its path is matched
 * (which decides what a rewrite means); undefined where it can never be met in the mesh. A condition that cannot be said is noted as an error.
 */

import { holdsUnwritable } from '../rules/traffic-rule/request-path.ts';
import { maxRegexLength } from '../rules/traffic-rule/schema/match.ts';
import type { RawMatch } from '../rules/traffic-rule/schema/spec.ts';
import type { MatchParts } from './match-parts.ts';
import { unwritable } from './new-path.ts';
import type { Notes } from './notes.ts';
import { booleanOf, itemsOf, numberOf, type Part, textOf } from './parts.ts';
import { textMatchOf } from './values.ts';

export interface TranslatedMatch {
  readonly match: RawMatch;
  readonly port?: number;
  /** `start`: characters of the path, all of them where it has no condition. */
  readonly path: 'start' | 'exact' | 'regex';
}

type RawPath = NonNullable<RawMatch['path']>;
type RawHeader = NonNullable<RawMatch['headers']>[number];
type RawQueryParam = NonNullable<RawMatch['queryParams']>[number];

/** Several where a condition needs several: a method that is one of two. */
export function translatedMatches(parts: MatchParts, notes: Notes): readonly TranslatedMatch[] {
  const { fields, maps } = parts;
  if (!isForMesh(fields.get('gateways'), notes) || !isHttp(fields.get('scheme'), notes)) return [];
  const path = pathOf(fields.get('uri'), fields.get('ignoreUriCase'), notes);
  const methods = methodsOf(fields.get('method'), notes);
  const headers = [
    ...authorityOf(fields.get('authority'), notes),
    ...[...maps.headers].flatMap(([name, part]) => headerOf(name, part, false, notes)),
    ...[...maps.withoutHeaders].flatMap(([name, part]) => headerOf(name, part, true, notes)),
  ];
  const queryParams = [...maps.queryParams].flatMap(([name, part]) => queryParamOf(name, part, notes));
  const source = sourceOf(fields.get('sourceNamespace'), maps.sourceLabels, notes);
  const port = numberOf(fields.get('port'), notes);
  return methods.map((method) => ({
    match: {
      ...(source === undefined ? {} : { source }),
      ...(path === undefined ? {} : { path }),
      ...(method === undefined ? {} : { method }),
      ...(headers.length === 0 ? {} : { headers }),
      ...(queryParams.length === 0 ? {} : { queryParams }),
    },
    ...(port === undefined || port === 0 ? {} : { port }),
    path: path?.regex === undefined ? (path?.exact === undefined ? 'start' : 'exact') : 'regex',
  }));
}

/** A list of gateways without `mesh` is for others alone. */
export function isForMesh(gateways: Part | undefined, notes: Notes): boolean {
  const names = itemsOf(gateways);
  const others = names.filter(({ value }) => value !== 'mesh');
  for (const part of others) {
    notes.warn('FW-ISTIO-007', part, `what is for the gateway ${String(part.value)} is left out`);
  }
  return gateways === undefined || names.length === 0 || others.length < names.length;
}

/** Between workload and sidecar nothing is encrypted: the scheme is http. */
function isHttp(scheme: Part | undefined, notes: Notes): boolean {
  const match = textMatchOf(scheme, notes);
  if (scheme === undefined || match === undefined || match.kind === 'present') return true;
  const holds =
    match.kind === 'exact'
      ? match.value === 'http'
      : match.kind === 'prefix'
        ? 'http'.startsWith(match.value)
        : /^[a-z?()|]+$/.test(match.value) && new RegExp(`^(?:${match.value})$`).test('http');
  if (!holds)
    notes.warn('FW-ISTIO-004', scheme, 'requests in the mesh are http: the match is left out, for it never holds');
  return holds;
}

export function sourceOf(
  namespace: Part | undefined,
  labels: ReadonlyMap<string, Part>,
  notes: Notes,
): RawMatch['source'] {
  const name = textOf(namespace, notes);
  const entries = [...labels].map(([key, part]) => [key, textOf(part, notes) ?? ''] as const);
  if (name === undefined && entries.length === 0) return undefined;
  return {
    ...(name === undefined ? {} : { namespace: name }),
    ...(entries.length === 0 ? {} : { labels: Object.fromEntries(entries) }),
  };
}

/** Istio's prefix is one of characters: `/api` matches `/apix`. */
function pathOf(uri: Part | undefined, ignoreUriCase: Part | undefined, notes: Notes): RawPath | undefined {
  const match = textMatchOf(uri, notes);
  if (uri === undefined || match === undefined || match.kind === 'present') return undefined;
  if (match.kind === 'regex') {
    return match.value.length > maxRegexLength ? tooLong(uri, notes) : { regex: match.value };
  }
  const isPlain = /^\/[^?#]*$/.test(match.value) && !match.value.includes('//');
  if (!isPlain) {
    const message = `no request has a path that ${match.kind === 'exact' ? 'is' : 'begins with'} ${JSON.stringify(match.value)}: paths begin with one "/", and the query is no part of them`;
    notes.error('FW-ISTIO-005', uri, message, 'Match the path without the query, and the query with queryParams');
    return undefined;
  }
  if (holdsUnwritable(match.value)) {
    notes.error('FW-ISTIO-005', uri, ...unwritable(match.value));
    return undefined;
  }
  const way = booleanOf(ignoreUriCase, notes) === true ? { ignoreCase: true } : {};
  if (match.kind === 'exact') return { exact: match.value, ...way };
  return match.value === '/' ? undefined : { startsWith: match.value, ...way };
}

function tooLong(at: Part, notes: Notes): undefined {
  const hint = 'Shorten it, or split it into several matches';
  notes.error('FW-ISTIO-005', at, `the regular expression has more than ${maxRegexLength} characters`, hint);
  return undefined;
}

/** A rule names one method: `GET|POST` becomes two matches. */
function methodsOf(method: Part | undefined, notes: Notes): readonly (string | undefined)[] {
  const match = textMatchOf(method, notes);
  if (method === undefined || match === undefined || match.kind === 'present') return [undefined];
  if (match.kind === 'exact') return [match.value];
  const [, words] = match.kind === 'regex' ? (/^\^?\(?([A-Z]+(?:\|[A-Z]+)*)\)?\$?$/.exec(match.value) ?? []) : [];
  if (words !== undefined) return words.split('|');
  notes.error('FW-ISTIO-005', method, 'a method can be matched by its name alone', 'Write a match for each method');
  return [undefined];
}

function authorityOf(authority: Part | undefined, notes: Notes): readonly RawHeader[] {
  return authority === undefined ? [] : headerOf('host', authority, false, notes);
}

function headerOf(name: string, part: Part, isWithout: boolean, notes: Notes): readonly RawHeader[] {
  const own = ([':authority', 'Host'].includes(name) ? 'host' : name).toLowerCase();
  if (own.startsWith(':') || own.startsWith('@')) {
    notes.error('FW-ISTIO-005', part, `${name} cannot be matched as a header`, 'Use uri, method and authority');
    return [];
  }
  const match = textMatchOf(part.value === null ? { ...part, value: {} } : part, notes);
  if (match === undefined) return [];
  if (match.kind === 'present') return [{ name: own, present: !isWithout }];
  if (match.kind === 'regex' && match.value.length > maxRegexLength) return tooLong(part, notes) ?? [];
  const way = match.kind === 'exact' ? { value: match.value } : { [match.kind]: match.value };
  return [{ name: own, ...way, ...(isWithout ? { not: true } : {}) }];
}

function queryParamOf(name: string, part: Part, notes: Notes): readonly RawQueryParam[] {
  const match = textMatchOf(part.value === null ? { ...part, value: {} } : part, notes);
  if (match === undefined) return [];
  if (match.kind === 'present') return [{ name, regex: '.*' }];
  if (match.kind === 'regex' && match.value.length > maxRegexLength) return tooLong(part, notes) ?? [];
  return [{ name, ...(match.kind === 'exact' ? { value: match.value } : { [match.kind]: match.value }) }];
}

/** The same match, for clients of a namespace alone; undefined where it is for those of another. */
export function matchFrom(match: RawMatch, namespace: string): RawMatch | undefined {
  const own = match.source?.namespace;
  if (own !== undefined && own !== namespace) return undefined;
  return { ...match, source: { ...match.source, namespace } };
}

/** Whether it asks for nothing of a request, so that it would hold for connections too. */
export function takesAll({ path, method, headers = [], queryParams = [] }: RawMatch): boolean {
  const anyPath = path === undefined || path.startsWith === '/' || path.prefix === '/';
  return anyPath && method === undefined && headers.length === 0 && queryParams.length === 0;
}

/** A prefix that is replaced must be named, also where it is `/`. */
export function withStart(match: RawMatch): RawMatch {
  return match.path === undefined ? { ...match, path: { startsWith: '/' } } : match;
}
