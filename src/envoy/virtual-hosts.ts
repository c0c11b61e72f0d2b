/**
 * A service's virtual hosts, one per HTTP port: which hosts mean it, and its routes. In explicit mode TCP ports have one too, for CONNECT.
 *
 * In: the service and a `HostKey`, which holds all else that decides the bytes. Out: parts of route tables, each encoded by itself.
 * Why the domains of two services never meet: a service's name and namespace hold no dot, so `name`, `name.namespace` and
 * `name.namespace.svc…` differ in their number of labels or in a label; only addresses can be claimed twice, and who holds one is decided
 * before (address-claims.ts).
 */

import { clustersetDomain, type MeshService, type MeshSettings, type Scope } from '../model/mesh.ts';
import type { CatalogPort, CatalogService } from '../model/service.ts';
import { hashPolicy } from './cluster-balancing.ts';
import { mayReach } from './locality-levels.ts';
import { hostOfAddress, httpProxy, passthroughCluster, serviceHost } from './names.ts';
import { encodeMessage, type NamedPlain, ownBytes, type Plain, versionOf } from './proto/encode.ts';
import { filtersOfHost } from './route-filters.ts';
import { connectionShares, httpRoutes, toClusters } from './routes.ts';

/** Everything besides the service and the settings that decides a service's virtual hosts. */
export interface HostKey {
  readonly mode: Scope['mode'];
  /** The proxy is in the service's namespace, where the bare name means it. */
  readonly sameNamespace: boolean;
  /** The service's addresses in the proxy's cluster; [] where nothing is captured. Sorted. */
  readonly addresses: readonly string[];
  /** In the proxy's cluster (or, if the service is not there, in the mesh) its name resolves to its workloads' own addresses. */
  readonly headless: boolean;
  /** Which sources in the service's routes fit the proxy (`fittingSources`); '' where they name none. */
  readonly sources: string;
  /** Explicit mode, headless: whose workloads their names mean first. */
  readonly pods?: string;
  /** Captured, where protocols are detected: hosts come when requests ask for them. */
  readonly onDemand?: boolean;
}

/** One virtual host, encoded as the message alone: a part of a table, or a resource of its own. */
export interface VirtualHostPart {
  /** The route table that it belongs to: `80`, `http_proxy`. */
  readonly table: string;
  /** `reviews.shop.svc.cluster.local`; in the one table of explicit mode with its port, `reviews.shop.svc.cluster.local:80`. */
  readonly name: string;
  /** A hash of `body`. */
  readonly version: string;
  /** An encoded envoy.config.route.v3.VirtualHost. */
  readonly body: Buffer;
}

export function virtualHostPart(table: string, value: NamedPlain): VirtualHostPart {
  const body = ownBytes(encodeMessage('envoy.config.route.v3.VirtualHost', value));
  return { table, name: value.name, version: versionOf(body), body };
}

export function isHttp(port: CatalogPort, settings: MeshSettings): boolean {
  return port.transport === 'TCP' && (port.protocol !== 'tcp' || isDetected(port, settings));
}

/** What is spoken is looked at, connection by connection. */
export function isDetected({ transport, undeclared }: CatalogPort, settings: MeshSettings): boolean {
  return transport === 'TCP' && undeclared === true && settings.detectProtocols === true;
}

export function virtualHosts(service: MeshService, key: HostKey, settings: MeshSettings): readonly VirtualHostPart[] {
  return key.mode === 'captured' ? capturedHosts(service, key, settings) : explicitHosts(service, key, settings);
}

/** One table per port number, where a Host means a service whatever port it names (route-table.ts), so hosts stand without one. */
function capturedHosts(service: MeshService, key: HostKey, settings: MeshSettings): VirtualHostPart[] {
  const { catalog } = service;
  const hosts = [...hostNames(catalog, key, settings), ...key.addresses.map(hostOfAddress)];
  return catalog.ports
    .filter((port) => isHttp(port, settings))
    .flatMap((port) => {
      const name = serviceHost(catalog, settings.clusterDomain);
      const table = String(port.port);
      const routes = httpRoutes(service, port.port, settings);
      const parts = [
        virtualHostPart(table, { name, domains: hosts, routes, typed_per_filter_config: filtersOfHost(service) }),
      ];
      if (key.headless) parts.push(podHosts(table, name, hosts, service));
      return parts;
    });
}

