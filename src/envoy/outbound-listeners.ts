/**
 * Listeners for what a workload sends.
 *
 * Captured: iptables brings every connection to `virtualOutbound`, which hands it to the listener for its original destination: one per
 * address and port of a TCP service, one per HTTP port for all addresses; the rest passes through or is refused.
 * Explicit: one HTTP proxy on an address that the application is told of.
 */

import { isIPv6 } from 'node:net';
import type { MeshSettings, Scope } from '../model/mesh.ts';
import type { ServicePolicy } from '../model/service-policy.ts';
import { socketAddress } from './common.ts';
import { forwardProxyFilter } from './forward-proxy.ts';
import { httpManager } from './http-connection-manager.ts';
import { routeFilters } from './http-filters.ts';
import { blackHoleCluster, httpProxy, listenerName, passthroughCluster, virtualOutbound } from './names.ts';
import { onDemandFilter } from './on-demand.ts';
import { constantAny, type NamedPlain, type Plain } from './proto/encode.ts';
import type { ClusterShare } from './routes.ts';
import { distinctNames, type SniChain, sniFilterChain, tlsInspector } from './sni-chains.ts';
import { tcpProxy, tcpTo } from './tcp-proxy.ts';

/** Where iptables redirects to (Istio's port). */
export const outboundPort = 15001;

/** Where connections go that no service claims. */
function unknownDestination(settings: MeshSettings): string {
  return settings.outbound === 'allow-any' ? passthroughCluster : blackHoleCluster;
}

/** The wildcard of IPv6 is bound or matched only where the proxy's cluster has IPv6: binding it fails on hosts without. */
function additionalWildcard(port: number, hasIpv6: boolean): Plain {
  return hasIpv6 ? { additional_addresses: [{ address: socketAddress('::', port) }] } : {};
}

export function virtualOutboundListener(settings: MeshSettings, hasIpv6: boolean): NamedPlain {
  return {
    name: virtualOutbound,
    address: socketAddress('0.0.0.0', outboundPort),
    ...additionalWildcard(outboundPort, hasIpv6),
    use_original_dst: true,
    traffic_direction: 'OUTBOUND',
    filter_chains: [
      // Somebody connected to the port itself: passed through, that would go round for ever.
      {
        name: 'virtualOutbound-blackhole',
        filter_chain_match: { destination_port: outboundPort },
        filters: [tcpTo('outbound', blackHoleCluster, settings)],
      },
    ],
    default_filter_chain: {
      name: 'virtualOutbound-catchall-tcp',
      filters: [tcpTo('outbound', unknownDestination(settings), settings)],
    },
  };
}

/** Connections to the workloads of a headless TCP service, by their addresses. */
export interface HeadlessChain {
  readonly name: string;
  readonly addresses: readonly string[];
  /** undefined: on to the very workload that the client chose. */
  readonly shares: readonly ClusterShare[] | undefined;
  readonly policy?: ServicePolicy | undefined;
}

/**
 * `0.0.0.0_80`: HTTP to any address goes by the route table `80`; what is not HTTP, and what goes to a headless TCP service's workload, by
 * itself. `hasHttp` is false for a port that only headless TCP services use.
 */
export function portListener(
  port: number,
  hasHttp: boolean,
  headless: readonly HeadlessChain[],
  sni: readonly SniChain[],
  settings: MeshSettings,
  hasIpv6: boolean,
  onDemand: boolean,
): NamedPlain {
  return {
    name: listenerName('0.0.0.0', port),
    address: socketAddress('0.0.0.0', port),
    ...additionalWildcard(port, hasIpv6),
    bind_to_port: false,
    traffic_direction: 'OUTBOUND',
    filter_chains: [
      ...headless.map((chain) => headlessChain(chain, settings)),
      ...sni.map((chain) => sniFilterChain(chain, settings)),
      ...(hasHttp ? [httpChain(port, settings, onDemand, sni.length > 0)] : []),
    ],
    default_filter_chain: { name: `tcp-${port}`, filters: [tcpTo('outbound', unknownDestination(settings), settings)] },
    ...inspectors([...(sni.length > 0 ? [tlsInspector] : []), ...(hasHttp ? [httpInspector] : [])]),
  };
}

