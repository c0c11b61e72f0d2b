/**
 * Renders the bootstrap of a proxyless gRPC client: who it is, and where its pilot is; for the file that GRPC_XDS_BOOTSTRAP names, or the text of
 * GRPC_XDS_BOOTSTRAP_CONFIG.
 *
 * In: options as people give them on the command line, already checked. Out: a plain object to be written as JSON.
 * https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md#xdsclient-and-bootstrap-file; the node is a sidecar's
 * (bootstrap.ts), with the generator that Istio's agents give to such clients.
 */

import { type BootstrapOptions, renderNode } from '../bootstrap.ts';

export type GrpcBootstrapOptions = Omit<
  BootstrapOptions,
  'mode' | 'transport' | 'routes' | 'config' | 'adminPort' | 'outbound' | 'inboundAddress' | 'inbound'
>;

/** gRPC's own names for the fields. */
export interface GrpcBootstrap {
  readonly xds_servers: readonly {
    readonly server_uri: string;
    readonly channel_creds: readonly { readonly type: 'insecure' }[];
    readonly server_features: readonly string[];
  }[];
  readonly node: Readonly<Record<string, unknown>>;
}

/** Of several pilots a client uses the first; those that know fallback (gRFC A71) the next ones when it is away. */
export function renderGrpcBootstrap(options: GrpcBootstrapOptions): GrpcBootstrap {
  const { id, cluster, locality, metadata } = renderNode({ ...options, mode: 'captured', transport: 'sotw' });
  const { FAIRWAY_MODE: _mode, ...rest } = metadata;
  return {
    xds_servers: options.xds.map((address) => ({
      server_uri: address,
      channel_creds: [{ type: 'insecure' }],
      server_features: ['xds_v3'],
    })),
    node: {
      id,
      cluster,
      // gRPC for Node takes no bootstrap without one, though it be empty.
      locality: locality ?? {},
      metadata: { ...rest, GENERATOR: 'grpc' },
    },
  };
}
