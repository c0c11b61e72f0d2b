/**
 * What a route gives the filters of http-filters.ts to do: faults and CORS on the route itself; rate limits by a descriptor that names the route,
 * with the buckets on the virtual host, so that all alternatives of a route's matches draw from one bucket. What a proxy answers by itself has no
 * descriptors in Envoy: there the bucket is on the route, one for each alternative.
 */

import type { MeshService } from '../model/mesh.ts';
import type { Cors, Fault, LocalRateLimit } from '../model/route-filters.ts';
import type { RuleRoute, StringMatch } from '../model/rule.ts';
import type { AppProtocol } from '../model/service.ts';
import { corsFilter, faultFilter, rateLimitFilter } from './http-filters.ts';
import { any, durationMs, type Plain } from './proto/encode.ts';

/** Of a percentage, in the millionths that Envoy draws. */
export function fractionalPercent(percent: number): Plain {
  return { numerator: Math.round(percent * 10_000), denominator: 'MILLION' };
}

export function runtimeFraction(percent: number): Plain {
  return { default_value: fractionalPercent(percent) };
}

/** The route's typed_per_filter_config; undefined for none. */
export function filtersOfRoute(route: RuleRoute, protocol: AppProtocol): Plain | undefined {
  const { fault, cors } = route;
  const rateLimit = isSentOn(route) ? undefined : route.rateLimit;
  if (fault === undefined && cors === undefined && rateLimit === undefined) return undefined;
  return {
    ...(cors === undefined ? {} : { [corsFilter]: corsPolicy(cors) }),
    ...(fault === undefined ? {} : { [faultFilter]: httpFault(fault, protocol) }),
    ...(rateLimit === undefined
      ? {}
      : { [rateLimitFilter]: any(rateLimitType, { ...limited, token_bucket: tokenBucket(rateLimit) }) }),
  };
}

function isSentOn({ redirect, respond }: RuleRoute): boolean {
  return redirect === undefined && respond === undefined;
}

const rateLimitType = 'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit';

const limited: Plain = {
  stat_prefix: 'http_local_rate_limiter',
  filter_enabled: runtimeFraction(100),
  filter_enforced: runtimeFraction(100),
  rate_limited_as_resource_exhausted: true,
};

/** `protocol`: what those speak whose requests are aborted. */
export function httpFault({ delay, abort }: Fault, protocol: AppProtocol): Plain {
  return any('envoy.extensions.filters.http.fault.v3.HTTPFault', {
    delay:
      delay === undefined
        ? undefined
        : { fixed_delay: durationMs(delay.durationMs), percentage: fractionalPercent(delay.percent) },
    abort:
      abort === undefined
        ? undefined
        : { ...abortStatus(abort, protocol), percentage: fractionalPercent(abort.percent) },
    disable_downstream_cluster_stats: true,
  });
}

/** Envoy answers a gRPC status with HTTP's 200, which a client that speaks no gRPC would take for success. */
function abortStatus(abort: NonNullable<Fault['abort']>, protocol: AppProtocol): Plain {
  if ('status' in abort) return { http_status: abort.status };
  return protocol === 'grpc' ? { grpc_status: abort.grpcStatus } : { http_status: httpStatusOf(abort.grpcStatus) };
}

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto, from 1 (CANCELLED) to 16 (UNAUTHENTICATED). */
const httpStatuses = [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401] as const;

function httpStatusOf(grpcStatus: number): number {
  return httpStatuses[grpcStatus - 1] ?? 500;
}

function corsPolicy(cors: Cors): Plain {
  return any('envoy.extensions.filters.http.cors.v3.CorsPolicy', {
    allow_origin_string_match: cors.allowOrigins.map(originMatch),
    allow_methods: cors.allowMethods.join(','),
    allow_headers: cors.allowHeaders.join(','),
    expose_headers: cors.exposeHeaders.join(','),
    max_age: cors.maxAgeMs === undefined ? '' : String(Math.floor(cors.maxAgeMs / 1000)),
    allow_credentials: cors.allowCredentials,
    // The rule decides: a preflight that it does not allow is answered without a permission, whatever the service would say.
    forward_not_matching_preflights: false,
  });
}

function originMatch(match: StringMatch): Plain {
  return match.kind === 'regex' ? { safe_regex: { regex: match.value } } : { [match.kind]: match.value };
}

const routeKey = 'route';

/** The part of Envoy's RouteAction by which the route's requests find their bucket. */
export function rateLimitAction({ name, rateLimit }: RuleRoute): Plain {
  if (rateLimit === undefined) return {};
  const generic_key = { descriptor_key: routeKey, descriptor_value: name };
  return { rate_limits: [{ actions: [{ generic_key }] }] };
}

/** The virtual host's typed_per_filter_config; undefined for none. */
export function filtersOfHost(service: MeshService): Plain | undefined {
  const buckets = service.routes.flatMap((route) =>
    route.rateLimit === undefined || !isSentOn(route) ? [] : [{ name: route.name, rateLimit: route.rateLimit }],
  );
  if (buckets.length === 0) return undefined;
  return {
    [rateLimitFilter]: any(rateLimitType, {
      ...limited,
      // Envoy wants a bucket for requests that no descriptor is for; it never runs dry.
      token_bucket: tokenBucket({ requests: 0xffff_ffff, intervalMs: 50, burst: 0xffff_ffff }),
      always_consume_default_token_bucket: false,
      descriptors: buckets.map(({ name, rateLimit }) => ({
        entries: [{ key: routeKey, value: name }],
        token_bucket: tokenBucket(rateLimit),
      })),
    }),
  };
}

function tokenBucket({ requests, intervalMs, burst }: LocalRateLimit): Plain {
  return { max_tokens: burst, tokens_per_fill: requests, fill_interval: durationMs(intervalMs) };
}
