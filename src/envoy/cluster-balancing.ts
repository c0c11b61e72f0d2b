/**
 * Which endpoint of an Envoy cluster takes a request, in Envoy's words; and what it is chosen by where requests belong together.
 *
 * What always holds: the least panic threshold is 1 %. Endpoints stand in an assignment because their cluster says that they are ready, so when
 * a proxy alone finds all of them bad, all levels of the chain, it tries them: it may be wrong, and a refusal is no better. While any level has
 * enough, no bad endpoint is used, and an empty chain fails at once.
 */

import type { Affinity, ServicePolicy } from '../model/service-policy.ts';
import { durationMs, type Plain } from './proto/encode.ts';

/** In per cent. Envoy counts whole per cents, and 0 is never. */
const lastResort = 1;

/**
 * Changes of endpoints' health that come closer together than this reach the workers together. Envoy's own 1 s would keep requests going to
 * endpoints that were found bad: of several that are lost at once, all but the first.
 */
const mergeWindow = '0.1s';

export function balancing(policy: ServicePolicy | undefined): Plain {
  return {
    ...balancer(policy),
    common_lb_config: {
      healthy_panic_threshold: { value: policy?.panicThresholdPercent ?? lastResort },
      update_merge_window: mergeWindow,
      // Places with shares: an assignment's weights of localities count. Otherwise a level's endpoints are all alike.
      ...(weighsLocalities(policy) ? { locality_weighted_lb_config: {} } : {}),
    },
  };
}

/** The weights of localities in its assignments count. */
export function weighsLocalities(policy: ServicePolicy | undefined): boolean {
  return policy?.locality?.kind === 'shares';
}

function balancer(policy: ServicePolicy | undefined): Plain {
  const slow =
    policy?.slowStartMs === undefined
      ? {}
      : { slow_start_config: { slow_start_window: durationMs(policy.slowStartMs) } };
  const hasSlow = policy?.slowStartMs !== undefined;
  const lb = policy?.loadBalancer ?? { kind: 'least-request', choices: 2 };
  switch (lb.kind) {
    case 'least-request': {
      // Two choices are Envoy's default too.
      const choices = lb.choices === 2 ? {} : { choice_count: lb.choices };
      const config = lb.choices === 2 && !hasSlow ? {} : { least_request_lb_config: { ...choices, ...slow } };
      return { lb_policy: 'LEAST_REQUEST', ...config };
    }
    case 'round-robin':
      return { lb_policy: 'ROUND_ROBIN', ...(hasSlow ? { round_robin_lb_config: slow } : {}) };
    case 'random':
      return { lb_policy: 'RANDOM' };
    case 'ring-hash':
      return {
        lb_policy: 'RING_HASH',
        ring_hash_lb_config: { minimum_ring_size: lb.minRingSize, maximum_ring_size: lb.maxRingSize },
      };
    case 'maglev':
      return { lb_policy: 'MAGLEV', maglev_lb_config: { table_size: lb.tableSize } };
  }
}

/** A route's `hash_policy`; undefined without affinity. */
export function hashPolicy(policy: ServicePolicy | undefined): readonly Plain[] | undefined {
  return policy?.affinity === undefined ? undefined : [hashed(policy.affinity)];
}

/**
 * What belongs together also goes to the same of several backends with weights. Not by its source: a sidecar has one client, all of whose requests
 * would go to one backend.
 */
export function choosesBackend(policy: ServicePolicy | undefined): boolean {
  return policy?.affinity !== undefined && policy.affinity.kind !== 'source-ip';
}

function hashed(affinity: Affinity): Plain {
  switch (affinity.kind) {
    case 'header':
      return { header: { header_name: affinity.name } };
    case 'query-param':
      return { query_parameter: { name: affinity.name } };
    case 'cookie':
      // Without a time to live Envoy would set no cookie; with 0 it sets one that the client forgets when it ends.
      return { cookie: { name: affinity.name, path: affinity.path, ttl: durationMs(affinity.ttlMs ?? 0) } };
    case 'source-ip':
      return { connection_properties: { source_ip: true } };
  }
}

/** A TCP proxy's `hash_policy`: of what affinity can go by, a plain connection has its source alone. */
export function connectionHashPolicy(policy: ServicePolicy | undefined): readonly Plain[] | undefined {
  return policy?.affinity?.kind === 'source-ip' ? [{ source_ip: {} }] : undefined;
}
