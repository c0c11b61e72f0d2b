/**
 * Listeners (LDS) of a service for proxyless gRPC clients: one for each name by which a client may ask for one of its ports. They hold where the
 * routes are and the two filters that gRPC knows, so that no rule ever changes them.
 *
 * https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md, A39 (filters)
 */

import type { EncodedResource } from '../../core/resource.ts';
import { typeUrl } from '../../core/type-urls.ts';
import type { MeshSettings } from '../../model/mesh.ts';
import type { CatalogService } from '../../model/service.ts';
import { overAds } from '../common.ts';
import { faultFilter } from '../http-filters.ts';
import { serviceHost } from '../names.ts';
import { any, constantAny, encodeResource, type NamedPlain, type Plain } from '../proto/encode.ts';
import { askablePorts, barePort, hostOfName, routeTableName } from './names.ts';

/** Here they do nothing; a route gives the first one work. A client that knows no faults leaves it out. */
const filters = [
  {
    name: faultFilter,
    typed_config: constantAny('envoy.extensions.filters.http.fault.v3.HTTPFault'),
    is_optional: true,
  },
  {
    name: 'envoy.filters.http.router',
    typed_config: constantAny('envoy.extensions.filters.http.router.v3.Router'),
  },
];

/** `hosts`: the service's names for who asks. */
export function grpcListeners(
  catalog: CatalogService,
  hosts: readonly string[],
  settings: MeshSettings,
): readonly EncodedResource[] {
  const full = serviceHost(catalog, settings.clusterDomain);
  const bare = barePort(catalog, settings);
  // Nobody's target is a wildcard.
  const askable = hosts.filter((host) => !host.startsWith('*'));
  return askablePorts(catalog).flatMap((port) => {
    const table = routeTableName(full, port.port);
    const names = askable.flatMap((host) => [...(port === bare ? [host] : []), `${host}:${port.port}`]);
    return names.map((name) => encodeResource(typeUrl.listener, name, listener(name, table, catalog.createdAtMs)));
  });
}

function listener(name: string, table: string, createdAtMs: number): NamedPlain {
  // gRPC for Node takes no notice of a listener that comes back as it was before it went: a service made anew is to be another.
  return apiListener(name, String(createdAtMs), { rds: { config_source: overAds, route_config_name: table } });
}

function apiListener(name: string, statPrefix: string, routes: Plain): NamedPlain {
  return {
    name,
    api_listener: {
      api_listener: any('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
        stat_prefix: statPrefix,
        ...routes,
        http_filters: filters,
      }),
    },
  };
}

/**
 * For a target that is not there: its calls go to an Envoy cluster that is not there either, which has no endpoint. (Without any
 * route, or host, gRPC for Node 1.14.1 goes on waiting until the call's deadline; without a host others would name the target in their error.)
 */
export function noListener(name: string): EncodedResource {
  const host = hostOfName(typeUrl.listener, name);
  const port = name === host ? '0' : name.slice(host.length + 1);
  const route = { match: { prefix: '' }, route: { cluster: `outbound|${port}||${host}` } };
  const routes = { route_config: { name, virtual_hosts: [{ name, domains: ['*'], routes: [route] }] } };
  return encodeResource(typeUrl.listener, name, apiListener(name, 'none', routes));
}
