/**
 * What a valid route does with a request besides choosing backends, with the defaults applied. What is left out has no key, so that equal
 * content has an equal hash.
 */

import { defaultMeshSettings } from '../../../model/mesh.ts';
import type {
  Cors,
  Fault,
  LocalRateLimit,
  Mirror,
  PathChange,
  Redirect,
  Rewrite,
} from '../../../model/route-filters.ts';
import {
  type OtherService,
  type RouteRetry,
  type RuleRoute,
  type StringMatch,
  toDestination,
} from '../../../model/rule.ts';
import { durationMs } from '../../objects/duration.ts';
import type { Findings, Path } from '../../objects/findings.ts';
import type { RawBackend, RawRoute } from '../schema/spec.ts';

type Given<K extends keyof RawRoute> = NonNullable<RawRoute[K]>;

export type RouteActions = Pick<
  RuleRoute,
  'redirect' | 'respond' | 'rewrite' | 'mirrors' | 'fault' | 'cors' | 'rateLimit' | 'idleTimeoutMs' | 'maxStreamMs'
>;

/** `path`: the route's, for warnings. */
export function buildActions(route: RawRoute, own: ServiceName, findings: Findings, path: Path): RouteActions {
  const idle = limitMs(route.timeouts?.idle);
  const stream = limitMs(route.timeouts?.stream);
  if (route.cors !== undefined) warnOfPreflights(route, findings, path);
  return {
    ...(route.redirect === undefined ? {} : { redirect: buildRedirect(route.redirect) }),
    ...(route.respond === undefined
      ? {}
      : { respond: { status: route.respond.status, body: route.respond.body ?? '' } }),
    ...(route.rewrite === undefined ? {} : { rewrite: buildRewrite(route.rewrite) }),
    ...(route.mirrors === undefined || route.mirrors.length === 0
      ? {}
      : { mirrors: route.mirrors.map((mirror) => buildMirror(own, mirror)) }),
    ...(route.fault === undefined ? {} : { fault: buildFault(route.fault) }),
    ...(route.cors === undefined ? {} : { cors: buildCors(route.cors) }),
    ...(route.rateLimit === undefined ? {} : { rateLimit: buildRateLimit(route.rateLimit) }),
    ...(idle === undefined ? {} : { idleTimeoutMs: idle }),
    ...(stream === undefined ? {} : { maxStreamMs: stream }),
  };
}

/** 0 says "no limit", as in Gateway API. */
export function limitMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : durationMs(text);
  return ms === 0 ? undefined : ms;
}

export function buildRetry(retry: NonNullable<RawRoute['retry']>): RouteRetry {
  const given = retry.on ?? retry.true ?? defaultMeshSettings.defaultRetry.on;
  const isCode = (item: string): boolean => /^[0-9]{3}$/.test(item);
  return {
    attempts: retry.attempts,
    on: given.filter((item) => !isCode(item)).sort(),
    statusCodes: given
      .filter(isCode)
      .map(Number)
      .sort((a, b) => a - b),
    ...(retry.backoff === undefined ? {} : { backoff: buildBackoff(retry.backoff) }),
    ...(retry.otherHostFirst === undefined ? {} : { otherHostFirst: retry.otherHostFirst }),
  };
}

function buildBackoff({ base, max }: NonNullable<Given<'retry'>['backoff']>): NonNullable<RouteRetry['backoff']> {
  const baseMs = durationMs(base) ?? 0;
  return { baseMs, maxMs: max === undefined ? 10 * baseMs : (durationMs(max) ?? baseMs) };
}

function buildPathChange(path: NonNullable<Given<'rewrite'>['path']>): PathChange {
  if (path.full !== undefined) return { kind: 'full', value: path.full };
  if (path.regex !== undefined) return { kind: 'regex', regex: path.regex.match, value: path.regex.substitution };
  return { kind: 'prefix', value: path.prefix ?? '/' };
}

function buildRedirect({ scheme, hostname, port, path, statusCode = 302 }: Given<'redirect'>): Redirect {
  return {
    ...(scheme === undefined ? {} : { scheme }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(port === undefined ? {} : { port }),
    ...(path === undefined ? {} : { path: buildPathChange(path) }),
    statusCode,
  };
}

function buildRewrite({ hostname, path }: Given<'rewrite'>): Rewrite {
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ...(path === undefined ? {} : { path: buildPathChange(path) }),
  };
}

function buildMirror(own: ServiceName, { percent = 100, ...mirror }: Given<'mirrors'>[number]): Mirror {
  const service = otherService(own, mirror);
  return { destination: toDestination(mirror), ...(service === undefined ? {} : { service }), percent };
}

/** The rule's own service. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** Undefined for the rule's own service at the port that was asked for. */
export function otherService(
  own: ServiceName,
  { service, namespace, port }: Partial<Pick<RawBackend, 'service' | 'namespace' | 'port'>>,
): OtherService | undefined {
  const other = { namespace: namespace ?? own.namespace, name: service ?? own.name };
  if (port === undefined && other.namespace === own.namespace && other.name === own.name) return undefined;
  return { ...other, ...(port === undefined ? {} : { port }) };
}

function buildFault({ delay, abort }: Given<'fault'>): Fault {
  return {
    ...(delay === undefined ? {} : { delay: { percent: delay.percent, durationMs: durationMs(delay.duration) ?? 0 } }),
    ...(abort === undefined ? {} : { abort: buildAbort(abort) }),
  };
}

function buildAbort({
  percent,
  status,
  grpcStatus,
}: NonNullable<Given<'fault'>['abort']>): NonNullable<Fault['abort']> {
  return grpcStatus === undefined ? { percent, status: status ?? 500 } : { percent, grpcStatus };
}

function buildCors(cors: Given<'cors'>): Cors {
  const maxAge = cors.maxAge === undefined ? undefined : durationMs(cors.maxAge);
  return {
    allowOrigins: cors.allowOrigins.map(buildOrigin),
    allowMethods: cors.allowMethods ?? [],
    allowHeaders: cors.allowHeaders ?? [],
    exposeHeaders: cors.exposeHeaders ?? [],
    ...(maxAge === undefined ? {} : { maxAgeMs: maxAge }),
    allowCredentials: cors.allowCredentials ?? false,
  };
}

/** `https://*.example.com` stands for hosts of one label more, or of several; never for `example.com` itself. */
function buildOrigin(origin: string): StringMatch {
  if (origin === '*') return { kind: 'regex', value: '.*' };
  const [scheme = '', host = ''] = origin.split('://*.');
  if (host === '') return { kind: 'exact', value: origin };
  return { kind: 'regex', value: `${quote(scheme)}://[a-z0-9.-]+\\.${quote(host)}` };
}

/** The text itself, as a regular expression. */
function quote(text: string): string {
  return text.replaceAll(/[.+]/g, '\\$&');
}

function buildRateLimit({ requests, per, burst = requests }: Given<'rateLimit'>): LocalRateLimit {
  return { requests, intervalMs: durationMs(per) ?? 1000, burst };
}

function warnOfPreflights({ matches = [] }: RawRoute, findings: Findings, path: Path): void {
  if (matches.length === 0 || matches.some(({ method = 'OPTIONS' }) => method === 'OPTIONS')) return;
  const message = 'cors has no effect on preflights: they are OPTIONS requests, and no match of the route takes those';
  findings.warn('FW-RULE-079', [...path, 'cors'], message, 'Add a match with method: OPTIONS');
}
