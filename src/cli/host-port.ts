/**
 * `HOST:PORT` as people write it: `127.0.0.1:15010`, `[::1]:15010`, `localhost:0`, `:15010` (every address). A bare IPv6 address needs its
 * brackets, since its last group could be the port.
 */

import { isIPv6 } from 'node:net';
import { usageError } from './failure.ts';

export interface HostPort {
  /** An IP address without brackets, or a name; '' means every address. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

const hostPattern = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/;

/** @throws FairwayError FW-CLI-003 when it is not a host and a port; `flag` names the option in the message. */
export function parseHostPort(text: string, flag: string): HostPort {
  const bracketed = /^\[([^\]]*)\]:(\d{1,5})$/.exec(text);
  const plain = /^([^:[\]]*):(\d{1,5})$/.exec(text);
  const host = bracketed?.[1] ?? plain?.[1];
  const port = Number(bracketed?.[2] ?? plain?.[2]);
  const hostIsGood = host !== undefined && (bracketed !== null ? isIPv6(host) : host === '' || hostPattern.test(host));
  if (!hostIsGood || port > 65_535) {
    const bare = isIPv6(text) || isIPv6(text.replace(/:\d+$/, ''));
    throw usageError({
      code: 'FW-CLI-003',
      message: `${flag} ${JSON.stringify(text)} is not HOST:PORT`,
      hint: bare
        ? 'Put an IPv6 address in brackets, as in [::1]:15010'
        : 'Give a host or address and a port from 0 to 65535, as in 127.0.0.1:15010, [::1]:15010 or :15010',
    });
  }
  return { host, port };
}

/** The form that `parseHostPort` reads. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
