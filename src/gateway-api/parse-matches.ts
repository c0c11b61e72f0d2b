/**
 * Which requests and calls a rule is for, in the model's words, and the checks of it that a schema cannot say.
 */

import type { NamedMatch, StringMatch } from '../model/rule.ts';
import { type Findings, formatPath, type Path } from '../rules/objects/findings.ts';
import type { Sound } from '../rules/objects/structure.ts';
import { judgeRegex, maxRegexStepsPerRule, type RegexBudget } from '../rules/traffic-rule/regex.ts';
import { holdsUnwritable, percentEncoded } from '../rules/traffic-rule/request-path.ts';
import type { GatewayCode } from './codes.ts';
import { checkDistinct, type RouteFindings } from './parse-references.ts';
import type { Unsupported, WeighedMatch } from './route.ts';
import type { RawGrpcRule, RawHttpRule } from './schema-routes.ts';

type HttpMatch = NonNullable<RawHttpRule['matches']>[number];
type GrpcMatch = NonNullable<RawGrpcRule['matches']>[number];
type Named = NonNullable<HttpMatch['headers']>[number];

const pathForm = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/;
const notInPaths = ['//', '/./', '/../', '%2f', '%2F', '#'] as const;

export function checkHttpMatch(match: Sound<HttpMatch> | undefined, path: Path, findings: RouteFindings): void {
  if (match === undefined) return;
  const { type = 'PathPrefix', value = '/' } = match.path ?? {};
  if (type !== 'RegularExpression') {
    const wrong = pathFault(value);
    if (wrong !== undefined)
      findings.error(
        'FW-GWAPI-003',
        [...path, 'path', 'value'],
        `the path ${wrong}; it is ${JSON.stringify(value)}`,
        holdsUnwritable(value) ? `Write it as requests do: ${percentEncoded(value)}` : 'Correct the path',
        [...path, 'path'],
      );
  }
  checkNames(match.headers, [...path, 'headers'], findings);
  checkNames(match.queryParams, [...path, 'queryParams'], findings);
}

function pathFault(value: string): string | undefined {
  if (!value.startsWith('/')) return 'must begin with "/"';
  const bad = notInPaths.find((part) => value.includes(part));
  if (bad !== undefined) return `must not hold ${JSON.stringify(bad)}`;
  if (value.endsWith('/..') || value.endsWith('/.')) return 'must not end in "/." or "/.."';
  return pathForm.test(value) ? undefined : 'must hold no characters that URLs write otherwise';
}

export function checkGrpcMatch(match: Sound<GrpcMatch> | undefined, path: Path, findings: RouteFindings): void {
  if (match === undefined) return;
  checkNames(match.headers, [...path, 'headers'], findings);
  const { method } = match;
  if (method === undefined) return;
  const at = [...path, 'method'];
  if (method.service === undefined && method.method === undefined)
    findings.error('FW-GWAPI-011', at, `${formatPath(at)} has neither service nor method`, 'Add one of them');
  if (method.type === 'RegularExpression') return;
  if (method.service !== undefined && !/^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/i.test(method.service))
    findings.error(
      'FW-GWAPI-011',
      [...at, 'service'],
      `${JSON.stringify(method.service)} is no gRPC service's name`,
      'Correct it',
    );
  if (method.method !== undefined && !/^[A-Za-z_][A-Za-z_0-9]*$/.test(method.method))
    findings.error(
      'FW-GWAPI-011',
      [...at, 'method'],
      `${JSON.stringify(method.method)} is no gRPC method's name`,
      'Correct it',
    );
}

function checkNames(
  list: readonly ({ readonly name?: string | undefined } | undefined)[] | undefined,
  path: Path,
  findings: RouteFindings,
): void {
  checkDistinct(
    list?.map((item) => item?.name),
    path,
    findings,
  );
}

/** Over all expressions of a route. */
export function regexBudget(): RegexBudget {
  return { left: maxRegexStepsPerRule };
}

