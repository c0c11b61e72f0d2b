/** The xDS type URLs in use, in the order in which they are sent: make before break (https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations). */

export const typeUrl = {
  cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoint: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  virtualHost: 'type.googleapis.com/envoy.config.route.v3.VirtualHost',
  secret: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
} as const;

export type TypeUrl = (typeof typeUrl)[keyof typeof typeUrl];

/** Envoy's short names, as people know them from `istioctl proxy-status`. */
export const shortTypeName: Readonly<Record<TypeUrl, string>> = {
  [typeUrl.cluster]: 'CDS',
  [typeUrl.endpoint]: 'EDS',
  [typeUrl.listener]: 'LDS',
  [typeUrl.route]: 'RDS',
  [typeUrl.virtualHost]: 'VHDS',
  [typeUrl.secret]: 'SDS',
};

/**
 * The order in which additions and changes go out. Removals of what others refer to (clusters, then their endpoints, then secrets) go after all
 * of them; removals of listeners and routes go with their changes.
 */
export const pushOrder: readonly TypeUrl[] = [
  typeUrl.secret,
  typeUrl.cluster,
  typeUrl.endpoint,
  typeUrl.listener,
  typeUrl.route,
  typeUrl.virtualHost,
];
