/**
 * Explicit mode's way to hosts that no service has: Envoy's dynamic forward proxy, which looks the host up by DNS when it is asked for.
 */

import { any, type Plain } from './proto/encode.ts';

/** The filter and the Envoy cluster must carry the very same DNS cache settings. */
export const dnsCache: Plain = {
  name: 'passthrough',
  dns_lookup_family: 'V4_PREFERRED',
  max_hosts: 4096,
};

export const forwardProxyFilter: Plain = {
  name: 'envoy.filters.http.dynamic_forward_proxy',
  typed_config: any('envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig', {
    dns_cache_config: dnsCache,
  }),
};
