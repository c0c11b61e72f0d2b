/**
 * `fairway endpoints HOST:PORT --as PROXY`: what that very proxy would use for a request to the host; with a path, a method or headers, the one
 * route that such a request takes. Exit code 1 where there is no such proxy.
 */

import { isIPv6 } from 'node:net';
import type { AskedRequest } from '../../model/inspection.ts';
import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type DataFormat, printData } from '../data-output.ts';
import { type ExitCode, exitCode, usageError } from '../failure.ts';
import { parseHostPort } from '../host-port.ts';
import { printRequestPath } from '../views/request-path.ts';

export interface EndpointsFlags extends AdminFlags {
  readonly as: string;
  readonly path?: string;
  readonly method?: string;
  readonly header?: readonly string[];
  readonly output?: DataFormat;
}

export async function runEndpoints(
  target: string,
  flags: EndpointsFlags,
  { env, terminal, clock }: CommandContext,
): Promise<ExitCode> {
  const { host, port } = readTarget(target);
  const path = await openAdminClient(flags, env).requestPath(flags.as, host, port, readAsked(flags));
  if (flags.output === undefined) printRequestPath(path, clock.now(), terminal);
  else printData(path, flags.output, terminal);
  return exitCode.ok;
}

function readAsked({ path, method, header }: EndpointsFlags): AskedRequest | undefined {
  if (path === undefined && method === undefined && header === undefined) return undefined;
  const headers = (header ?? []).map((text): readonly [string, string] => {
    const colon = text.indexOf(':');
    if (colon > 0) return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
    throw usageError({
      code: 'FW-CLI-098',
      message: `--header ${JSON.stringify(text)} has no name and value`,
      hint: "Write it as in --header 'x-group: beta'",
    });
  });
  return { method: method ?? 'GET', path: path ?? '/', headers };
}

function readTarget(text: string): { readonly host: string; readonly port: number } {
  const bare = isIPv6(text) ? `[${text}]` : text;
  const namesNoPort = isIPv6(text) || !text.includes(':') || /^\[[^\]]*\]$/.test(text);
  // A dot at the end of a name means the same name, as it does to the proxy.
  const target = (namesNoPort ? `${bare}:80` : text).replace(/\.(?=:\d+$)/, '');
  const { host, port } = parseHostPort(target, 'HOST:PORT');
  if (host !== '' && port > 0) return { host, port };
  throw usageError({
    code: 'FW-CLI-093',
    message: `${JSON.stringify(text)} names no host and port`,
    hint: 'Write it as the application does: reviews.shop:80',
  });
}
