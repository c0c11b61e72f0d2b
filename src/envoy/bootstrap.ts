/**
 * Renders the bootstrap of a sidecar's Envoy: who it is, where its pilot is, and nothing of the mesh, which comes over xDS.
 *
 * In: options as people give them on the command line, already checked. Out: a plain object to be written as JSON or YAML.
 * The node's id and metadata are Istio's (https://github.com/istio/istio/blob/master/pkg/model/proxy.go), and FAIRWAY_* for what Istio has no
 * word for; src/pilot/proxies/node.ts reads them. This file stands alone, so that the command line can use it without the generators.
 */

import { isIP } from 'node:net';

export interface BootstrapOptions {
  readonly mode: 'captured' | 'explicit';
  /** `host:port` or `[IPv6]:port` of the pilots; any of them serves any proxy. At least one. */
  readonly xds: readonly string[];
  /** Default: delta. */
  readonly transport?: 'delta' | 'sotw';
  /**
   * What the sidecar can take of routes: `vhds`, each virtual host by itself (delta only; seen with Envoy 1.40), or whole `tables`.
   * Default: vhds over delta, tables over sotw.
   */
  readonly routes?: 'vhds' | 'tables';
  /** Over VHDS: all that the sidecar may see, or what its requests ask for. Default: what its namespace or the mesh says. */
  readonly config?: 'eager' | 'on-demand';
  /** The registered name of the cluster that the workload is in. */
  readonly cluster: string;
  readonly namespace: string;
  readonly workload: string;
  readonly serviceAccount: string;
  /** The workload's own addresses; at least one. */
  readonly addresses: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** '' is the default network. */
  readonly network?: string;
  readonly locality?: { readonly region: string; readonly zone: string; readonly subzone: string };
  /** On 127.0.0.1; 0 takes a free one. Default: 15000. */
  readonly adminPort?: number;
  /** Explicit: where the HTTP proxy for the application listens. Default: 127.0.0.1:15001. */
  readonly outbound?: string;
  /** Explicit: where the inbound ports listen. Default: 0.0.0.0. */
  readonly inboundAddress?: string;
  /**
   * The workload's ports as `PORT[:TARGET-PORT][:PROTOCOL]`: peers connect to PORT, the workload listens on TARGET-PORT (of its loopback, in
   * explicit mode). Default: what the catalog says of the workload's addresses.
   */
  readonly inbound?: readonly string[];
  /** Default: cluster.local. */
  readonly clusterDomain?: string;
}

/** The Envoy cluster of the pilots (Istio's name). */
const xdsCluster = 'xds-grpc';

type Json = Readonly<Record<string, unknown>>;

/** The parts of an Envoy bootstrap that a sidecar needs; see Envoy's envoy.config.bootstrap.v3.Bootstrap. */
export interface SidecarBootstrap {
  readonly node: Json;
  readonly admin: { readonly address: SocketAddress };
  readonly dynamic_resources: Json;
  readonly static_resources: Json;
  readonly layered_runtime: Json;
}

interface SocketAddress {
  readonly socket_address: { readonly address: string; readonly port_value: number };
}

export function renderBootstrap(options: BootstrapOptions): SidecarBootstrap {
  return {
    node: renderNode(options),
    admin: { address: socketAddress('127.0.0.1', options.adminPort ?? 15_000) },
    dynamic_resources: {
      ads_config: {
        api_type: options.transport === 'sotw' ? 'GRPC' : 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [
          {
            envoy_grpc: {
              cluster_name: xdsCluster,
              // A lost pilot is looked for again soon, and not by all proxies at once: the waits are random up to these.
              retry_policy: { retry_back_off: { base_interval: '0.5s', max_interval: '5s' } },
            },
          },
        ],
      },
      // Without a time limit: a sidecar without its configuration is not ready, however long that takes.
      cds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
      lds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
    },
    static_resources: { clusters: [renderXdsCluster(options.xds)] },
    layered_runtime: {
      layers: [
        {
          name: 'fairway',
          static_layer: {
            // Room for regular expressions in rules (Istio's value); src/rules bounds their size.
            're2.max_program_size.error_level': 32_768,
            // A sidecar takes what its workload would take.
            'overload.global_downstream_max_connections': 2_147_483_647,
          },
        },
      ],
    },
  };
}

interface RenderedNode extends Json {
  readonly id: string;
  readonly cluster: string;
  readonly locality?: Json;
  readonly metadata: Json;
}

export function renderNode(options: BootstrapOptions): RenderedNode {
  const {
    mode,
    cluster,
    namespace,
    workload,
    serviceAccount,
    addresses,
    labels = {},
    network = '',
    locality,
  } = options;
  const vhds = options.transport !== 'sotw' && options.routes !== 'tables';
  const domain = options.clusterDomain ?? 'cluster.local';
  const explicit = {
    FAIRWAY_OUTBOUND: options.outbound ?? '127.0.0.1:15001',
    FAIRWAY_INBOUND_ADDRESS: options.inboundAddress ?? '0.0.0.0',
  };
  return {
    id: `sidecar~${addresses[0]}~${workload}.${namespace}~${namespace}.svc.${domain}`,
    cluster: `${workload}.${namespace}`,
    ...(locality === undefined
      ? {}
      : { locality: { region: locality.region, zone: locality.zone, sub_zone: locality.subzone } }),
    metadata: {
      CLUSTER_ID: cluster,
      NAMESPACE: namespace,
      NAME: workload,
      SERVICE_ACCOUNT: serviceAccount,
      INSTANCE_IPS: addresses.join(','),
      ...(Object.keys(labels).length === 0 ? {} : { LABELS: { ...labels } }),
      ...(network === '' ? {} : { NETWORK: network }),
      FAIRWAY_MODE: mode,
      ...(vhds ? { FAIRWAY_ROUTES: 'vhds' } : {}),
      ...(vhds && options.config !== undefined ? { FAIRWAY_CONFIG: options.config } : {}),
      ...(mode === 'explicit' ? explicit : {}),
      ...(options.inbound === undefined || options.inbound.length === 0
        ? {}
        : { FAIRWAY_INBOUND: options.inbound.join(',') }),
    },
  };
}

function renderXdsCluster(addresses: readonly string[]): Json {
  const targets = addresses.map(splitHostPort);
  const byName = targets.some(({ host }) => isIP(host) === 0);
  return {
    name: xdsCluster,
    ...(byName ? { type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED' } : { type: 'STATIC' }),
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: xdsCluster,
      endpoints: [
        { lb_endpoints: targets.map(({ host, port }) => ({ endpoint: { address: socketAddress(host, port) } })) },
      ],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: {
          // A pilot whose machine went away without a word is noticed within 40 s.
          http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '10s' } },
        },
      },
    },
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 30, keepalive_interval: 10, keepalive_probes: 3 } },
  };
}

function splitHostPort(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

function socketAddress(address: string, port: number): SocketAddress {
  return { socket_address: { address, port_value: port } };
}
