/**
 * The names by which a proxyless gRPC client asks for things, and which services they mean.
 *
 * A client asks for a listener by its target (`reviews.shop:9080` of `xds:///reviews.shop:9080`), then for what that leads to: a route table by the
 * service's full name and port, Envoy clusters and their assignments by the names that sidecars know them by.
 */

import { typeUrl } from '../../core/type-urls.ts';
import type { MeshSettings } from '../../model/mesh.ts';
import type { CatalogPort, CatalogService } from '../../model/service.ts';
import { isHttp } from '../virtual-hosts.ts';

/** `reviews.shop.svc.cluster.local:9080`; what is not IPv6 in brackets holds no other colon. */
export function routeTableName(host: string, port: number): string {
  return `${host}:${port}`;
}

/** The host in a resource's name that a client asks for; '' for a name that is none of these. */
export function hostOfName(url: string, name: string): string {
  if (url === typeUrl.cluster || url === typeUrl.endpoint) {
    const parts = name.split('|');
    return parts.length === 4 && parts[0] === 'outbound' ? (parts[3] ?? '') : '';
  }
  if (url !== typeUrl.listener && url !== typeUrl.route) return '';
  const colon = name.lastIndexOf(':');
  return colon < 0 ? name : name.slice(0, colon);
}

/** The ports that a gRPC client may ask for: whatever their protocol is said to be, whoever asks speaks gRPC. */
export function askablePorts({ ports }: CatalogService): readonly CatalogPort[] {
  return ports.filter(({ transport }) => transport === 'TCP');
}

/** The port that a target without one means: the only one that is declared as gRPC's, or else the only one for requests. */
export function barePort(service: CatalogService, settings: MeshSettings): CatalogPort | undefined {
  const requests = service.ports.filter((port) => isHttp(port, settings));
  const [grpc, ...otherGrpc] = requests.filter(({ protocol }) => protocol === 'grpc');
  if (grpc !== undefined) return otherGrpc.length === 0 ? grpc : undefined;
  return requests.length === 1 ? requests[0] : undefined;
}
