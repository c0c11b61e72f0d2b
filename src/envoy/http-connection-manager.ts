/**
 * The HTTP connection manager as sidecars use it, in both directions: it must not change what two applications say to each other.
 */

import type { MeshSettings } from '../model/mesh.ts';
import { accessLog, overAds } from './common.ts';
import { localReplies } from './local-replies.ts';
import { any, constantAny, type Plain } from './proto/encode.ts';

export interface HttpManager {
  readonly direction: 'inbound' | 'outbound';
  /** A route table's name (RDS), or the table itself. */
  readonly routes: string | Plain;
  readonly statPrefix: string;
  /** Filters before the router. */
  readonly filters?: readonly Plain[];
  /** Takes CONNECT, for explicit mode. */
  readonly connect?: boolean;
}

export function httpManager(manager: HttpManager, settings: MeshSettings): Plain {
  const { direction, routes, statPrefix, filters = [], connect = false } = manager;
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: any('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
      stat_prefix: statPrefix,
      codec_type: 'AUTO',
      ...(typeof routes === 'string'
        ? { rds: { config_source: overAds, route_config_name: routes } }
        : { route_config: routes }),
      http_filters: [
        ...filters,
        {
          name: 'envoy.filters.http.router',
          typed_config: constantAny('envoy.extensions.filters.http.router.v3.Router'),
        },
      ],
      ...(direction === 'outbound' ? { local_reply_config: localReplies } : {}),
      access_log: accessLog(settings, direction, 'http'),
      http_protocol_options: { accept_http_10: true },
      http2_protocol_options: connect ? { allow_connect: true } : {},
      upgrade_configs: [{ upgrade_type: 'websocket' }, ...(connect ? [{ upgrade_type: 'CONNECT' }] : [])],
      // The peer is a workload of the mesh, not the edge: what it says in X-Forwarded-For stays as it is.
      use_remote_address: false,
      normalize_path: true,
      // A name with a dot at its end is the same name, which is not searched for in resolv.conf's domains; no virtual host has it.
      ...(direction === 'outbound' ? { strip_trailing_host_dot: true } : {}),
      preserve_external_request_id: true,
      // The application's own Server header stays; Fairway signs only what Envoy answers itself.
      server_name: 'fairway',
      server_header_transformation: 'APPEND_IF_ABSENT',
      // A stream may be silent for hours (watches, WebSockets); it is the application that knows when one is dead.
      stream_idle_timeout: '0s',
    }),
  };
}