/** `pod-0.db.shop`: a host of a headless service's one workload; the client has looked up its address and connects to it, so on it goes. */
function podHosts(table: string, name: string, hosts: readonly string[], service: MeshService): VirtualHostPart {
  const onward: Plain = { route: { cluster: passthroughCluster, timeout: '0s' } };
  const everyPod = [{ name: 'workload', match: { prefix: '/' }, ...onward }];
  return virtualHostPart(table, {
    name: `*.${name}`,
    domains: hosts.map((host) => `*.${host}`),
    routes: service.placement?.within === undefined ? everyPod : reachablePods(service, onward),
  });
}

/** Where traffic must not leave a place: to the workloads there, and to no other; in whichever cluster a name has a workload, it must be there. */
function reachablePods({ catalog, placement }: MeshService, onward: Plain): Plain[] {
  const endpoints = [...catalog.shards.values()].flatMap((shard) => shard.endpoints);
  const named = endpoints.filter(({ hostname }) => hostname !== '');
  const outside = new Set(named.filter((endpoint) => !mayReach(placement, endpoint)).map(({ hostname }) => hostname));
  const inside = new Set(named.map(({ hostname }) => hostname)).difference(outside);
  const words = 'fairway: the rule in force does not let traffic leave its place for this workload\n';
  return [
    ...[...inside].sort().map((hostname) => ({
      name: 'workload',
      match: { prefix: '/', headers: [{ name: ':authority', string_match: { prefix: `${hostname}.` } }] },
      ...onward,
    })),
    { name: 'refused', match: { prefix: '/' }, direct_response: { status: 503, body: { inline_string: words } } },
  ];
}

/** One table for all ports: the port is in the host, and a host without one means port 80, or else the lowest HTTP port. */
function explicitHosts(service: MeshService, key: HostKey, settings: MeshSettings): VirtualHostPart[] {
  const { catalog } = service;
  const hosts = hostNames(catalog, key, settings);
  const http = catalog.ports.filter((port) => isHttp(port, settings));
  const bare = http.find(({ port }) => port === 80) ?? http[0];
  return catalog.ports
    .filter(({ transport }) => transport === 'TCP')
    .map((port) => {
      const name = `${serviceHost(catalog, settings.clusterDomain)}:${port.port}`;
      const domains = [...(port === bare ? hosts : []), ...hosts.map((host) => `${host}:${port.port}`)];
      const requests = isHttp(port, settings) ? httpRoutes(service, port.port, settings) : [notHttp(name)];
      return virtualHostPart(httpProxy, {
        name,
        domains,
        routes: [connectRoute(service, port.port, settings), ...requests],
        typed_per_filter_config: isHttp(port, settings) ? filtersOfHost(service) : undefined,
      });
    });
}

/** `CONNECT redis.shop:6379` makes a tunnel to the service; the rule's shares count, its matches cannot. */
function connectRoute(service: MeshService, port: number, settings: MeshSettings): Plain {
  return {
    name: 'connect',
    match: { connect_matcher: {} },
    route: {
      ...toClusters(connectionShares(service, port, settings)),
      timeout: '0s',
      hash_policy: hashPolicy(service.policy),
      ...connectUpgrade,
    },
  };
}

export const connectUpgrade: Plain = { upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] };

export function notHttp(name: string): Plain {
  const words = `fairway: ${name} is a TCP port: reach it with CONNECT, or name its port http-… in the Service if it speaks HTTP\n`;
  return { name: 'not-http', match: { prefix: '/' }, direct_response: { status: 502, body: { inline_string: words } } };
}

/** Shortest first. */
export function hostNames(
  service: CatalogService,
  key: Pick<HostKey, 'sameNamespace'>,
  settings: MeshSettings,
): string[] {
  const { name, namespace, host, clusterset } = service;
  if (host !== undefined) return [host];
  const short = key.sameNamespace ? [name] : [];
  const full = serviceHost(service, settings.clusterDomain);
  const imported = clusterset === undefined ? [] : [`${name}.${namespace}.svc.${clustersetDomain}`];
  return [...short, `${name}.${namespace}`, `${name}.${namespace}.svc`, full, ...imported];
}