/** Takes what is not supported of the matches that are built with it. */
export interface MatchSink {
  readonly findings: Findings<GatewayCode>;
  readonly budget: RegexBudget;
  readonly unsupported: Unsupported[];
}

export function buildHttpMatch(
  { path, method, headers, queryParams }: HttpMatch,
  at: Path,
  sink: MatchSink,
): WeighedMatch {
  const before = sink.unsupported.length;
  const stringMatch = pathMatch(path, [...at, 'path', 'value'], sink);
  const match = {
    ...(stringMatch === undefined ? {} : { path: stringMatch }),
    ...(method === undefined ? {} : { method }),
    headers: namedMatches(headers, [...at, 'headers'], true, sink),
    queryParams: namedMatches(queryParams, [...at, 'queryParams'], false, sink),
  };
  return { match, ...(sink.unsupported.length > before ? { isVoid: true } : {}) };
}

/** undefined: any path. */
function pathMatch(path: HttpMatch['path'], at: Path, sink: MatchSink): StringMatch | undefined {
  const { type = 'PathPrefix', value = '/' } = path ?? {};
  if (type === 'Exact') return { kind: 'exact', value };
  if (type === 'RegularExpression') return regex(value, at, sink);
  const prefix = value.replace(/\/+$/, '');
  return prefix === '' ? undefined : { kind: 'prefix', value: prefix };
}

function namedMatches(list: readonly Named[] | undefined, at: Path, isHeader: boolean, sink: MatchSink): NamedMatch[] {
  const byName = new Map<string, NamedMatch>();
  for (const [i, { name: given, type, value }] of (list ?? []).entries()) {
    const name = isHeader ? given.toLowerCase() : given;
    if (byName.has(name)) {
      const message = `${given} is the same header as one before it, which alone counts`;
      sink.findings.warn('FW-GWAPI-026', [...at, i, 'name'], message, 'Remove one of them');
      continue;
    }
    const match =
      type === 'RegularExpression' ? regex(value, [...at, i, 'value'], sink) : ({ kind: 'exact', value } as const);
    byName.set(name, { name, match });
  }
  return [...byName.values()];
}

function regex(value: string, path: Path, sink: MatchSink): StringMatch {
  const verdict = judgeRegex(value, sink.budget);
  if (verdict.kind === 'not-tried')
    sink.unsupported.push({ path, message: 'the expressions of the route are too large together' });
  else if (verdict.kind !== 'good')
    sink.unsupported.push({
      path,
      message: `the regular expression ${JSON.stringify(value)} is not taken: ${verdict.message}`,
    });
  return { kind: 'regex', value };
}

export function buildGrpcMatch({ method, headers }: GrpcMatch, at: Path, sink: MatchSink): WeighedMatch {
  const before = sink.unsupported.length;
  const path = methodPath(method, [...at, 'method'], sink);
  const match = {
    ...(path === undefined ? {} : { path }),
    headers: namedMatches(headers, [...at, 'headers'], true, sink),
    queryParams: [],
  };
  return {
    match,
    method: { service: method?.service?.length ?? 0, method: method?.method?.length ?? 0 },
    ...(sink.unsupported.length > before ? { isVoid: true } : {}),
  };
}

/** gRPC asks for `/service/method`. */
function methodPath(given: GrpcMatch['method'], at: Path, sink: MatchSink): StringMatch | undefined {
  const { type = 'Exact', service = '', method = '' } = given ?? {};
  if (service === '' && method === '') return undefined;
  if (type === 'RegularExpression')
    return regex(`/(?:${service === '' ? '[^/]+' : service})/(?:${method === '' ? '[^/]+' : method})`, at, sink);
  if (method === '') return { kind: 'prefix', value: `/${service}` };
  if (service === '') return { kind: 'regex', value: `/[^/]+/${method}` };
  return { kind: 'exact', value: `/${service}/${method}` };
}
