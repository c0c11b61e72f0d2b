/** The TCP proxy: bytes from a connection to one of some Envoy clusters. */

import type { MeshSettings } from '../model/mesh.ts';
import type { ServicePolicy } from '../model/service-policy.ts';
import { connectionHashPolicy } from './cluster-balancing.ts';
import { carriedConnections } from './cluster-policy.ts';
import { accessLog } from './common.ts';
import { any, type Plain } from './proto/encode.ts';
import { type ClusterShare, toClusters } from './routes.ts';

/** `statPrefix`: what the connection is for; the name of the one Envoy cluster, mostly. `policy`: of the service that it is to. */
export function tcpProxy(
  direction: 'inbound' | 'outbound',
  statPrefix: string,
  shares: readonly ClusterShare[],
  settings: MeshSettings,
  policy?: ServicePolicy,
): Plain {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: any('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
      stat_prefix: statPrefix,
      ...toClusters(shares),
      ...carriedConnections(policy),
      hash_policy: connectionHashPolicy(policy),
      // A connection that an endpoint does not take is tried at others before the client hears of it; without this, once.
      max_connect_attempts: direction === 'outbound' ? 3 : undefined,
      access_log: accessLog(settings, direction, 'tcp'),
    }),
  };
}

/** To a single Envoy cluster. */
export function tcpTo(direction: 'inbound' | 'outbound', cluster: string, settings: MeshSettings): Plain {
  return tcpProxy(direction, cluster, [{ name: cluster, weight: 1 }], settings);
}
