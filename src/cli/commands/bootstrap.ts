/** `fairway bootstrap`: checks what it is told, and prints the bootstrap that src/envoy renders from it, for `envoy -c` or for gRPC's own clients. */

import { isIP } from 'node:net';
import { stringify } from 'yaml';
import { type BootstrapOptions, renderBootstrap } from '../../envoy/bootstrap.ts';
import { type GrpcBootstrapOptions, renderGrpcBootstrap } from '../../envoy/grpc/bootstrap.ts';
import { clusterNamePattern } from '../../model/cluster.ts';
import type { BootstrapFlags } from '../bootstrap-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type ExitCode, exitCode, usageError } from '../failure.ts';
import { formatHostPort, parseHostPort } from '../host-port.ts';
import { serveDefaults } from '../serve-options.ts';

export async function runBootstrap(flags: BootstrapFlags, { terminal }: CommandContext): Promise<ExitCode> {
  const options = readBootstrapOptions(flags);
  if (flags.grpc === true) {
    terminal.out(`${JSON.stringify(renderGrpcBootstrap(readGrpcOptions(options, flags)), null, 2)}\n`);
    return exitCode.ok;
  }
  const bootstrap = renderBootstrap(options);
  terminal.out(
    flags.output === 'json'
      ? `${JSON.stringify(bootstrap, null, 2)}\n`
      : stringify(bootstrap, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  return exitCode.ok;
}

/** @throws CommandFailure FW-CLI-003 or FW-CLI-070, which names the flag. */
export function readBootstrapOptions(flags: BootstrapFlags): BootstrapOptions {
  if (!clusterNamePattern.test(flags.cluster)) {
    throw wrong('--cluster', flags.cluster, 'Use letters, digits, "-" and "_", at most 63');
  }
  for (const [flag, value] of [
    ['--namespace', flags.namespace],
    ['--workload', flags.workload],
    ['--service-account', flags.serviceAccount],
  ] as const) {
    if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(value)) {
      throw wrong(flag, value, 'Use a Kubernetes name: lower-case letters, digits, "-" and "."');
    }
  }
  const addresses = flags.address ?? ['127.0.0.1'];
  for (const [flag, address] of [
    ...addresses.map((address) => ['--address', address] as const),
    ['--inbound-address', flags.inboundAddress] as const,
  ]) {
    if (isIP(address) === 0) throw wrong(flag, address, 'Give an IPv4 or IPv6 address');
  }
  const adminPort = /^\d{1,5}$/.test(flags.adminPort) ? Number(flags.adminPort) : Number.NaN;
  if (!(adminPort <= 65_535)) throw wrong('--admin-port', flags.adminPort, 'Give a port from 0 to 65535');
  const { inbound, routes, config } = flags;
  const vhds = flags.transport === 'delta' && routes !== 'tables';
  if (routes === 'vhds' && !vhds) throw wrong('--routes', routes, 'Leave out --transport sotw: VHDS needs delta');
  if (config === 'on-demand' && !vhds) throw wrong('--config', config, 'It needs --transport delta and --routes vhds');
  for (const port of inbound ?? []) checkInbound(port);
  const locality = readLocality(flags.locality);
  return {
    mode: flags.mode,
    xds: (flags.xds ?? [serveDefaults.xds]).map(readPilot),
    transport: flags.transport,
    cluster: flags.cluster,
    network: flags.network,
    namespace: flags.namespace,
    workload: flags.workload,
    serviceAccount: flags.serviceAccount,
    addresses,
    labels: readLabels(flags.label ?? []),
    adminPort,
    outbound: formatHostPort(parseHostPort(flags.outbound, '--outbound')),
    inboundAddress: flags.inboundAddress,
    clusterDomain: flags.clusterDomain,
    ...(inbound === undefined ? {} : { inbound }),
    ...(routes === undefined ? {} : { routes }),
    ...(config === undefined ? {} : { config }),
    ...(locality === undefined ? {} : { locality }),
  };
}

/** What only an Envoy has is refused where it was given, and left out where it is a default. */
function readGrpcOptions(options: BootstrapOptions, { routes, config, inbound }: BootstrapFlags): GrpcBootstrapOptions {
  for (const [flag, value] of [
    ['--routes', routes],
    ['--config', config],
    ['--inbound', inbound?.join()],
  ] as const) {
    if (value !== undefined) throw wrong(flag, value, 'Leave it out with --grpc: there is no Envoy');
  }
  const {
    mode: _mode,
    transport: _transport,
    adminPort: _admin,
    outbound: _outbound,
    inboundAddress: _address,
    ...rest
  } = options;
  return rest;
}

/** One to call, not one to listen on: it needs a host and a port. */
function readPilot(text: string): string {
  const pilot = parseHostPort(text, '--xds');
  if (pilot.host === '' || pilot.port === 0) throw wrong('--xds', text, 'Name the host and the port of a pilot');
  return formatHostPort(pilot);
}

function checkInbound(text: string): void {
  const match = /^(\d{1,5})(?::(\d{1,5}))?(?::(http|http2|grpc|tcp))?$/.exec(text);
  const ports = [match?.[1], match?.[2] ?? match?.[1]].map(Number);
  if (match !== null && ports.every((port) => port >= 1 && port <= 65_535)) return;
  throw wrong('--inbound', text, 'Give PORT, PORT:TARGET or PORT:TARGET:PROTOCOL with http, http2, grpc or tcp');
}

function readLocality(text: string | undefined): BootstrapOptions['locality'] {
  if (text === undefined) return undefined;
  const [region = '', zone = '', subzone = '', ...rest] = text.split('/');
  if (region === '' || rest.length > 0)
    throw wrong('--locality', text, 'Give REGION, REGION/ZONE or REGION/ZONE/SUBZONE');
  return { region, zone, subzone };
}

function readLabels(given: readonly string[]): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const text of given) {
    const match = /^([A-Za-z0-9][A-Za-z0-9._/-]*)=([A-Za-z0-9._-]*)$/.exec(text);
    if (match === null) throw wrong('--label', text, 'Give KEY=VALUE, as in version=v1');
    labels.set(match[1] ?? '', match[2] ?? '');
  }
  return Object.fromEntries(labels);
}

function wrong(flag: string, value: string, hint: string): Error {
  return usageError({ code: 'FW-CLI-070', message: `${flag} ${JSON.stringify(value)} cannot be used`, hint });
}
