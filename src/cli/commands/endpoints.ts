/** `fairway endpoints HOST:PORT --as PROXY`: what that very proxy would use for a request to the host. Exit code 1 where there is no such proxy. */

import { isIPv6 } from 'node:net';
import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type DataFormat, printData } from '../data-output.ts';
import { type ExitCode, exitCode, usageError } from '../failure.ts';
import { parseHostPort } from '../host-port.ts';
import { printRequestPath } from '../views/request-path.ts';

export interface EndpointsFlags extends AdminFlags {
  readonly as: string;
  readonly output?: DataFormat;
}

export async function runEndpoints(
  target: string,
  flags: EndpointsFlags,
  { env, terminal, clock }: CommandContext,
): Promise<ExitCode> {
  const { host, port } = readTarget(target);
  const path = await openAdminClient(flags, env).requestPath(flags.as, host, port);
  if (flags.output === undefined) printRequestPath(path, clock.now(), terminal);
  else printData(path, flags.output, terminal);
  return exitCode.ok;
}

function readTarget(text: string): { readonly host: string; readonly port: number } {
  const hasPort = /(^|[^:])(:\d+|\]:\d+)$/.test(text) && !isIPv6(text);
  const { host, port } = parseHostPort(hasPort ? text : `${isIPv6(text) ? `[${text}]` : text}:80`, 'HOST:PORT');
  if (host !== '' && port > 0) return { host, port };
  throw usageError({
    code: 'FW-CLI-093',
    message: `${JSON.stringify(text)} names no host and port`,
    hint: 'Write it as the application does: reviews.shop:80',
  });
}
