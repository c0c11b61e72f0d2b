/**
 * Envoy clusters (CDS) of a service for proxyless gRPC clients: those that sidecars have, by the same names, with the fields that gRPC reads and
 * in the forms that every client takes.
 *
 * In: the service and the settings. What always holds: there is one for each that sidecars have, and none that a client refuses.
 * https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md, A32 (circuit breaking), A42 (ring hash), A48 (least request), A50
 * (outliers), A52 (lists of policies)
 */

import type { EncodedResource } from '../../core/resource.ts';
import { typeUrl } from '../../core/type-urls.ts';
import type { MeshService, MeshSettings } from '../../model/mesh.ts';
import { type Destination, destinationName } from '../../model/rule.ts';
import type { CatalogPort } from '../../model/service.ts';
import type { OutlierDetection, ServicePolicy } from '../../model/service-policy.ts';
import { overAds, socketAddress } from '../common.ts';
import { outboundCluster, serviceHost } from '../names.ts';
import { any, durationMs, encodeResource, type Plain } from '../proto/encode.ts';
import { askablePorts } from './names.ts';

const unlimited = 0xffff_ffff;
/** Of both bounds of a ring. */
const ringSizeMax = 8_388_608;

export function grpcClusters(service: MeshService, settings: MeshSettings): readonly EncodedResource[] {
  const { catalog, chains, policy } = service;
  const host = serviceHost(catalog, settings.clusterDomain);
  return askablePorts(catalog).flatMap((port) =>
    chains.map((chain) => {
      const name = outboundCluster(port.port, chain, host);
      return encodeResource(typeUrl.cluster, name, {
        name,
        ...whereabouts(service, chain, port, name),
        ...balancing(policy),
        outlier_detection: outlierDetection(policy?.outlierDetection),
        // Without a limit of its own a client would take 1024.
        circuit_breakers: { thresholds: [{ max_requests: policy?.connections?.maxRequests ?? unlimited }] },
      });
    }),
  );
}

/** What a client gets that asks for an Envoy cluster which is not there: without it, it would wait for 15 s, and all else of its target with it. */
export function noCluster(name: string): EncodedResource {
  return encodeResource(typeUrl.cluster, name, { name, ...overEds(name), lb_policy: 'ROUND_ROBIN' });
}

function overEds(name: string): Plain {
  return { type: 'EDS', eds_cluster_config: { service_name: name, eds_config: overAds } };
}

/** A name is looked up by the client itself, but where it would have to begin TLS, which it does not; addresses that somebody wrote down come over EDS as those of the mesh do. */
function whereabouts({ catalog }: MeshService, chain: readonly Destination[], port: CatalogPort, name: string): Plain {
  const { upstream } = catalog;
  if (upstream?.kind !== 'dns' || !leadsOut(chain) || port.originate !== undefined) return overEds(name);
  return {
    type: 'LOGICAL_DNS',
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: socketAddress(upstream.name, port.targetPort ?? port.port) } }] },
      ],
    },
  };
}

/** Versions and places are the mesh's own: what is outside has none. */
export function leadsOut(chain: readonly Destination[]): boolean {
  return chain.some((destination) => destinationName(destination) === '');
}

/**
 * Every client knows round robin and, with few exceptions, ring hash; least request only some, which take the first policy of a list that they
 * know. In the words of before the lists, for who knows no lists, and of a policy that no client has (random), it is round robin.
 */
function balancing(policy: ServicePolicy | undefined): Plain {
  const lb = policy?.loadBalancer;
  if (lb?.kind === 'least-request') {
    const choice = { choice_count: Math.max(2, lb.choices) };
    const endpoints = {
      policies: [policyOf('least_request', 'LeastRequest', choice), policyOf('round_robin', 'RoundRobin')],
    };
    // Localities by their weights, as without a list.
    const policies = [policyOf('wrr_locality', 'WrrLocality', { endpoint_picking_policy: endpoints })];
    return { lb_policy: 'ROUND_ROBIN', load_balancing_policy: { policies } };
  }
  if (lb?.kind === 'ring-hash') {
    return {
      lb_policy: 'RING_HASH',
      ring_hash_lb_config: {
        minimum_ring_size: Math.min(lb.minRingSize, ringSizeMax),
        maximum_ring_size: Math.min(lb.maxRingSize, ringSizeMax),
      },
    };
  }
  return { lb_policy: lb?.kind === 'maglev' ? 'RING_HASH' : 'ROUND_ROBIN' };
}

function policyOf(name: string, message: string, fields: Plain = {}): Plain {
  const typeName = `envoy.extensions.load_balancing_policies.${name}.v3.${message}`;
  return {
    typed_extension_config: { name: `envoy.load_balancing_policies.${name}`, typed_config: any(typeName, fields) },
  };
}

/**
 * gRPC counts shares of calls that failed, not errors in a row: an endpoint goes when, of so many calls as were to fail in a row, more than 99 %
 * failed within one interval. Endpoints that cannot be reached are left by a client anyway.
 */
function outlierDetection(outlier: OutlierDetection | undefined): Plain | undefined {
  const inARow = [outlier?.consecutiveErrors ?? 0, outlier?.consecutiveGatewayErrors ?? 0].filter((each) => each > 0);
  if (outlier === undefined || inARow.length === 0) return undefined;
  return {
    interval: durationMs(outlier.intervalMs),
    base_ejection_time: durationMs(outlier.baseEjectionMs),
    max_ejection_time: durationMs(outlier.maxEjectionMs),
    max_ejection_percent: outlier.maxEjectedPercent,
    enforcing_success_rate: 0,
    enforcing_failure_percentage: 100,
    failure_percentage_threshold: 99,
    failure_percentage_minimum_hosts: 1,
    failure_percentage_request_volume: Math.min(...inARow),
  };
}
