/**
 * Listeners for what a workload receives: in captured mode one, `virtualInbound`, with a filter chain per port; in explicit mode one per port.
 */

import type { InboundPort, MeshSettings, Scope } from '../model/mesh.ts';
import { socketAddress } from './common.ts';
import { httpManager } from './http-connection-manager.ts';
import { blackHoleCluster, inboundCluster, inboundPassthroughCluster, virtualInbound } from './names.ts';
import { constantAny, type NamedPlain, type Plain } from './proto/encode.ts';
import { tcpTo } from './tcp-proxy.ts';

/** Where iptables redirects to (Istio's port). */
export const inboundCapturePort = 15006;

export function virtualInboundListener(scope: Scope, settings: MeshSettings, hasIpv6: boolean): NamedPlain {
  return {
    name: virtualInbound,
    address: socketAddress('0.0.0.0', inboundCapturePort),
    ...(hasIpv6 ? { additional_addresses: [{ address: socketAddress('::', inboundCapturePort) }] } : {}),
    traffic_direction: 'INBOUND',
    listener_filters: [
      {
        name: 'envoy.filters.listener.original_dst',
        typed_config: constantAny('envoy.extensions.filters.listener.original_dst.v3.OriginalDst'),
      },
    ],
    filter_chains: [
      {
        name: 'virtualInbound-blackhole',
        filter_chain_match: { destination_port: inboundCapturePort },
        filters: [tcpTo('inbound', blackHoleCluster, settings)],
      },
      ...scope.inbound.map((port) => ({
        name: inboundCluster(port.port),
        filter_chain_match: { destination_port: port.port },
        filters: [inboundFilter(port, settings)],
      })),
    ],
    default_filter_chain: {
      name: 'virtualInbound-catchall-tcp',
      filters: [tcpTo('inbound', inboundPassthroughCluster, settings)],
    },
  };
}

/** Explicit mode: `inbound_18080` and so on. */
export function inboundListeners(scope: Scope, settings: MeshSettings): NamedPlain[] {
  return scope.inbound.map((port) => ({
    name: `inbound_${port.port}`,
    address: socketAddress(scope.inboundAddress, port.port),
    traffic_direction: 'INBOUND',
    filter_chains: [{ name: inboundCluster(port.port), filters: [inboundFilter(port, settings)] }],
  }));
}

function inboundFilter({ port, protocol }: InboundPort, settings: MeshSettings): Plain {
  const cluster = inboundCluster(port);
  if (protocol === 'tcp') return tcpTo('inbound', cluster, settings);
  const routes: Plain = {
    name: cluster,
    validate_clusters: false,
    virtual_hosts: [
      {
        name: `inbound|http|${port}`,
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { prefix: '/' },
            route: {
              cluster,
              timeout: '0s',
              // The application closed a kept connection just as it was to be used again: nothing of the request has been read.
              retry_policy: { retry_on: 'reset-before-request', num_retries: 2 },
            },
          },
        ],
      },
    ],
  };
  return httpManager({ direction: 'inbound', routes, statPrefix: `inbound_${port}` }, settings);
}
