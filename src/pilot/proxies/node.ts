/**
 * Reads a proxy's xDS node: who it is, and which sidecar settings it asks for. Ids and metadata are Istio's, so that its agents connect:
 * `sidecar~10.1.2.3~reviews-v1-abc.shop~shop.svc.cluster.local`
 * (https://github.com/istio/istio/blob/master/pkg/model/proxy.go). Fairway's own metadata: FAIRWAY_MODE, FAIRWAY_OUTBOUND,
 * FAIRWAY_INBOUND_ADDRESS, FAIRWAY_INBOUND, FAIRWAY_ROUTES, FAIRWAY_CONFIG.
 */

import { isIP } from 'node:net';
import { FairwayError } from '../../core/errors.ts';
import { clusterNamePattern } from '../../model/cluster.ts';
import type { ConfigMode, InboundPort, Scope } from '../../model/mesh.ts';
import type { ProxyIdentity } from '../../model/proxy.ts';
import type { AppProtocol } from '../../model/service.ts';
import type { XdsNode } from '../../xds/view.ts';

/** What the node's metadata asks of the sidecar's configuration; the rest of its scope comes from the catalog. */
export interface ProxySettings {
  readonly mode: Scope['mode'];
  readonly outbound: Scope['outbound'];
  readonly inboundAddress: string;
  /** Given by hand (explicit mode); undefined: what the catalog says of the proxy's addresses. */
  readonly inbound?: readonly InboundPort[];
  /** What it can take: virtual hosts as resources of their own, or whole route tables alone. */
  readonly routes: 'tables' | 'vhds';
  /** Which of the two it wants; undefined: what its namespace or the mesh says. */
  readonly config?: ConfigMode;
}

export interface ProxyNode {
  readonly identity: ProxyIdentity;
  readonly settings: ProxySettings;
}

const idLimit = 1024;
const labelLimit = 256;
const addressLimit = 64;
const inboundLimit = 256;
/** Of each of the names and labels that are only shown; what is longer is cut. */
const textLimit = 1024;
const kinds = new Set(['sidecar', 'router']);
const protocols: readonly AppProtocol[] = ['http', 'http2', 'grpc', 'tcp'];

/** Throws FW-NODE-001 … 004, whose words go to the client as they are. */
export function parseNode(node: XdsNode): ProxyNode {
  const { metadata } = node;
  const id = parseId(node.id);
  const isGrpc = isProxyless(node);
  const namespace = text(metadata['NAMESPACE']) || id.namespace;
  const cluster = text(metadata['CLUSTER_ID']) || text(metadata['FAIRWAY_CLUSTER']);
  // A client of another make may name none: it sees the whole mesh, but no cluster's own addresses.
  if (cluster !== '' && !clusterNamePattern.test(cluster)) {
    throw badNode(
      2,
      `the node's metadata names no usable cluster: CLUSTER_ID is "${cluster.slice(0, 100)}"`,
      'set CLUSTER_ID to the name under which the proxy’s cluster is registered',
    );
  }
  const addresses = text(metadata['INSTANCE_IPS'])
    .split(',')
    .map((address) => address.trim())
    .filter((address) => isIP(address) !== 0)
    .slice(0, addressLimit);
  return {
    identity: {
      nodeId: node.id,
      kind: isGrpc ? 'grpc' : id.kind,
      addresses: addresses.length > 0 ? addresses : [id.address],
      workload: shown(metadata['NAME']) || id.workload,
      namespace,
      cluster,
      network: text(metadata['NETWORK']),
      labels: labels(metadata['LABELS']),
      serviceAccount: shown(metadata['SERVICE_ACCOUNT']),
      envoyVersion: shown(isGrpc ? `${node.userAgentName} ${node.userAgentVersion}`.trim() : node.userAgentVersion),
      ...placeOf(node),
    },
    settings: isGrpc ? grpcSettings : parseSettings(metadata),
  };
}

/** gRPC's own client, without a proxy: as Istio's agents mark it, or by its name (`gRPC Go`, `gRPC Node Pure JS`, `gRPC Java`, `gRPC C-core …`). */
function isProxyless({ metadata, userAgentName }: XdsNode): boolean {
  return metadata['GENERATOR'] === 'grpc' || userAgentName.startsWith('gRPC ');
}

const grpcSettings: ProxySettings = {
  mode: 'grpc',
  outbound: { address: '', port: 0 },
  inboundAddress: '',
  routes: 'tables',
};

/** `node.locality`, as Envoy's `--service-zone` and bootstraps give it, else the topology labels; the node as Istio's agents name it. */
function placeOf({ locality, metadata }: XdsNode): Pick<ProxyIdentity, 'place'> {
  const given = labels(metadata['LABELS']);
  const label = (name: 'region' | 'zone'): string =>
    Object.hasOwn(given, `topology.kubernetes.io/${name}`) ? (given[`topology.kubernetes.io/${name}`] ?? '') : '';
  const [region, zone] =
    locality.region === '' && locality.zone === ''
      ? [label('region'), label('zone')]
      : [shown(locality.region), shown(locality.zone)];
  const place = { region, zone, node: shown(metadata['NODE_NAME']) };
  return place.region === '' && place.zone === '' && place.node === '' ? {} : { place };
}

