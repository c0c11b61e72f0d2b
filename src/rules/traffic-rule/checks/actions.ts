/** What the schema of a route's actions cannot say (redirect, rewrite, mirrors, faults, CORS, limits). The counterparts of its CEL rules. */

import { durationMs } from '../../objects/duration.ts';
import type { Findings, Path } from '../../objects/findings.ts';
import type { Sound } from '../../objects/structure.ts';
import { percentStep } from '../schema/fault.ts';
import { maxRateIntervalMs, minRateIntervalMs } from '../schema/rate-limit.ts';
import { maxBodyBytes } from '../schema/redirect.ts';
import { needBackends } from '../schema/route.ts';
import type { RawRoute } from '../schema/spec.ts';

type Given<K extends keyof RawRoute> = Sound<NonNullable<RawRoute[K]>>;

export function checkActions(route: Sound<RawRoute>, path: Path, findings: Findings): void {
  checkAnswer(route, path, findings);
  checkRedirect(route.redirect, route, [...path, 'redirect'], findings);
  checkRewrite(route.rewrite, route, [...path, 'rewrite'], findings);
  checkBody(route.respond?.body, [...path, 'respond', 'body'], findings);
  for (const [i, mirror] of (route.mirrors ?? []).entries())
    checkPercent(mirror?.percent, [...path, 'mirrors', i, 'percent'], findings);
  checkFault(route.fault, [...path, 'fault'], findings);
  checkCors(route.cors, [...path, 'cors'], findings);
  checkInterval(route.rateLimit?.per, [...path, 'rateLimit', 'per'], findings);
  checkBackoff(route.retry?.backoff, [...path, 'retry', 'backoff'], findings);
}

const answers = ['backends', 'redirect', 'respond'] as const;

/** A field of the wrong type counts as given here: that it is wrong has been said already. */
function checkAnswer(route: Sound<RawRoute>, path: Path, findings: Findings): void {
  const given = answers.filter((name) => Object.hasOwn(route, name));
  if (given.length !== 1) {
    const has = given.length === 0 ? 'none' : given.join(' and ');
    const hint = given.length === 0 ? 'Add backends: where the requests go' : `Keep one of ${given.join(', ')}`;
    findings.error('FW-RULE-061', path, `must have exactly one of ${answers.join(', ')}; it has ${has}`, hint);
  }
  if (given.length === 0 || given.includes('backends')) return;
  for (const name of needBackends) {
    if (!Object.hasOwn(route, name)) continue;
    const message = `${name} is for requests that are sent on: with ${given.join(' and ')} the proxy answers by itself`;
    findings.error('FW-RULE-062', [...path, name], message, `Remove ${name}`);
  }
}

function checkRedirect(
  redirect: Given<'redirect'> | undefined,
  route: Sound<RawRoute>,
  path: Path,
  findings: Findings,
): void {
  if (redirect === undefined) return;
  checkSome(redirect, ['scheme', 'hostname', 'port', 'path'], 'FW-RULE-066', path, findings);
  checkPathChange(redirect.path, route, [...path, 'path'], findings);
}

function checkRewrite(
  rewrite: Given<'rewrite'> | undefined,
  route: Sound<RawRoute>,
  path: Path,
  findings: Findings,
): void {
  if (rewrite === undefined) return;
  checkSome(rewrite, ['hostname', 'path'], 'FW-RULE-066', path, findings);
  checkPathChange(rewrite.path, route, [...path, 'path'], findings);
}

function checkSome(
  value: object,
  names: readonly string[],
  code: 'FW-RULE-066' | 'FW-RULE-070',
  path: Path,
  findings: Findings,
): void {
  if (names.some((name) => Object.hasOwn(value, name))) return;
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
  findings.error(code, path, `must have at least one of ${list}; it has none`, `Add one of ${names.join(', ')}`);
}

function checkEither(
  value: object,
  [a, b]: readonly [string, string],
  code: 'FW-RULE-071',
  path: Path,
  findings: Findings,
): void {
  const hasBoth = Object.hasOwn(value, a) && Object.hasOwn(value, b);
  if (!hasBoth && (Object.hasOwn(value, a) || Object.hasOwn(value, b))) return;
  const message = `must have exactly one of ${a} and ${b}; it has ${hasBoth ? 'both' : 'none'}`;
  findings.error(code, path, message, hasBoth ? `Keep one of ${a}, ${b}` : `Add one of ${a}, ${b}`);
}

