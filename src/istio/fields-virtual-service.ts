/** VirtualService's fields. https://istio.io/latest/docs/reference/config/networking/virtual-service/ */

import { type Fields, list, map, none, object, read, stringMatch } from './fields.ts';

const destination = object({ host: read, subset: read, port: object({ number: read }) });

const headerOperations = object({ set: read, add: read, remove: read });

const headers = object({ request: headerOperations, response: headerOperations });

const percentage = object({ value: read });

const httpMatch: Fields = {
  name: read,
  uri: object(stringMatch),
  scheme: object(stringMatch),
  method: object(stringMatch),
  authority: object(stringMatch),
  headers: map(stringMatch),
  port: read,
  sourceLabels: read,
  gateways: read,
  queryParams: map(stringMatch),
  ignoreUriCase: read,
  withoutHeaders: map(stringMatch),
  sourceNamespace: read,
  statPrefix: none('statistics are named by the rule and its route', 'Give the route a name'),
};

const http: Fields = {
  name: read,
  match: list(httpMatch),
  route: list({ destination, weight: read, headers }),
  redirect: object({
    uri: read,
    authority: read,
    port: read,
    derivePort: read,
    scheme: read,
    redirectCode: read,
    prefixRewrite: read,
  }),
  directResponse: object({ status: read, body: object({ string: read, bytes: read }) }),
  delegate: object({ name: read, namespace: read }),
  rewrite: object({ uri: read, authority: read, uriRegexRewrite: object({ match: read, rewrite: read }) }),
  timeout: read,
  retries: object({
    attempts: read,
    perTryTimeout: read,
    retryOn: read,
    backoff: read,
    retryIgnorePreviousHosts: read,
    retryRemoteLocalities: none(
      'where a chain has levels, retries go down it by themselves',
      'Give the backend a fallback in the TrafficRule',
    ),
  }),
  fault: object({
    delay: object({
      fixedDelay: read,
      percentage,
      percent: read,
      exponentialDelay: none('Istio does not do it either', 'Use fixedDelay'),
    }),
    abort: object({
      httpStatus: read,
      grpcStatus: read,
      percentage,
      http2Error: none('Istio does not do it either', 'Use httpStatus or grpcStatus'),
    }),
  }),
  mirror: destination,
  mirrorPercent: read,
  mirrorPercentage: percentage,
  mirrors: list({ destination, percentage }),
  corsPolicy: object({
    allowOrigin: read,
    allowOrigins: list(stringMatch),
    allowMethods: read,
    allowHeaders: read,
    exposeHeaders: read,
    maxAge: read,
    allowCredentials: read,
    unmatchedPreflights: read,
  }),
  headers,
};

const connectionMatch: Fields = {
  port: read,
  sourceLabels: read,
  sourceNamespace: read,
  gateways: read,
  destinationSubnets: read,
};

const connectionRoute = list({ destination, weight: read });

export const virtualServiceFields: Fields = {
  hosts: read,
  gateways: read,
  http: list(http),
  tls: list({ match: list({ ...connectionMatch, sniHosts: read }), route: connectionRoute }),
  tcp: list({ match: list({ ...connectionMatch, sourceSubnet: read }), route: connectionRoute }),
  exportTo: read,
};
