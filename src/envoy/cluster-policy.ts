/**
 * How an Envoy cluster treats its endpoints and connections, as the rule in force for the service says it.
 *
 * In: the policy, what is spoken on the port, the service's full name. Out: fields of an Envoy cluster. What always holds: services without a
 * policy get fields whose parts are made once.
 */

import type { MeshSettings } from '../model/mesh.ts';
import type { AppProtocol } from '../model/service.ts';
import type { ConnectionLimits, ServicePolicy } from '../model/service-policy.ts';
import { balancing } from './cluster-balancing.ts';
import { healthChecks, outlierDetection } from './cluster-health.ts';
import { silenceFields, withIdleTimeout } from './cluster-silence.ts';
import { httpProtocolOptionsKey } from './common.ts';
import { any, constantAny, durationMs, type Plain } from './proto/encode.ts';

const unlimited = 0xffff_ffff;

/**
 * Envoy's own limits (1024 connections and requests, 3 retries at a time) are for those who chose them: a sidecar must not refuse what
 * the application behind could take. `track_remaining` keeps the gauges.
 */
export const circuitBreakers: Plain = thresholds(undefined);

function thresholds(limits: ConnectionLimits | undefined): Plain {
  const budget = limits?.retryBudget;
  return {
    thresholds: [
      {
        max_connections: limits?.maxConnections ?? unlimited,
        max_pending_requests: limits?.maxPendingRequests ?? unlimited,
        max_requests: limits?.maxRequests ?? unlimited,
        ...(budget === undefined
          ? { max_retries: limits?.maxRetries ?? unlimited }
          : {
              retry_budget: { budget_percent: { value: budget.percent }, min_retry_concurrency: budget.minConcurrency },
            }),
        track_remaining: true,
      },
    ],
  };
}

const http1Config: Plain = { explicit_http_config: { http_protocol_options: {} } };
const http2Config: Plain = { explicit_http_config: { http2_protocol_options: {} } };
const http2 = { [httpProtocolOptionsKey]: constantAny(httpProtocolOptionsKey, http2Config) };

/**
 * What is spoken to endpoints, as an Envoy cluster's typed_extension_protocol_options; undefined for what is not HTTP, and for HTTP/1 without
 * limits, which is Envoy's default. `naming`: how the TLS around it learns its names from requests.
 */
export function spoken(protocol: AppProtocol, limits?: ConnectionLimits, naming?: Plain): Plain | undefined {
  if (protocol !== 'http' && protocol !== 'http2' && protocol !== 'grpc') return undefined;
  const common = commonHttpOptions(limits);
  if (common === undefined && naming === undefined) return protocol === 'http' ? undefined : http2;
  const config = protocol === 'http' ? http1Config : http2Config;
  return {
    [httpProtocolOptionsKey]: any(httpProtocolOptionsKey, {
      ...config,
      common_http_protocol_options: common,
      upstream_http_protocol_options: naming,
    }),
  };
}

function commonHttpOptions(limits: ConnectionLimits | undefined): Plain | undefined {
  const { idleTimeoutMs, maxConnectionAgeMs, maxRequestsPerConnection } = limits ?? {};
  const options = {
    ...(idleTimeoutMs === undefined ? {} : { idle_timeout: durationMs(idleTimeoutMs) }),
    ...(maxConnectionAgeMs === undefined ? {} : { max_connection_duration: durationMs(maxConnectionAgeMs) }),
    ...(maxRequestsPerConnection === undefined ? {} : { max_requests_per_connection: maxRequestsPerConnection }),
  };
  return Object.keys(options).length === 0 ? undefined : options;
}

/**
 * All of an Envoy cluster but its name, its endpoints and its metadata. `host`: the service's full name. `hasStandIn`: when an endpoint is lost,
 * endpoints of another level can take its place. `naming`: as for `spoken`.
 */
export function policyFields(
  policy: ServicePolicy | undefined,
  protocol: AppProtocol,
  host: string,
  settings: MeshSettings,
  hasStandIn = false,
  naming?: Plain,
): Plain {
  const limits = policy?.connections;
  return {
    ...silenceFields(limits, protocol, hasStandIn, settings),
    ...(policy === undefined ? defaultBalancing : balancing(policy)),
    outlier_detection: outlierDetection(policy),
    health_checks: healthChecks(policy, protocol, host),
    circuit_breakers: limits === undefined ? circuitBreakers : thresholds(limits),
    typed_extension_protocol_options: spoken(protocol, withIdleTimeout(limits, protocol, hasStandIn), naming),
  };
}

const defaultBalancing = balancing(undefined);

/** What a TCP proxy says of the connections that it carries; there, idle is a connection on which no byte moves either way. */
export function carriedConnections(policy: ServicePolicy | undefined): Plain {
  const { idleTimeoutMs, maxConnectionAgeMs } = policy?.connections ?? {};
  return {
    ...(idleTimeoutMs === undefined ? {} : { idle_timeout: durationMs(idleTimeoutMs) }),
    ...(maxConnectionAgeMs === undefined ? {} : { max_downstream_connection_duration: durationMs(maxConnectionAgeMs) }),
  };
}
