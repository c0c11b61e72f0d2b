/** A ServiceEntry as an ExternalService. In: the object. Out: the ExternalService's spec; undefined, with an error noted, where there is no equal. */

import { isIP } from 'node:net';
import type { RawObject } from '../model/object.ts';
import { externalHead } from '../rules/external/head.ts';
import { parseExternalService } from '../rules/external/parse.ts';
import type { RawExternalSpec } from '../rules/external/schema.ts';
import { hostOf } from './hosts.ts';
import type { Notes } from './notes.ts';
import type { IstioObjects } from './objects.ts';
import { type TlsOfPort, tlsOfEntry } from './origination.ts';
import { child, entriesOf, type IstioObject, itemsOf, numberOf, type Part, specOf, textOf, textsOf } from './parts.ts';

type RawPort = RawExternalSpec['ports'][number];
type RawEndpoint = NonNullable<RawExternalSpec['endpoints']>[number];

interface EntryPort extends RawPort {
  /** By which endpoints name it. */
  readonly istioName: string;
  readonly targetPort?: number;
}

/**
 * As it could be applied; undefined, with an error noted, where there is no equal. It has the ServiceEntry's own age. `objects`: all that there
 * are, for DestinationRules say which of its ports proxies begin TLS on.
 */
export function externalObjectOf(
  source: IstioObject,
  clusterDomain: string,
  notes: Notes,
  objects: IstioObjects,
): RawObject | undefined {
  const spec = externalSpecOf(source, clusterDomain, notes, tlsOfEntry(source, objects));
  if (spec === undefined) return undefined;
  const { namespace, name, createdAtMs, origin } = source;
  const metadata = { name, namespace };
  const made = { apiVersion: externalHead.apiVersion, kind: externalHead.kind, metadata, spec };
  const age = createdAtMs === 0 ? {} : { creationTimestamp: new Date(createdAtMs).toISOString() };
  const where: RawObject['where'] = () => source.where(['spec']);
  const judged: RawObject = { object: { ...made, metadata: { ...metadata, ...age } }, origin, where };
  const { value, findings } = parseExternalService(judged, { defaultNamespace: namespace });
  for (const { severity, message, hint } of findings) {
    if (severity === 'error')
      notes.error('FW-ISTIO-017', specOf(source), `cannot be said in an ExternalService: ${message}`, hint);
  }
  return value === undefined ? undefined : judged;
}

function externalSpecOf(
  object: IstioObject,
  clusterDomain: string,
  notes: Notes,
  tlsOf: TlsOfPort,
): RawExternalSpec | undefined {
  const spec = specOf(object);
  const before = notes.errors;
  const hosts = hostsOf(spec, clusterDomain, notes);
  const listed = child(spec, 'hosts');
  if (itemsOf(listed).length === 0)
    notes.error('FW-ISTIO-019', listed ?? spec, 'it has no list of hosts', 'List its hosts');
  const ports = itemsOf(child(spec, 'ports')).flatMap((part) => portOf(part, notes));
  if (ports.length === 0) notes.error('FW-ISTIO-019', spec, 'it has no port', 'Say what the hosts speak, and where');
  refuse(child(spec, 'workloadSelector'), 'workloads of the mesh are no endpoints of an ExternalService', notes);
  const location = child(spec, 'location');
  if (location !== undefined && textOf(location, notes) === 'MESH_INTERNAL') {
    refuse(location, 'what is inside the mesh is known by its Services', notes);
  }
  sayVisibility(child(spec, 'exportTo'), notes);
  const endpoints = itemsOf(child(spec, 'endpoints')).flatMap((part) => endpointOf(part, ports, notes));
  const resolution = resolutionOf(spec, hosts, endpoints, notes);
  if (notes.errors > before || resolution === undefined || hosts.length === 0) return undefined;
  return {
    hosts: [...hosts],
    ports: ports.map(({ number, protocol, name, targetPort }) => {
      const tls = protocol === 'tls' ? undefined : tlsOf(number);
      return {
        number,
        protocol,
        ...(name === undefined ? {} : { name }),
        // Endpoints say their own.
        ...(targetPort === undefined || resolution === 'static' ? {} : { targetPort }),
        ...(tls === undefined ? {} : { tls }),
      };
    }),
    resolution,
    ...(resolution === 'static' ? { endpoints: endpoints.map(({ isName: _, ...endpoint }) => endpoint) } : {}),
  };
}

function hostsOf(spec: Part, clusterDomain: string, notes: Notes): readonly string[] {
  return itemsOf(child(spec, 'hosts')).flatMap((part) => {
    const host = textOf(part, notes)?.toLowerCase();
    if (host === undefined) return [];
    const isName = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(host);
    if (isName && hostOf(host, spec.object.namespace, clusterDomain).kind !== 'service') return [host];
    const message = isName
      ? `${host} is a name of a service in the mesh`
      : `${JSON.stringify(host)} is no DNS name with a dot`;
    notes.error('FW-ISTIO-019', part, message, 'Name hosts outside the mesh, such as api.example.com or *.example.com');
    return [];
  });
}

const protocols: ReadonlyMap<string, RawPort['protocol']> = new Map([
  ['HTTP', 'http'],
  ['HTTP2', 'http2'],
  ['GRPC', 'grpc'],
  ['GRPC-WEB', 'http'],
  ['HTTPS', 'tls'],
  ['TLS', 'tls'],
  ['TCP', 'tcp'],
  ['MONGO', 'tcp'],
  ['MYSQL', 'tcp'],
  ['REDIS', 'tcp'],
  ['', 'tcp'],
]);

