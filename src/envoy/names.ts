/**
 * The names that Fairway gives to Envoy's resources: Istio's, so that what people know of `istioctl proxy-config` and their dashboards holds.
 */

import { isIPv6 } from 'node:net';
import type { RuleBackend } from '../model/rule.ts';
import { chainName } from '../model/rule.ts';
import type { CatalogService } from '../model/service.ts';

/** Sends a connection on to where it was going (captured), or to the host it names (explicit). */
export const passthroughCluster = 'PassthroughCluster';
/** Has no endpoint: refuses. */
export const blackHoleCluster = 'BlackHoleCluster';
export const inboundPassthroughCluster = 'InboundPassthroughCluster';

export const virtualOutbound = 'virtualOutbound';
export const virtualInbound = 'virtualInbound';
/** Explicit mode's outbound listener and its route table. */
export const httpProxy = 'http_proxy';

/** `reviews.shop.svc.cluster.local`; for what is not of the mesh, its own host. */
export function serviceHost(
  service: Pick<CatalogService, 'name' | 'namespace' | 'host'>,
  clusterDomain: string,
): string {
  return service.host ?? `${service.name}.${service.namespace}.svc.${clusterDomain}`;
}

/** `outbound|80|v2.west|reviews.shop.svc.cluster.local`; also the name of its endpoint assignment. */
export function outboundCluster(port: number, chain: RuleBackend['chain'], host: string): string {
  return `outbound|${port}|${chainName(chain)}|${host}`;
}

export function inboundCluster(port: number): string {
  return `inbound|${port}||`;
}

/** `0.0.0.0_80`, `10.96.0.5_6379`, `fd00::5_6379`. */
export function listenerName(address: string, port: number): string {
  return `${address}_${port}`;
}

/** An address as it stands before a port or in a Host header: IPv6 in brackets. */
export function hostOfAddress(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}
