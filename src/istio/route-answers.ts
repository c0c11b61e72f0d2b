/** What the proxy answers by itself, as a TrafficRule writes it: redirects and direct responses. */

import { maxBodyBytes, redirectStatusCodes } from '../rules/traffic-rule/schema/redirect.ts';
import type { RawRoute } from '../rules/traffic-rule/schema/spec.ts';
import { newPathOf } from './new-path.ts';
import type { Notes } from './notes.ts';
import { child, numberOf, type Part, textOf } from './parts.ts';

type RawRedirect = NonNullable<RawRoute['redirect']>;
type RawRespond = NonNullable<RawRoute['respond']>;

/** Undefined where nothing of it can be said; then an error is noted. */
export function redirectOf(part: Part, notes: Notes): RawRedirect | undefined {
  const scheme = textOf(child(part, 'scheme'), notes);
  const target = authorityOf(child(part, 'authority'), notes);
  const path = redirectPath(part, notes);
  const port = portOf(part, scheme, notes) ?? target?.port;
  const statusCode = codeOf(child(part, 'redirectCode'), notes);
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    notes.error('FW-ISTIO-005', part, `a redirect leads to http or https, not to ${JSON.stringify(scheme)}`);
    return undefined;
  }
  if (statusCode === undefined) return undefined;
  const redirect: RawRedirect = {
    ...(scheme === undefined ? {} : { scheme }),
    ...(target === undefined ? {} : { hostname: target.hostname }),
    ...(port === undefined ? {} : { port }),
    ...(path === undefined ? {} : { path }),
    statusCode,
  };
  if (Object.keys(redirect).length > 1) return redirect;
  notes.error('FW-ISTIO-005', part, 'the redirect leads nowhere else', 'Say uri, authority, port or scheme');
  return undefined;
}

function authorityOf(
  part: Part | undefined,
  notes: Notes,
): { readonly hostname: string; readonly port?: number } | undefined {
  const text = textOf(part, notes)?.toLowerCase();
  if (text === undefined) return undefined;
  const [, hostname = text, port] = /^([^:]+):([0-9]{1,5})$/.exec(text) ?? [];
  return { hostname, ...(port === undefined ? {} : { port: Number(port) }) };
}

function redirectPath(part: Part, notes: Notes): RawRedirect['path'] | undefined {
  const prefix = newPathOf(part, 'prefixRewrite', notes);
  if (prefix !== undefined) return { prefix };
  const uri = newPathOf(part, 'uri', notes);
  return uri === undefined ? undefined : { full: uri };
}

function portOf(part: Part, scheme: string | undefined, notes: Notes): number | undefined {
  const derive = child(part, 'derivePort');
  if (textOf(derive, notes) === 'FROM_REQUEST_PORT' && derive !== undefined) {
    const message = 'has no equal here: with a new host the port goes, without one it stays';
    notes.warn('FW-ISTIO-004', derive, message, 'Name the port');
  }
  const port = numberOf(child(part, 'port'), notes);
  // As in Istio, the usual port of the scheme is not written.
  const usual = scheme === 'https' ? 443 : 80;
  return port === undefined || port === 0 || port === usual ? undefined : port;
}

function codeOf(part: Part | undefined, notes: Notes): RawRedirect['statusCode'] | undefined {
  const code = numberOf(part, notes);
  if (part === undefined || code === undefined || code === 0) return 301;
  const known = redirectStatusCodes.find((each) => each === code);
  if (known === undefined) {
    notes.error(
      'FW-ISTIO-005',
      part,
      `${code} is no status code of a redirect`,
      `Use one of ${redirectStatusCodes.join(', ')}`,
    );
  }
  return known;
}

export function respondOf(part: Part, notes: Notes): RawRespond | undefined {
  const status = numberOf(child(part, 'status'), notes);
  const body = child(part, 'body');
  const text = textOf(child(body, 'string'), notes) ?? bytesOf(child(body, 'bytes'), notes);
  if (status === undefined) {
    notes.error('FW-ISTIO-003', part, 'must have a status');
    return undefined;
  }
  if (text !== undefined && Buffer.byteLength(text) > maxBodyBytes) {
    notes.error(
      'FW-ISTIO-005',
      part,
      `the body has more than ${maxBodyBytes} bytes`,
      'Shorten it, or let a service answer',
    );
    return undefined;
  }
  return { status, ...(text === undefined ? {} : { body: text }) };
}

function bytesOf(part: Part | undefined, notes: Notes): string | undefined {
  const base64 = textOf(part, notes);
  if (part === undefined || base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  notes.error('FW-ISTIO-005', part, 'the body is no text', 'Let a service answer with it');
  return undefined;
}
