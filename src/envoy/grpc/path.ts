/**
 * What a proxyless client would use for a call to a host, read back from the resources that its view holds: the listener by the target's name,
 * the route table that it names, and its routes. In: path-question.ts; out as in request-path.ts.
 */

import { typeUrl } from '../../core/type-urls.ts';
import type { PathRoute, RequestWay } from '../../model/inspection.ts';
import { faultFilter } from '../http-filters.ts';
import { hostOfAddress } from '../names.ts';
import type { HeldResources, PathQuestion } from '../path-question.ts';
import { pathRoutes } from '../path-routes.ts';
import { decodeResource } from '../proto/decode.ts';
import type { Plain } from '../proto/encode.ts';

interface ListenerMessage {
  readonly api_listener?: { readonly api_listener?: { readonly rds?: { readonly route_config_name?: string } } };
}

interface TableMessage {
  readonly virtual_hosts?: readonly {
    readonly name?: string;
    readonly domains?: readonly string[];
    readonly routes?: readonly Plain[];
  }[];
}

export function askedWays(held: HeldResources, { host, port }: PathQuestion): { listener: string; ways: RequestWay[] } {
  const name = `${hostOfAddress(host)}:${port}`;
  const listener = held.resources(typeUrl.listener).get(name);
  if (listener === undefined) return { listener: name, ways: [] };
  const { api_listener } = decodeResource(listener) as ListenerMessage;
  const table = api_listener?.api_listener?.rds?.route_config_name ?? '';
  const resource = held.resources(typeUrl.route).get(table);
  const { virtual_hosts = [] }: TableMessage = resource === undefined ? {} : decodeResource(resource);
  const ways = virtual_hosts.map(({ name: hostName = '', domains = [], routes = [] }): RequestWay => {
    const virtualHost = { name: hostName, domains, isCatchAll: false };
    return {
      traffic: 'gRPC',
      table,
      virtualHost,
      routes: pathRoutes(routes).map((route, at) => said(route, routes[at])),
    };
  });
  return { listener: name, ways };
}

interface FaultMessage {
  readonly abort?: { readonly grpc_status?: number; readonly percentage?: { readonly numerator?: number } };
}

/** A route that fails every call stands for an answer that a sidecar would give. */
function said(route: PathRoute, plain: Plain | undefined): PathRoute {
  const filters = plain?.['typed_per_filter_config'] as Readonly<Record<string, FaultMessage>> | undefined;
  const abort = filters?.[faultFilter]?.abort;
  const isAll = abort?.percentage?.numerator === 1_000_000;
  return isAll && abort?.grpc_status !== undefined
    ? { ...route, action: `answer gRPC status ${abort.grpc_status}`, clusters: [] }
    : route;
}