function parseId(id: string): { kind: 'sidecar' | 'router'; address: string; workload: string; namespace: string } {
  const [kind = '', address = '', name = '', domain = '', ...rest] = id.split('~');
  const dot = name.lastIndexOf('.');
  const namespace = domain.split('.')[0] ?? '';
  if (
    id.length > idLimit ||
    rest.length > 0 ||
    !kinds.has(kind) ||
    isIP(address) === 0 ||
    dot < 1 ||
    namespace === ''
  ) {
    throw badNode(
      1,
      `the node id "${id.slice(0, 200)}" is not of the form sidecar~IP~NAME.NAMESPACE~NAMESPACE.svc.DOMAIN`,
      'print a bootstrap with `fairway bootstrap` (with --grpc for a client without a proxy), or set --service-node',
    );
  }
  return { kind: kind as 'sidecar' | 'router', address, workload: name.slice(0, dot), namespace: name.slice(dot + 1) };
}

function parseSettings(metadata: XdsNode['metadata']): ProxySettings {
  const mode = text(metadata['FAIRWAY_MODE']) || 'captured';
  if (mode !== 'captured' && mode !== 'explicit') {
    throw badNode(3, `FAIRWAY_MODE is "${mode.slice(0, 100)}"`, 'give captured or explicit');
  }
  const routes = text(metadata['FAIRWAY_ROUTES']) || 'tables';
  if (routes !== 'tables' && routes !== 'vhds') {
    throw badNode(3, `FAIRWAY_ROUTES is "${routes.slice(0, 100)}"`, 'give vhds, or tables for whole route tables');
  }
  const config = text(metadata['FAIRWAY_CONFIG']);
  if (config !== '' && config !== 'eager' && config !== 'on-demand') {
    throw badNode(3, `FAIRWAY_CONFIG is "${config.slice(0, 100)}"`, 'give eager or on-demand');
  }
  const inbound = text(metadata['FAIRWAY_INBOUND']);
  const inboundAddress = text(metadata['FAIRWAY_INBOUND_ADDRESS']) || '0.0.0.0';
  if (isIP(inboundAddress) === 0) {
    throw badNode(
      4,
      `FAIRWAY_INBOUND_ADDRESS is "${inboundAddress.slice(0, 100)}"`,
      'give an IP address, such as 127.0.0.1',
    );
  }
  return {
    mode,
    outbound: parseAddress(text(metadata['FAIRWAY_OUTBOUND']) || '127.0.0.1:15001'),
    inboundAddress,
    routes,
    ...(config === '' ? {} : { config }),
    ...(inbound === '' ? {} : { inbound: parseInboundList(inbound) }),
  };
}

function parseInboundList(list: string): readonly InboundPort[] {
  const ports = new Map<number, InboundPort>();
  for (const entry of list.split(',', inboundLimit + 1)) {
    const port = parseInbound(entry);
    if (ports.has(port.port)) throw badNode(4, `FAIRWAY_INBOUND names port ${port.port} twice`, 'name each port once');
    ports.set(port.port, port);
  }
  if (ports.size > inboundLimit) {
    throw badNode(4, `FAIRWAY_INBOUND names more than ${inboundLimit} ports`, 'name the ports of the workload alone');
  }
  return [...ports.values()].sort((a, b) => a.port - b.port);
}

/** `18080:9080:http`, `9090:grpc`, `9080`. */
function parseInbound(entry: string): InboundPort {
  const parts = entry.trim().split(':');
  const protocol = (Number.isNaN(Number(parts.at(-1))) ? parts.pop() : undefined) ?? 'http';
  const [port = Number.NaN, targetPort = port] = parts.map(Number);
  if (parts.length > 2 || !isPort(port) || !isPort(targetPort) || !protocols.includes(protocol as AppProtocol)) {
    throw badNode(
      4,
      `FAIRWAY_INBOUND holds "${entry.slice(0, 100)}"`,
      `give PORT[:TARGET-PORT][:PROTOCOL], the protocol one of ${protocols.join(', ')}`,
    );
  }
  return { port, targetPort, protocol: protocol as AppProtocol };
}

function parseAddress(value: string): { address: string; port: number } {
  const colon = value.lastIndexOf(':');
  const address = value.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(value.slice(colon + 1));
  if (isIP(address) === 0 || !isPort(port))
    throw badNode(4, `FAIRWAY_OUTBOUND is "${value.slice(0, 100)}"`, 'give IP:PORT, such as 127.0.0.1:15001');
  return { address, port };
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 65_536;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function shown(value: unknown): string {
  return text(value).slice(0, textLimit);
}

function labels(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries.slice(0, labelLimit).map(([key, label]) => [shown(key), shown(label)]));
}

function badNode(number: 1 | 2 | 3 | 4, message: string, hint: string): FairwayError {
  return new FairwayError({ code: `FW-NODE-00${number}`, message, hint, where: {} });
}
