/**
 * What a sidecar says when it answers in a service's place: one line that begins with `fairway:` and says why, with Envoy's short word for it
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#response-flags). A gRPC call gets it as its
 * grpc-message. What a route answers on purpose (respond, redirect) stays as it is.
 */

import { constantAny, type Plain } from './proto/encode.ts';

const byFlag: readonly (readonly [flag: string, text: string])[] = [
  // routes.ts says in the route's metadata which place its traffic must not leave.
  ['UH', 'no healthy endpoint of %UPSTREAM_CLUSTER_RAW%%METADATA(ROUTE:fairway:within)%'],
  ['UO', 'the limits of %UPSTREAM_CLUSTER_RAW% are reached'],
  ['NC', 'route %ROUTE_NAME% leads to an Envoy cluster that this proxy does not have'],
  ['FI', 'refused by the fault of route %ROUTE_NAME%'],
  ['UT', 'no answer of %UPSTREAM_CLUSTER_RAW% in time'],
  ['SI', 'nothing moved for as long as route %ROUTE_NAME% allows'],
  ['UF', 'no connection to %UPSTREAM_CLUSTER_RAW%: %UPSTREAM_TRANSPORT_FAILURE_REASON%'],
];

/** Envoy sets these flags only when the answer is on its way; what it is for stands in the details before. */
const byDetails: readonly (readonly [details: string, flag: string, text: string])[] = [
  ['local_rate_limited', 'RL', 'too many requests for route %ROUTE_NAME%'],
  ['max_duration_timeout', 'DT', 'the stream lasted for as long as route %ROUTE_NAME% allows'],
];

export const localReplies: Plain = {
  mappers: [
    ...byFlag.map(([flag, text]) => mapper({ response_flag_filter: { flags: [flag] } }, flag, text)),
    ...byDetails.map(([details, flag, text]) => mapper({ extension_filter: detailsFilter(details) }, flag, text)),
  ],
};

function mapper(filter: Plain, flag: string, text: string): Plain {
  const body_format_override = {
    text_format_source: { inline_string: `fairway: ${text} (${flag})` },
    // What is not known is left out, instead of a "-".
    omit_empty_values: true,
  };
  return { filter, body_format_override };
}

function detailsFilter(details: string): Plain {
  const expression = `response.code_details == '${details}'`;
  return {
    name: 'envoy.access_loggers.extension_filters.cel',
    typed_config: constantAny('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', { expression }),
  };
}
