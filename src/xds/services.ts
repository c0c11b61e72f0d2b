/** The gRPC methods that serve resources: paths as in envoy/service. Messages pass through as bytes; src/xds/request.ts and response.ts know them. */

import type { ServiceDefinition } from '@grpc/grpc-js';
import { typeUrl } from '../core/type-urls.ts';

export interface ResourceMethod {
  readonly path: string;
  readonly transport: 'sotw' | 'delta';
  /** The one type of a separate service; undefined on the aggregated one. */
  readonly onlyType: string | undefined;
}

const separate: readonly (readonly [service: string, plural: string, typeUrl: string])[] = [
  ['envoy.service.cluster.v3.ClusterDiscoveryService', 'Clusters', typeUrl.cluster],
  ['envoy.service.endpoint.v3.EndpointDiscoveryService', 'Endpoints', typeUrl.endpoint],
  ['envoy.service.listener.v3.ListenerDiscoveryService', 'Listeners', typeUrl.listener],
  ['envoy.service.route.v3.RouteDiscoveryService', 'Routes', typeUrl.route],
  ['envoy.service.secret.v3.SecretDiscoveryService', 'Secrets', typeUrl.secret],
];

const aggregated = '/envoy.service.discovery.v3.AggregatedDiscoveryService';

export const resourceMethods: readonly ResourceMethod[] = [
  { path: `${aggregated}/StreamAggregatedResources`, transport: 'sotw', onlyType: undefined },
  { path: `${aggregated}/DeltaAggregatedResources`, transport: 'delta', onlyType: undefined },
  ...separate.flatMap(([service, plural, onlyType]): ResourceMethod[] => [
    { path: `/${service}/Stream${plural}`, transport: 'sotw', onlyType },
    { path: `/${service}/Delta${plural}`, transport: 'delta', onlyType },
  ]),
  // There is no SotW variant of virtual hosts.
  {
    path: '/envoy.service.route.v3.VirtualHostDiscoveryService/DeltaVirtualHosts',
    transport: 'delta',
    onlyType: typeUrl.virtualHost,
  },
];

const statusService = '/envoy.service.status.v3.ClientStatusDiscoveryService';

export const statusMethods = {
  stream: `${statusService}/StreamClientStatus`,
  fetch: `${statusService}/FetchClientStatus`,
} as const;

/** A definition for grpc-js in which every message is a Buffer, untouched. */
export function bytesMethod(path: string, streaming: boolean): ServiceDefinition[string] {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path,
    requestStream: streaming,
    responseStream: streaming,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}