function portOf(part: Part, notes: Notes): readonly EntryPort[] {
  const number = numberOf(child(part, 'number'), notes);
  const protocolPart = child(part, 'protocol');
  const word = textOf(protocolPart, notes)?.toUpperCase() ?? '';
  const protocol = protocols.get(word);
  if (number === undefined) notes.error('FW-ISTIO-003', part, 'must have a number');
  if (protocol === undefined)
    notes.error(
      'FW-ISTIO-019',
      protocolPart ?? part,
      `${word} is not known here`,
      `Use one of ${[...protocols.keys()].slice(0, 7).join(', ')}`,
    );
  if (number === undefined || protocol === undefined) return [];
  if (['MONGO', 'MYSQL', 'REDIS', 'GRPC-WEB'].includes(word) && protocolPart !== undefined) {
    notes.warn('FW-ISTIO-004', protocolPart, `is taken as ${protocol}: what ${word} says is not looked into`);
  }
  const istioName = textOf(child(part, 'name'), notes) ?? '';
  const name = istioName
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  const targetPort = numberOf(child(part, 'targetPort'), notes);
  return [
    {
      number,
      protocol,
      ...(name === '' ? {} : { name }),
      istioName,
      ...(targetPort === undefined || targetPort === 0 ? {} : { targetPort }),
    },
  ];
}

function endpointOf(
  part: Part,
  ports: readonly EntryPort[],
  notes: Notes,
): readonly (RawEndpoint & { readonly isName: boolean })[] {
  const addressPart = child(part, 'address') ?? part;
  const address = textOf(child(part, 'address'), notes);
  if (address === undefined || address.startsWith('unix:')) {
    notes.error('FW-ISTIO-019', addressPart, 'an endpoint has an IP address here', 'Give its address');
    return [];
  }
  const own = new Map(entriesOf(child(part, 'ports')).map(([name, at]) => [name, numberOf(at, notes)]));
  const targets = ports.flatMap(({ number, istioName, targetPort }) => {
    const target = own.get(istioName) ?? targetPort ?? number;
    return target === number ? [] : [{ number, targetPort: target }];
  });
  const [region = '', zone = '', subzone = ''] = (textOf(child(part, 'locality'), notes) ?? '').split('/');
  const locality = {
    ...(region === '' ? {} : { region }),
    ...(zone === '' ? {} : { zone }),
    ...(subzone === '' ? {} : { subzone }),
  };
  const weight = numberOf(child(part, 'weight'), notes);
  return [
    {
      address,
      ...(targets.length === 0 ? {} : { ports: targets }),
      ...(Object.keys(locality).length === 0 ? {} : { locality }),
      ...(weight === undefined || weight === 0 ? {} : { weight }),
      isName: isIP(address) === 0,
    },
  ];
}

function resolutionOf(
  spec: Part,
  hosts: readonly string[],
  endpoints: readonly (RawEndpoint & { readonly isName: boolean })[],
  notes: Notes,
): RawExternalSpec['resolution'] | undefined {
  const part = child(spec, 'resolution') ?? spec;
  const word = textOf(child(spec, 'resolution'), notes) ?? 'NONE';
  const wild = hosts.some((host) => host.startsWith('*'));
  if (word === 'STATIC') {
    if (endpoints.length === 0)
      notes.error('FW-ISTIO-019', part, 'STATIC needs endpoints with addresses', 'Give endpoints, or use DNS');
    const name = endpoints.find(({ isName }) => isName);
    if (name !== undefined)
      notes.error(
        'FW-ISTIO-019',
        part,
        `an endpoint of STATIC has an IP address; ${name.address} is none`,
        'Give its address, or use DNS',
      );
    return 'static';
  }
  if (wild) {
    const hint = 'Name the hosts one by one, or give endpoints with STATIC';
    notes.error('FW-ISTIO-019', part, `hosts with a wildcard cannot be looked up, which ${word} would need here`, hint);
    return undefined;
  }
  if (endpoints.length > 0) {
    const isItself = endpoints.every(({ address }) => hosts.length === 1 && address === hosts[0]);
    if (!isItself) {
      const hint = 'Name what is to be looked up in hosts, or give addresses with STATIC';
      notes.error(
        'FW-ISTIO-019',
        child(spec, 'endpoints') ?? part,
        `${word} looks up the hosts themselves here, and no endpoints`,
        hint,
      );
      return undefined;
    }
  }
  if (word === 'NONE') {
    notes.warn(
      'FW-ISTIO-004',
      part,
      'NONE is taken as DNS: the proxy looks the host up itself, whatever address the client chose',
      'Write DNS',
    );
  } else if (word !== 'DNS') {
    notes.warn(
      'FW-ISTIO-004',
      part,
      `${word} is taken as DNS: requests spread over all addresses of the answer`,
      'Write DNS',
    );
  }
  return 'dns';
}

function refuse(part: Part | undefined, why: string, notes: Notes): void {
  if (part !== undefined) notes.error('FW-ISTIO-019', part, why);
}

function sayVisibility(exportTo: Part | undefined, notes: Notes): void {
  if (exportTo === undefined || textsOf(exportTo, notes).includes('*') || itemsOf(exportTo).length === 0) return;
  notes.warn(
    'FW-ISTIO-002',
    exportTo,
    'exportTo has no equal here: the hosts are reached from all namespaces',
    'Limit it by cluster: from.clusters in the ExternalService',
  );
}
