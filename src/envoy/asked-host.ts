/**
 * Which virtual host a sidecar in captured mode means that asks for one over VHDS: Envoy asks by the Host of a request as it stands there,
 * `8080/reviews:8080`, though in a port's own table it is matched without a port.
 */

/**
 * `<table>/<host>` without the port, cut where Envoy cuts it: at the last colon, whatever follows, unless a bracket closes after it (IPv6).
 * https://github.com/envoyproxy/envoy/blob/v1.36.0/source/common/http/header_utility.cc (`getPortStart`)
 */
export function askedHost(name: string): string {
  const colon = name.lastIndexOf(':');
  return colon === -1 || colon < name.lastIndexOf('/') || colon < name.lastIndexOf(']') ? name : name.slice(0, colon);
}
