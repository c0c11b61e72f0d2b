/**
 * The HTTP filters of every outbound listener that routes may use: here they do nothing, and a route (or its virtual host) gives them work by
 * `typed_per_filter_config`. So a rule's change sends its virtual host, and never a listener.
 *
 * They stand behind the on-demand filter: before it they would see a host's first request without its route, or again when the stream starts
 * anew. None of them is marked as disabled: Envoy decides that when a stream begins, which in on-demand mode is before the route is known.
 */

import { constantAny, type Plain } from './proto/encode.ts';

export const corsFilter = 'envoy.filters.http.cors';
export const faultFilter = 'envoy.filters.http.fault';
export const rateLimitFilter = 'envoy.filters.http.local_ratelimit';

export const routeFilters: readonly Plain[] = [
  { name: corsFilter, typed_config: constantAny('envoy.extensions.filters.http.cors.v3.Cors') },
  {
    name: faultFilter,
    typed_config: constantAny('envoy.extensions.filters.http.fault.v3.HTTPFault', {
      // Else every calling cluster's name would make statistics of its own.
      disable_downstream_cluster_stats: true,
    }),
  },
  {
    name: rateLimitFilter,
    typed_config: constantAny('envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit', {
      stat_prefix: 'http_local_rate_limiter',
    }),
  },
];
