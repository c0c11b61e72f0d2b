/**
 * TLS without a key: a sidecar reads the server name that a client asks for (SNI) and hands the bytes on by it. Chains of the
 * `0.0.0.0_<port>` listeners, for hosts that have no address of their own in the proxy's cluster.
 */

import type { MeshSettings } from '../model/mesh.ts';
import type { ServicePolicy } from '../model/service-policy.ts';
import { constantAny, type Plain } from './proto/encode.ts';
import type { ClusterShare } from './routes.ts';
import { tcpProxy } from './tcp-proxy.ts';

export interface SniChain {
  readonly name: string;
  /** `api.example.com`, `*.example.com`. */
  readonly serverNames: readonly string[];
  readonly shares: readonly ClusterShare[];
  readonly policy?: ServicePolicy | undefined;
}

/** Server names in one listener; what is more is treated as unknown. */
export const serverNamesMax = 4096;

export function sniFilterChain({ name, serverNames, shares, policy }: SniChain, settings: MeshSettings): Plain {
  return {
    name: `${name}|sni`,
    filter_chain_match: { server_names: serverNames, transport_protocol: 'tls' },
    filters: [tcpProxy('outbound', name, shares, settings, policy)],
  };
}

export const tlsInspector: Plain = {
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: constantAny('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector'),
};

/** Envoy refuses a listener in which two chains match alike: a name that two services have goes to the one whose key sorts first. */
export function distinctNames(chains: ReadonlyMap<string, SniChain>): { chains: SniChain[]; dropped: number } {
  const taken = new Set<string>();
  const kept: SniChain[] = [];
  let dropped = 0;
  for (const [, chain] of [...chains].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const fresh = chain.serverNames.filter((name) => !taken.has(name));
    const serverNames = fresh.slice(0, Math.max(0, serverNamesMax - taken.size));
    dropped += fresh.length - serverNames.length;
    for (const name of serverNames) taken.add(name);
    if (serverNames.length > 0) kept.push({ ...chain, serverNames });
  }
  return { chains: kept, dropped };
}
