/** DestinationRule's fields. https://istio.io/latest/docs/reference/config/networking/destination-rule/ */

import { type Fields, list, none, object, read } from './fields.ts';

const failover = { failover: list({ from: read, to: read }), failoverPriority: read };

const trafficPolicy: Fields = {
  loadBalancer: object({
    simple: read,
    consistentHash: object({
      httpHeaderName: read,
      httpCookie: object({
        name: read,
        path: read,
        ttl: read,
        attributes: none('the cookie has a path and a time to live'),
      }),
      useSourceIp: read,
      httpQueryParameterName: read,
      ringHash: object({ minimumRingSize: read }),
      maglev: object({ tableSize: read }),
      minimumRingSize: read,
    }),
    localityLbSetting: object({ enabled: read, distribute: list({ from: read, to: read }), ...failover }),
    zoneAwareLbSetting: none('shares by zone follow from locality', 'Use locality in the TrafficRule'),
    warmup: object({ duration: read, minimumPercent: read, aggression: read }),
    warmupDurationSecs: read,
  }),
  connectionPool: object({
    tcp: object({
      maxConnections: read,
      connectTimeout: read,
      tcpKeepalive: object({ probes: read, time: read, interval: read }),
      maxConnectionDuration: read,
      idleTimeout: read,
    }),
    http: object({
      http1MaxPendingRequests: read,
      http2MaxRequests: read,
      maxRequestsPerConnection: read,
      maxRetries: read,
      idleTimeout: read,
      h2UpgradePolicy: none(
        'what is spoken is what the port says',
        'Say appProtocol: kubernetes.io/h2c at the Service’s port',
      ),
      useClientProtocol: none('what is spoken is what the port says', 'Say appProtocol at the Service’s port'),
      maxConcurrentStreams: none('a connection takes as many streams as the endpoint allows'),
      http2KeepAlive: none('connections are probed by TCP keepalive', 'Use connections.keepalive in the TrafficRule'),
    }),
  }),
  outlierDetection: object({
    consecutiveErrors: read,
    consecutive5xxErrors: read,
    consecutiveGatewayErrors: read,
    interval: read,
    baseEjectionTime: read,
    maxEjectionPercent: read,
    minHealthPercent: read,
    splitExternalLocalOriginErrors: none('failed connections count with answers'),
    consecutiveLocalOriginFailures: none('failed connections count with answers'),
    outlierDetectionHttpErrorCodes: none('which answers count is fixed: 5xx, or 502, 503 and 504'),
  }),
  tls: read,
  portLevelSettings: none('a policy is for all ports of the service', 'Give the ports a Service each'),
  tunnel: none('connections are not tunnelled'),
  proxyProtocol: none('the PROXY protocol is not spoken'),
  retryBudget: object({
    percent: read,
    minRetryConcurrency: read,
    budgetInterval: none('the budget counts what is in flight'),
  }),
};

export const destinationRuleFields: Fields = {
  host: read,
  trafficPolicy: object(trafficPolicy),
  subsets: list({
    name: read,
    labels: read,
    trafficPolicy: none('a policy is for the whole service', 'Give the version a Service of its own'),
  }),
  exportTo: read,
  workloadSelector: read,
};
