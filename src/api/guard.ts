/**
 * Who may speak to the admin API. A request's address and headers go in; nothing, or an HttpError, comes out.
 *
 * What always holds: on loopback only a Host header that names loopback is answered, so that a web page cannot reach it by pointing its own
 * name at 127.0.0.1 (DNS rebinding); a request that changes something never comes from another web site; and where a token is set, all but
 * the bare health answers need it.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { FairwayError } from '../core/errors.ts';
import { HttpError } from './http-error.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True for `localhost`, 127.0.0.0/8 and ::1 (without brackets); names that would have to be resolved are not trusted to be loopback. */
export function isLoopbackHost(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost';
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Refuses an admin API that others could reach and nobody need sign in to.
 * @throws FairwayError FW-API-001
 */
export function requireCredentialBeyondLoopback(host: string, hasToken: boolean): void {
  if (hasToken || isLoopbackHost(host)) return;
  throw new FairwayError({
    code: 'FW-API-001',
    message: `the admin API would listen on ${host === '' ? 'every address' : host} without a credential`,
    where: {},
    hint: 'Listen on a loopback address such as 127.0.0.1:15014, or give a bearer token with --admin-token-file',
  });
}

/** The host of a Host or Origin value, without port and brackets, in lower case; undefined when it is none. */
function hostOf(authority: string): string | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+))(?::\d{1,5})?$/.exec(authority);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** @throws HttpError 421 FW-API-003 */
export function checkHost(hostHeader: string | undefined): void {
  const host = hostHeader === undefined ? undefined : hostOf(hostHeader);
  if (host !== undefined && isLoopbackHost(host)) return;
  throw new HttpError(
    421,
    'FW-API-003',
    `the Host header ${JSON.stringify(hostHeader ?? '')} does not name this machine`,
    'Call the admin API as localhost or by its loopback address',
  );
}

export interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}

/** For requests that change something. @throws HttpError 403 FW-API-004 */
export function checkSameOrigin(headers: OriginHeaders): void {
  const site = headers['sec-fetch-site'];
  const siteIsGood = site === undefined || site === 'same-origin' || site === 'none';
  const originIsGood = headers.origin === undefined || originAuthority(headers.origin) === headers.host?.toLowerCase();
  if (siteIsGood && originIsGood) return;
  throw new HttpError(
    403,
    'FW-API-004',
    'a web page of another site may not change anything here',
    'Use the fairway command, or a page that the admin API itself serves',
  );
}

function originAuthority(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}

/** @throws HttpError 401 FW-API-005 */
export function checkToken(authorization: string | undefined, token: string): void {
  const given = /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
  if (given !== undefined && timingSafeEqual(digest(given), digest(token))) return;
  throw new HttpError(
    401,
    'FW-API-005',
    given === undefined ? 'a bearer token is needed' : 'the bearer token is not the right one',
    'Send the token of --admin-token-file, as FAIRWAY_ADMIN_TOKEN or --admin-token-file of the fairway command',
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
