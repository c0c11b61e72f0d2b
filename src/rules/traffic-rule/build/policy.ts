/**
 * How endpoints are treated, of a valid spec, with the defaults applied that hold once a part is given. What is not given stays undefined: then
 * the mesh's defaults hold.
 */

import type {
  Affinity,
  ConnectionLimits,
  HealthCheck,
  LoadBalancer,
  OutlierDetection,
  ServicePolicy,
} from '../../../model/service-policy.ts';
import { durationMs } from '../../objects/duration.ts';
import { policyInForce } from '../checks/policy.ts';
import { defaultMinRingSize } from '../schema/policy.ts';
import { defaultBaseEjection } from '../schema/policy-health.ts';
import type { RawSpec } from '../schema/spec.ts';
import { buildPlaces } from './place.ts';

type Raw<Part extends keyof RawSpec> = NonNullable<RawSpec[Part]>;

/** Undefined where the spec says nothing of endpoints. */
export function buildPolicy(spec: RawSpec): ServicePolicy | undefined {
  const { loadBalancing, affinity, connections, outlierDetection, healthCheck } = spec;
  const policy: ServicePolicy = {
    ...(loadBalancing?.policy === undefined && affinity === undefined && loadBalancing?.choices === undefined
      ? {}
      : { loadBalancer: buildLoadBalancer(spec) }),
    ...(affinity === undefined ? {} : { affinity: buildAffinity(affinity) }),
    ...optional('slowStartMs', ms(loadBalancing?.slowStart)),
    ...optional('panicThresholdPercent', loadBalancing?.panicThreshold),
    ...(connections === undefined ? {} : { connections: buildConnections(connections) }),
    ...(outlierDetection === undefined ? {} : { outlierDetection: buildOutlierDetection(outlierDetection) }),
    ...(healthCheck === undefined ? {} : { healthCheck: buildHealthCheck(healthCheck) }),
    ...buildPlaces(spec),
  };
  return Object.keys(policy).length === 0 ? undefined : policy;
}

function buildLoadBalancer(spec: RawSpec): LoadBalancer {
  const {
    choices = 2,
    minRingSize = defaultMinRingSize,
    maxRingSize = 8_388_608,
    tableSize = 65_537,
  } = spec.loadBalancing ?? {};
  switch (policyInForce(spec)) {
    case 'leastRequest':
      return { kind: 'least-request', choices };
    case 'roundRobin':
      return { kind: 'round-robin' };
    case 'random':
      return { kind: 'random' };
    case 'ringHash':
      return { kind: 'ring-hash', minRingSize, maxRingSize };
    case 'maglev':
      return { kind: 'maglev', tableSize };
  }
}

function buildAffinity({ cookie, header, queryParam }: Raw<'affinity'>): Affinity {
  if (cookie !== undefined) {
    return { kind: 'cookie', name: cookie.name, path: cookie.path ?? '/', ...optional('ttlMs', ms(cookie.ttl)) };
  }
  if (header !== undefined) return { kind: 'header', name: header.toLowerCase() };
  return queryParam === undefined ? { kind: 'source-ip' } : { kind: 'query-param', name: queryParam };
}

function buildConnections(raw: Raw<'connections'>): ConnectionLimits {
  const { keepalive, retryBudget } = raw;
  return {
    ...optional('connectTimeoutMs', ms(raw.connectTimeout)),
    ...optional('maxConnections', raw.max),
    ...optional('maxPendingRequests', raw.maxPending),
    ...optional('maxRequests', raw.maxRequests),
    ...optional('maxRetries', raw.maxRetries),
    ...optional('maxRequestsPerConnection', raw.maxRequestsPerConnection),
    ...optional('maxConnectionAgeMs', ms(raw.maxAge)),
    ...optional('idleTimeoutMs', ms(raw.idleTimeout)),
    ...optional('unacknowledgedMs', ms(raw.unacknowledged)),
    ...(keepalive === undefined
      ? {}
      : {
          keepalive: {
            idleMs: ms(keepalive.idle) ?? 60_000,
            intervalMs: ms(keepalive.interval) ?? 10_000,
            probes: keepalive.probes ?? 3,
          },
        }),
    ...(retryBudget === undefined
      ? {}
      : { retryBudget: { percent: retryBudget.percent, minConcurrency: retryBudget.minConcurrency ?? 3 } }),
  };
}

function buildOutlierDetection(raw: Raw<'outlierDetection'>): OutlierDetection {
  const baseEjectionMs = ms(raw.baseEjection ?? defaultBaseEjection) ?? 0;
  return {
    consecutiveErrors: raw.consecutiveErrors ?? 5,
    consecutiveGatewayErrors: raw.consecutiveGatewayErrors ?? 0,
    intervalMs: ms(raw.interval) ?? 10_000,
    baseEjectionMs,
    maxEjectionMs: ms(raw.maxEjection) ?? Math.max(300_000, baseEjectionMs),
    maxEjectedPercent: raw.maxEjectedPercent ?? 100,
  };
}

function buildHealthCheck(raw: Raw<'healthCheck'>): HealthCheck {
  return {
    probe: buildProbe(raw),
    ...optional('port', raw.port),
    intervalMs: ms(raw.interval) ?? 10_000,
    timeoutMs: ms(raw.timeout) ?? 1000,
    healthyThreshold: raw.healthyThreshold ?? 1,
    unhealthyThreshold: raw.unhealthyThreshold ?? 3,
  };
}

function buildProbe({ http, grpc }: Raw<'healthCheck'>): HealthCheck['probe'] {
  if (grpc !== undefined) return { kind: 'grpc', service: grpc.service ?? '' };
  if (http === undefined) return { kind: 'tcp' };
  const statuses = (http.statuses ?? ['200-399']).map((text) => {
    const [from = text, to = from] = text.split('-');
    return { from: Number(from), to: Number(to) };
  });
  return { kind: 'http', path: http.path ?? '/', host: http.host ?? '', statuses };
}

function ms(text: string | undefined): number | undefined {
  return text === undefined ? undefined : durationMs(text);
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value };
}