function checkPathChange(
  change: Given<'rewrite'>['path'],
  route: Sound<RawRoute>,
  path: Path,
  findings: Findings,
): void {
  if (change === undefined) return;
  const ways = ['full', 'prefix', 'regex'];
  const given = ways.filter((way) => Object.hasOwn(change, way));
  if (given.length !== 1) {
    const message = `must have exactly one of ${ways.join(', ')}; it has ${given.length === 0 ? 'none' : given.join(' and ')}`;
    findings.error(
      'FW-RULE-067',
      path,
      message,
      `${given.length === 0 ? 'Add' : 'Keep'} one of ${(given.length === 0 ? ways : given).join(', ')}`,
    );
  }
  if (change.prefix === undefined) return;
  const index = (route.matches ?? []).findIndex((match) => {
    const matched = match?.path;
    return matched !== undefined && !Object.hasOwn(matched, 'prefix') && !Object.hasOwn(matched, 'startsWith');
  });
  if (index < 0) return;
  const message = `needs matches by path.prefix or path.startsWith alone: matches[${index}] has no prefix that could be replaced`;
  const hint = 'Match by path.prefix, put the other matches into a route of their own, or use full';
  findings.error('FW-RULE-068', [...path, 'prefix'], message, hint);
}

function checkBody(body: string | undefined, path: Path, findings: Findings): void {
  // What has too many characters is refused by the schema.
  if (body === undefined || body.length > maxBodyBytes) return;
  const bytes = Buffer.byteLength(body);
  if (bytes > maxBodyBytes)
    findings.error('FW-RULE-082', path, `must have at most ${maxBodyBytes} bytes; it has ${bytes}`, 'Shorten it');
}

function checkPercent(percent: number | undefined, path: Path, findings: Findings): void {
  if (percent === undefined || percent < 0 || percent > 100) return;
  const steps = percent / percentStep;
  // What a double cannot say exactly is no step of its own.
  if (Math.abs(steps - Math.round(steps)) < 1e-6) return;
  const message = `must be from 0 to 100, in steps of ${percentStep}; it is ${percent}`;
  findings.error('FW-RULE-069', path, message, `Round it, to ${Math.round(steps) / 10_000} for instance`);
}

function checkFault(fault: Given<'fault'> | undefined, path: Path, findings: Findings): void {
  if (fault === undefined) return;
  checkSome(fault, ['delay', 'abort'], 'FW-RULE-070', path, findings);
  checkPercent(fault.delay?.percent, [...path, 'delay', 'percent'], findings);
  checkPositive(fault.delay?.duration, [...path, 'delay', 'duration'], findings);
  if (fault.abort === undefined) return;
  checkPercent(fault.abort.percent, [...path, 'abort', 'percent'], findings);
  checkEither(fault.abort, ['status', 'grpcStatus'], 'FW-RULE-071', [...path, 'abort'], findings);
}

function checkCors(cors: Given<'cors'> | undefined, path: Path, findings: Findings): void {
  if (cors?.allowCredentials !== true) return;
  for (const name of ['allowOrigins', 'allowMethods', 'allowHeaders', 'exposeHeaders'] as const) {
    if (cors[name]?.includes('*') !== true) continue;
    const message = `must not have "*" in ${name} together with allowCredentials`;
    findings.error('FW-RULE-078', [...path, name], message, 'List what is allowed, or remove allowCredentials');
  }
}

function checkInterval(per: string | undefined, path: Path, findings: Findings): void {
  const ms = per === undefined ? undefined : durationMs(per);
  if (ms === undefined || (ms >= minRateIntervalMs && ms <= maxRateIntervalMs)) return;
  findings.error('FW-RULE-081', path, `per must be from 50ms to 24h; it is ${per}`, 'Give an interval within these');
}

function checkBackoff(
  backoff: NonNullable<Given<'retry'>['backoff']> | undefined,
  path: Path,
  findings: Findings,
): void {
  if (backoff === undefined) return;
  checkPositive(backoff.base, [...path, 'base'], findings);
  const base = backoff.base === undefined ? undefined : durationMs(backoff.base);
  const max = backoff.max === undefined ? undefined : durationMs(backoff.max);
  if (base === undefined || max === undefined || max >= base) return;
  const message = `max must not be shorter than base; it is ${backoff.max}, and base is ${backoff.base}`;
  findings.error('FW-RULE-075', [...path, 'max'], message, `Give at least ${backoff.base}`);
}

function checkPositive(text: string | undefined, path: Path, findings: Findings): void {
  if (text === undefined || durationMs(text) !== 0) return;
  findings.error(
    'FW-RULE-074',
    path,
    `must be longer than 0s; it is ${text}`,
    'Give a longer one, or remove the field',
  );
}
