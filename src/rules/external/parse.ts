/**
 * An ExternalService as somebody wrote it in; the service with its defaults applied, and everything that is wrong with it, out. With a
 * finding of severity error there is no service; nothing is thrown, whatever the object is.
 */

import { BlockList, isIP } from 'node:net';
import { unknownLocality } from '../../model/cluster.ts';
import type { ExternalPort, ExternalService } from '../../model/external.ts';
import type { ExternalEndpoint } from '../../model/service.ts';
import { contentHash } from '../objects/content-hash.ts';
import { type Findings, type Path, show } from '../objects/findings.ts';
import { objectParser } from '../objects/parse-object.ts';
import type { Sound } from '../objects/structure.ts';
import { externalHead } from './head.ts';
import { externalSpecSchema, type RawExternalSpec } from './schema.ts';
import { buildTls, checkTls } from './tls.ts';

export const parseExternalService = objectParser<RawExternalSpec, ExternalService>({
  head: externalHead,
  schema: externalSpecSchema,
  check: checkSpec,
  build(spec, { namespace, name, generation, createdAtMs, origin }) {
    const content = build(spec);
    const hash = contentHash([namespace, name, createdAtMs, forHash(content)]);
    return { ref: { namespace, name, generation }, createdAtMs, ...content, hash, origin };
  },
});

function checkSpec(spec: Sound<RawExternalSpec>, findings: Findings): void {
  const { hosts = [], ports = [], resolution, endpoints } = spec;
  checkOnce(ports, ({ number }) => number, 'FW-RULE-155', ['spec', 'ports'], 'number', findings);
  if (resolution === 'static' && endpoints === undefined) {
    const message = 'endpoints must be given with resolution: static';
    findings.error('FW-RULE-156', ['spec', 'endpoints'], message, 'Add endpoints, or write resolution: dns', ['spec']);
  }
  if (resolution === 'dns') {
    if (endpoints !== undefined) {
      const message = 'endpoints must not be given with resolution: dns, which asks a name server';
      findings.error('FW-RULE-157', ['spec', 'endpoints'], message, 'Remove them, or write resolution: static');
    }
    for (const [i, host] of hosts.entries()) {
      if (host?.startsWith('*') !== true) continue;
      const message = `a host with a wildcard cannot be looked up by DNS; it is ${show(host)}`;
      findings.error('FW-RULE-158', ['spec', 'hosts', i], message, 'Name the hosts, or give endpoints');
    }
    for (const [i, port] of ports.entries()) {
      if (port?.protocol !== 'tcp') continue;
      const message = `a captured workload cannot reach port ${port.number ?? i}: a plain TCP connection does not say which host it means`;
      const hint = 'Write tls if it is TLS, or give endpoints with resolution: static; CONNECT in explicit mode works';
      findings.warn('FW-RULE-160', ['spec', 'ports', i, 'protocol'], message, hint);
    }
  }
  checkTls(spec, findings);
  checkEndpoints(spec, findings);
}

function checkEndpoints({ ports = [], endpoints = [] }: Sound<RawExternalSpec>, findings: Findings): void {
  const numbers = new Set(ports.map((port) => port?.number));
  const base: Path = ['spec', 'endpoints'];
  checkOnce(endpoints, ({ address }) => address && canonical(address), 'FW-RULE-161', base, 'address', findings);
  for (const [i, endpoint] of endpoints.entries()) {
    const address = endpoint?.address;
    // What the pattern refuses has been told.
    if (address !== undefined && /^[0-9a-fA-F:.]{2,45}$/.test(address) && !isUsable(address)) {
      const message = `address must be an IP address that one host can have; it is ${show(address)}`;
      findings.error('FW-RULE-162', [...base, i, 'address'], message, 'Give the address of a host');
    }
    const own = endpoint?.ports ?? [];
    checkOnce(own, ({ number }) => number, 'FW-RULE-155', [...base, i, 'ports'], 'number', findings);
    for (const [j, port] of own.entries()) {
      if (port?.number === undefined || numbers.has(port.number)) continue;
      const message = `an endpoint must name ports of the object alone; ${port.number} is none of them`;
      findings.error('FW-RULE-159', [...base, i, 'ports', j, 'number'], message, 'Add it to spec.ports, or remove it');
    }
  }
}

function checkOnce<T extends object>(
  items: readonly (T | undefined)[],
  keyOf: (item: T) => string | number | undefined,
  code: 'FW-RULE-155' | 'FW-RULE-161',
  path: Path,
  field: string,
  findings: Findings,
): void {
  const seen = new Set<string | number>();
  for (const [i, item] of items.entries()) {
    const key = item === undefined ? undefined : keyOf(item);
    if (key === undefined) continue;
    if (seen.has(key))
      findings.error(code, [...path, i, field], `${show(key)} stands there twice`, 'Remove one of them');
    seen.add(key);
  }
}

/** No host has these: unspecified, multicast, broadcast. */
const nobody = new BlockList();
nobody.addSubnet('0.0.0.0', 8);
nobody.addSubnet('224.0.0.0', 4);
nobody.addAddress('255.255.255.255');
nobody.addAddress('::', 'ipv6');
nobody.addSubnet('ff00::', 8, 'ipv6');
/** IPv4 in IPv6's clothes is the IPv4 address that it names. A list of its own: it matches all of IPv4 too. */
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

function isUsable(address: string): boolean {
  const family = isIP(address);
  if (family === 6) return !nobody.check(address, 'ipv6') && !mapped.check(address, 'ipv6');
  return family === 4 && !nobody.check(address);
}

/** IPv6 in its one short form. */
function canonical(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

type Content = Pick<ExternalService, 'hosts' | 'ports' | 'resolution' | 'endpoints' | 'clusters'>;

function build(spec: RawExternalSpec): Content {
  return {
    hosts: spec.hosts.toSorted(),
    ports: spec.ports.map(buildPort).sort((a, b) => a.number - b.number),
    resolution: spec.resolution,
    endpoints: (spec.endpoints ?? []).map(buildEndpoint).sort((a, b) => (a.address < b.address ? -1 : 1)),
    clusters: (spec.from?.clusters ?? []).toSorted(),
  };
}

function buildPort(raw: RawExternalSpec['ports'][number]): ExternalPort {
  const { number, protocol, name = `${protocol}-${number}`, targetPort } = raw;
  const tls = protocol === 'tls';
  return {
    number,
    protocol: tls ? 'tcp' : protocol,
    tls,
    name,
    ...(targetPort === undefined || targetPort === number ? {} : { targetPort }),
    ...(raw.tls === undefined ? {} : { originate: buildTls(raw.tls) }),
  };
}

function buildEndpoint(raw: NonNullable<RawExternalSpec['endpoints']>[number]): ExternalEndpoint {
  return {
    address: canonical(raw.address),
    targetPorts: new Map((raw.ports ?? []).map(({ number, targetPort }) => [number, targetPort])),
    locality: { ...unknownLocality, ...raw.locality },
    weight: raw.weight ?? 1,
  };
}

/** A Map shows nothing of itself in JSON. */
function forHash({ endpoints, ...rest }: Content): unknown {
  return {
    ...rest,
    endpoints: endpoints.map(({ targetPorts, ...endpoint }) => [endpoint, [...targetPorts].sort(([a], [b]) => a - b)]),
  };
}
