/**
 * How a proxy finds out by itself that an endpoint is bad, in Envoy's words: by what befalls its requests (outlier detection), and by asking
 * (health checks).
 */

import type { AppProtocol } from '../model/service.ts';
import type { HealthCheck, OutlierDetection, ServicePolicy } from '../model/service-policy.ts';
import { durationMs, type Plain } from './proto/encode.ts';

/** Envoy would also eject by comparing success rates, which few requests decide by chance. */
const bySuccessRate = { enforcing_success_rate: 0, enforcing_local_origin_success_rate: 0 } as const;

/**
 * Where no rule says anything: endpoints that do not take connections are left, soon and for a short time. What they answer is theirs to say,
 * so answers do not count. Five connections in a row that fail are enough, which is Envoy's own number. See docs/decisions/010-an-endpoint-that-takes-no-connections-is-left.md.
 */
const unreachable: Plain = {
  split_external_local_origin_errors: true,
  enforcing_consecutive_5xx: 0,
  ...bySuccessRate,
  interval: '5s',
  base_ejection_time: '10s',
  max_ejection_time: '60s',
  max_ejection_percent: 100,
};

/** An Envoy cluster's `outlier_detection`; undefined where a rule says that nothing counts. */
export function outlierDetection(policy: ServicePolicy | undefined): Plain | undefined {
  const outlier = policy?.outlierDetection;
  if (outlier === undefined) return unreachable;
  if (outlier.consecutiveErrors === 0 && outlier.consecutiveGatewayErrors === 0) return undefined;
  return byAnswers(outlier);
}

/** Failed connections and tries that took too long count as the answers that a client would get: 503 and 504. */
function byAnswers(outlier: OutlierDetection): Plain {
  const { consecutiveErrors, consecutiveGatewayErrors } = outlier;
  return {
    ...(consecutiveErrors === 0 ? {} : { consecutive_5xx: consecutiveErrors }),
    enforcing_consecutive_5xx: consecutiveErrors === 0 ? 0 : 100,
    ...(consecutiveGatewayErrors === 0
      ? {}
      : { consecutive_gateway_failure: consecutiveGatewayErrors, enforcing_consecutive_gateway_failure: 100 }),
    ...bySuccessRate,
    interval: durationMs(outlier.intervalMs),
    base_ejection_time: durationMs(outlier.baseEjectionMs),
    max_ejection_time: durationMs(outlier.maxEjectionMs),
    max_ejection_percent: outlier.maxEjectedPercent,
  };
}

/** While a proxy has never used an Envoy cluster, it asks its endpoints no more often than this (Envoy's default). */
const unusedIntervalMs = 60_000;

/** An Envoy cluster's `health_checks`; undefined without any. `host`: the service's full name. */
export function healthChecks(
  policy: ServicePolicy | undefined,
  protocol: AppProtocol,
  host: string,
): readonly Plain[] | undefined {
  const check = policy?.healthCheck;
  if (check === undefined) return undefined;
  return [
    {
      timeout: durationMs(check.timeoutMs),
      interval: durationMs(check.intervalMs),
      no_traffic_interval: durationMs(Math.max(check.intervalMs, unusedIntervalMs)),
      healthy_threshold: check.healthyThreshold,
      unhealthy_threshold: check.unhealthyThreshold,
      ...probe(check, protocol, host),
    },
  ];
}

/** A port that cannot answer the question is asked for a connection alone. */
function probe({ probe, port }: HealthCheck, protocol: AppProtocol, host: string): Plain {
  const isHttp2 = protocol === 'http2' || protocol === 'grpc';
  if (probe.kind === 'grpc' && isHttp2) {
    // Envoy's own choice is the Envoy cluster's name, in which servers find characters that no host has.
    return {
      grpc_health_check: { ...(probe.service === '' ? {} : { service_name: probe.service }), authority: host },
    };
  }
  if (probe.kind === 'http' && (isHttp2 || protocol === 'http' || port !== undefined)) {
    return {
      http_health_check: {
        host: probe.host === '' ? host : probe.host,
        path: probe.path,
        expected_statuses: probe.statuses.map(({ from, to }) => ({ start: from, end: to + 1 })),
        // A code that is not expected counts as one bad answer. Without this, the first would be the last.
        retriable_statuses: [{ start: 100, end: 600 }],
        // What stands at a port of its own is a plain web server.
        ...(isHttp2 && port === undefined ? { codec_client_type: 'HTTP2' } : {}),
      },
    };
  }
  return { tcp_health_check: {} };
}
