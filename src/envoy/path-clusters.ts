/** Envoy clusters and their endpoints, decoded for people: by priority, with what the control plane knows of each endpoint beside it. */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { PathCluster, PathEndpoint } from '../model/inspection.ts';
import { readWho, type Who, whoField, whoFilter } from './endpoint-identity.ts';
import { decodeResource } from './proto/decode.ts';

/** Of one Envoy cluster; the rest is counted. */
const endpointsMax = 1000;

interface ClusterMessage {
  readonly type?: string;
  readonly cluster_type?: { readonly name?: string };
  readonly lb_policy?: string;
  readonly eds_cluster_config?: { readonly service_name?: string };
  readonly load_assignment?: AssignmentMessage;
}

interface AssignmentMessage {
  readonly endpoints?: readonly {
    readonly priority?: number;
    readonly load_balancing_weight?: number;
    readonly locality?: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
    readonly lb_endpoints?: readonly EndpointMessage[];
  }[];
}

interface EndpointMessage {
  readonly health_status?: string;
  readonly load_balancing_weight?: number;
  readonly metadata?: {
    readonly filter_metadata?: { readonly [whoFilter]?: { readonly [whoField]?: string } };
  };
  readonly endpoint?: {
    readonly address?: { readonly socket_address?: { readonly address?: string; readonly port_value?: number } };
  };
}

/** Who listens on an address and port, as the control plane knows it. */
export type EndpointAt = (address: string, port: number) => Who | undefined;

const nobody: Who = { version: '', cluster: '', workload: '' };

/** `endpointAt`: for endpoints that do not say themselves who they are, as without an access log. */
export function pathClusters(
  names: Iterable<string>,
  get: (url: string, name: string) => EncodedResource | undefined,
  endpointAt: EndpointAt = () => undefined,
): PathCluster[] {
  return [...names].map((name) => {
    const resource = get(typeUrl.cluster, name);
    if (resource === undefined) return { name, type: '', balancing: '', endpoints: [], omitted: 0 };
    const message = decodeResource(resource) as ClusterMessage;
    const { cluster_type, lb_policy, eds_cluster_config, load_assignment } = message;
    const type = message.type ?? cluster_type?.name ?? 'STATIC';
    const assignment = type === 'EDS' ? get(typeUrl.endpoint, eds_cluster_config?.service_name ?? name) : undefined;
    const all =
      assignment === undefined
        ? endpointsOf(load_assignment, 'UNKNOWN', endpointAt)
        : endpointsOf(decodeResource(assignment), 'HEALTHY', endpointAt);
    const endpoints = all.slice(0, endpointsMax);
    const balancing = (lb_policy ?? 'ROUND_ROBIN').toLowerCase().replaceAll('_', ' ');
    return { name, type, balancing, endpoints, omitted: all.length - endpoints.length };
  });
}

/** `health`: of those of which nothing is said. */
function endpointsOf(
  assignment: AssignmentMessage | undefined,
  health: string,
  endpointAt: EndpointAt,
): PathEndpoint[] {
  return (assignment?.endpoints ?? []).flatMap(
    ({ priority = 0, locality = {}, load_balancing_weight: localityWeight, lb_endpoints = [] }) =>
      lb_endpoints.map(({ health_status, load_balancing_weight, metadata, endpoint }): PathEndpoint => {
        const said = metadata?.filter_metadata?.[whoFilter]?.[whoField];
        const { address = '', port_value = 0 } = endpoint?.address?.socket_address ?? {};
        const who = said === undefined ? endpointAt(address, port_value) : readWho(said);
        return {
          address,
          port: port_value,
          priority,
          health: health_status ?? health,
          locality: { region: locality.region ?? '', zone: locality.zone ?? '', subzone: locality.sub_zone ?? '' },
          ...(localityWeight === undefined ? {} : { localityWeight }),
          ...(load_balancing_weight === undefined ? {} : { weight: load_balancing_weight }),
          ...(who ?? nobody),
        };
      }),
  );
}
