/**
 * Envoy clusters (CDS): one per TCP port and chain of a service; and the few that a sidecar has of its own.
 *
 * UDP and SCTP ports get none: a sidecar carries TCP. What Envoy takes for granted is not said (an assignment is asked for by its cluster's name,
 * and HTTP/1 is spoken where nothing else is said), for a sidecar may have thousands.
 */

import type { InboundPort, MeshService, MeshSettings, Scope } from '../model/mesh.ts';
import type { RuleBackend } from '../model/rule.ts';
import { circuitBreakers, policyFields, spoken } from './cluster-policy.ts';
import { connectTimeout } from './cluster-silence.ts';
import { httpProtocolOptionsKey, overAds, socketAddress } from './common.ts';
import { upstreamFields } from './external-clusters.ts';
import { dnsCache } from './forward-proxy.ts';
import {
  blackHoleCluster,
  inboundCluster,
  inboundPassthroughCluster,
  outboundCluster,
  passthroughCluster,
  serviceHost,
} from './names.ts';
import { any, constantAny, type NamedPlain, type Plain } from './proto/encode.ts';
import { namedByRequest, originationFields } from './upstream-tls.ts';
import { isDetected } from './virtual-hosts.ts';

const asDownstream = httpOptions({
  use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} },
});

function httpOptions(options: Plain): Plain {
  return { [httpProtocolOptionsKey]: constantAny(httpProtocolOptionsKey, options) };
}

/** The Envoy clusters of a service, sorted by port, then chain. */
export function serviceClusters(
  service: MeshService,
  settings: MeshSettings,
): readonly { readonly name: string; readonly value: Plain }[] {
  const { catalog, chains } = service;
  const host = serviceHost(catalog, settings.clusterDomain);
  return catalog.ports
    .filter(({ transport }) => transport === 'TCP')
    .flatMap((port) =>
      chains.map((chain) => {
        const name = outboundCluster(port.port, chain, host);
        const value: Plain = {
          name,
          ...(catalog.upstream === undefined
            ? { type: 'EDS', eds_cluster_config: { eds_config: overAds } }
            : upstreamFields(catalog.upstream, port, chain, name, service.placement?.within)),
          ...policyFields(
            service.policy,
            port.protocol,
            host,
            settings,
            hasStandIn(service, chain),
            namedByRequest(port, host),
          ),
          ...originationFields(port, host, settings),
          // What a client speaks is what its server is spoken to.
          ...(isDetected(port, settings) ? { typed_extension_protocol_options: asDownstream } : {}),
          // What EDS takes away is gone, whatever a health check thought of it.
          ignore_health_on_host_removal: true,
        };
        return { name, value };
      }),
    );
}

/** Hosts outside have one level. */
function hasStandIn({ catalog, placement }: MeshService, chain: RuleBackend['chain']): boolean {
  return catalog.upstream === undefined && (placement?.preference !== undefined || chain.length > 1);
}

/** The Envoy clusters that every sidecar of this scope has besides those of services. */
export function scopeClusters(scope: Scope, settings: MeshSettings, hasIpv6: boolean): readonly NamedPlain[] {
  const connectWithin = connectTimeout(settings.connectTimeoutMs);
  const clusters: NamedPlain[] = [
    { name: blackHoleCluster, type: 'STATIC', connect_timeout: connectWithin },
    ...scope.inbound.map((port) => inbound(port, scope, connectWithin, hasIpv6)),
  ];
  if (scope.mode === 'captured') {
    clusters.push(originalDestination(passthroughCluster, connectWithin), {
      ...originalDestination(inboundPassthroughCluster, connectWithin),
      upstream_bind_config: inboundSource(hasIpv6),
    });
  } else if (settings.outbound === 'allow-any') {
    clusters.push({
      name: passthroughCluster,
      connect_timeout: connectWithin,
      lb_policy: 'CLUSTER_PROVIDED',
      circuit_breakers: circuitBreakers,
      cluster_type: {
        name: 'envoy.clusters.dynamic_forward_proxy',
        typed_config: any('envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig', {
          dns_cache_config: dnsCache,
        }),
      },
    });
  }
  return clusters;
}

function originalDestination(name: string, connectWithin: string | undefined): NamedPlain {
  return {
    name,
    type: 'ORIGINAL_DST',
    connect_timeout: connectWithin,
    lb_policy: 'CLUSTER_PROVIDED',
    circuit_breakers: circuitBreakers,
    typed_extension_protocol_options: asDownstream,
  };
}

/**
 * Captured: on to the address the peer connected to, for the application may listen on the pod's IP alone. The connection leaves from
 * 127.0.0.6 (::6), by which the iptables rules know it and do not capture it again (Istio's convention).
 * Explicit: to the workload's own port on its loopback.
 */
function inbound(
  { port, targetPort, protocol }: InboundPort,
  scope: Scope,
  connectWithin: string | undefined,
  hasIpv6: boolean,
): NamedPlain {
  const name = inboundCluster(port);
  const options = protocol === 'http' ? asDownstream : spoken(protocol);
  if (scope.mode === 'captured') {
    return {
      ...originalDestination(name, connectWithin),
      typed_extension_protocol_options: options,
      upstream_bind_config: inboundSource(hasIpv6),
    };
  }
  return {
    name,
    type: 'STATIC',
    connect_timeout: connectWithin,
    circuit_breakers: circuitBreakers,
    typed_extension_protocol_options: options,
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress('127.0.0.1', targetPort) } }] }],
    },
  };
}

function inboundSource(hasIpv6: boolean): Plain {
  const extra = hasIpv6 ? { extra_source_addresses: [{ address: { address: '::6', port_value: 0 } }] } : {};
  return { source_address: { address: '127.0.0.6', port_value: 0 }, ...extra };
}
