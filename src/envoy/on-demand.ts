/**
 * The filter by which a sidecar in on-demand mode gets what a request needs: the virtual host of its Host over VHDS, then the Envoy cluster that
 * the route chose over CDS, while the request waits.
 */

import { overAds } from './common.ts';
import { any, type Plain } from './proto/encode.ts';

/** Stands before every filter that looks at the route. */
export const onDemandFilter: Plain = {
  name: 'envoy.filters.http.on_demand',
  // After Envoy's 5 s without an answer the request goes on, and fails if the Envoy cluster is still not there.
  typed_config: any('envoy.extensions.filters.http.on_demand.v3.OnDemand', { odcds: { source: overAds } }),
};
