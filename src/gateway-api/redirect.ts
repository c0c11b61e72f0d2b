/**
 * Which port a redirect names. The standard: the one that is given; else the well-known one of the scheme that is given; else the one that was
 * asked; and none is written that the scheme has anyhow. https://gateway-api.sigs.k8s.io/reference/spec/#httprequestredirectfilter (port)
 */

import type { Redirect } from '../model/route-filters.ts';

const wellKnown = { http: 80, https: 443 } as const;

/**
 * For requests that asked for `port` in the open. Without a port in the redirect a proxy writes none after a new host name, and leaves the
 * request's own otherwise, except one that was the old scheme's.
 */
export function redirectFrom(redirect: Redirect, port: number): Redirect {
  const { scheme, hostname } = redirect;
  if (redirect.port === undefined && scheme === undefined && hostname === undefined) return redirect;
  const wanted = redirect.port ?? (scheme === undefined ? port : wellKnown[scheme]);
  const isImplied = wanted === wellKnown[scheme ?? 'http'];
  const { port: _given, ...portless } = redirect;
  // Of a request to port 80 the Host names no other.
  return isImplied && (hostname !== undefined || port === wellKnown.http) ? portless : { ...redirect, port: wanted };
}
