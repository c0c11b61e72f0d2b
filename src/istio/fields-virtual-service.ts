/** VirtualService's fields. https://istio.io/latest/docs/reference/config/networking/virtual-service/ */

import {
  bool,
  count,
  duration,
  type Fields,
  list,
  map,
  none,
  number,
  object,
  oneOf,
  stringMatch,
  text,
  textMap,
  texts,
  whole,
} from './fields.ts';

const destination = object({ host: text, subset: text, port: object({ number: count }) }, ['host']);

const headerOperations = object({ set: textMap, add: textMap, remove: texts });

const headers = object({ request: headerOperations, response: headerOperations });

const percentage = object({ value: number });

const httpMatch: Fields = {
  name: text,
  uri: object(stringMatch),
  scheme: object(stringMatch),
  method: object(stringMatch),
  authority: object(stringMatch),
  headers: map(stringMatch),
  port: count,
  sourceLabels: textMap,
  gateways: texts,
  queryParams: map(stringMatch),
  ignoreUriCase: bool,
  withoutHeaders: map(stringMatch),
  sourceNamespace: text,
  statPrefix: none('statistics are named by the rule and its route', 'Give the route a name'),
};

const http: Fields = {
  name: text,
  match: list(httpMatch),
  route: list({ destination, weight: whole, headers }, ['destination']),
  redirect: object({
    uri: text,
    authority: text,
    port: count,
    derivePort: oneOf('FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'),
    scheme: text,
    redirectCode: count,
    prefixRewrite: text,
  }),
  directResponse: object({ status: count, body: object({ string: text, bytes: text }) }, ['status']),
  delegate: object({ name: text, namespace: text }),
  rewrite: object({ uri: text, authority: text, uriRegexRewrite: object({ match: text, rewrite: text }) }),
  timeout: duration,
  retries: object({
    attempts: whole,
    perTryTimeout: duration,
    retryOn: text,
    backoff: duration,
    retryIgnorePreviousHosts: bool,
    retryRemoteLocalities: none(
      'where a chain has levels, retries go down it by themselves',
      'Give the backend a fallback in the TrafficRule',
    ),
  }),
  fault: object({
    delay: object({
      fixedDelay: duration,
      percentage,
      percent: whole,
      exponentialDelay: none('Istio does not do it either', 'Use fixedDelay'),
    }),
    abort: object({
      httpStatus: whole,
      grpcStatus: text,
      percentage,
      http2Error: none('Istio does not do it either', 'Use httpStatus or grpcStatus'),
    }),
  }),
  mirror: destination,
  mirrorPercent: count,
  mirrorPercentage: percentage,
  mirrors: list({ destination, percentage }, ['destination']),
  corsPolicy: object({
    allowOrigin: texts,
    allowOrigins: list(stringMatch),
    allowMethods: texts,
    allowHeaders: texts,
    exposeHeaders: texts,
    maxAge: duration,
    allowCredentials: bool,
    unmatchedPreflights: oneOf('UNSPECIFIED', 'FORWARD', 'IGNORE'),
  }),
  headers,
};

const connectionMatch: Fields = {
  port: count,
  sourceLabels: textMap,
  sourceNamespace: text,
  gateways: texts,
  destinationSubnets: texts,
};

const connectionRoute = list({ destination, weight: whole }, ['destination']);

export const virtualServiceFields: Fields = {
  hosts: texts,
  gateways: texts,
  http: list(http),
  tls: list({ match: list({ ...connectionMatch, sniHosts: texts }, ['sniHosts']), route: connectionRoute }, ['match']),
  tcp: list({ match: list({ ...connectionMatch, sourceSubnet: text }), route: connectionRoute }),
  exportTo: texts,
};