/** `besideTls`: TLS is looked into too, and what a client says in it of HTTP (ALPN) is not in the open. */
function httpChain(port: number, settings: MeshSettings, onDemand: boolean, besideTls: boolean): Plain {
  return {
    name: `http-${port}`,
    filter_chain_match: {
      application_protocols: ['http/1.0', 'http/1.1', 'h2c'],
      ...(besideTls ? { transport_protocol: 'raw_buffer' } : {}),
    },
    filters: [
      httpManager(
        {
          direction: 'outbound',
          routes: String(port),
          statPrefix: `outbound_${port}`,
          filters: [...(onDemand ? [onDemandFilter] : []), ...routeFilters],
        },
        settings,
      ),
    ],
  };
}

/** Protocols in which the server speaks first show nothing to detect: after the timeout they go on as TCP. */
function inspectors(filters: readonly Plain[]): Plain {
  if (filters.length === 0) return {};
  return {
    listener_filters: filters,
    listener_filters_timeout: '1s',
    continue_on_listener_filters_timeout: true,
  };
}

const httpInspector: Plain = {
  name: 'envoy.filters.listener.http_inspector',
  typed_config: constantAny('envoy.extensions.filters.listener.http_inspector.v3.HttpInspector'),
};

function headlessChain({ name, addresses, shares, policy }: HeadlessChain, settings: MeshSettings): Plain {
  return {
    name,
    filter_chain_match: {
      prefix_ranges: addresses.map((address) => ({ address_prefix: address, prefix_len: isIPv6(address) ? 128 : 32 })),
    },
    filters: [
      shares === undefined
        ? tcpTo('outbound', passthroughCluster, settings)
        : tcpProxy('outbound', name, shares, settings, policy),
    ],
  };
}

/** What is behind an address. */
export interface AddressTarget {
  /** For statistics. */
  readonly name: string;
  readonly shares: readonly ClusterShare[];
  readonly policy: ServicePolicy | undefined;
  /** TLS connections that go elsewhere by their name. Names that two have go to the first. */
  readonly sni: readonly SniChain[];
  /** Connections are looked into for HTTP. Left out: they are TCP. */
  readonly detect?: { readonly onDemand: boolean } | undefined;
}

/** `10.96.0.5_6379`. */
export function addressListener(
  address: string,
  port: number,
  { name, shares, policy, sni, detect }: AddressTarget,
  settings: MeshSettings,
): NamedPlain {
  const tcp = { name, filters: [tcpProxy('outbound', name, shares, settings, policy)] };
  const byName = distinctNames(new Map(sni.map((chain, index) => [String(index).padStart(4, '0'), chain]))).chains;
  const http = detect === undefined ? [] : [httpChain(port, settings, detect.onDemand, byName.length > 0)];
  const isPlain = byName.length + http.length === 0;
  const looks = [...(byName.length > 0 ? [tlsInspector] : []), ...(detect === undefined ? [] : [httpInspector])];
  return {
    name: listenerName(address, port),
    address: socketAddress(address, port),
    bind_to_port: false,
    traffic_direction: 'OUTBOUND',
    ...(isPlain
      ? { filter_chains: [tcp] }
      : {
          filter_chains: [...byName.map((chain) => sniFilterChain(chain, settings)), ...http],
          default_filter_chain: tcp,
          ...inspectors(looks),
        }),
  };
}

/** Explicit mode. Requests name their host as to any HTTP proxy (absolute URLs, CONNECT) or in the Host header alone; HTTP/2 by prior knowledge. */
export function httpProxyListener(scope: Scope, settings: MeshSettings): NamedPlain {
  const { address, port } = scope.outbound;
  const passes = settings.outbound === 'allow-any';
  return {
    name: httpProxy,
    address: socketAddress(address, port),
    traffic_direction: 'OUTBOUND',
    filter_chains: [
      {
        name: httpProxy,
        filters: [
          httpManager(
            {
              direction: 'outbound',
              routes: httpProxy,
              statPrefix: httpProxy,
              connect: true,
              filters: [
                ...(scope.routes === 'on-demand' ? [onDemandFilter] : []),
                ...routeFilters,
                ...(passes ? [forwardProxyFilter] : []),
              ],
            },
            settings,
          ),
        ],
      },
    ],
  };
}
