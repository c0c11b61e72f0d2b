/** DestinationRule's fields. https://istio.io/latest/docs/reference/config/networking/destination-rule/ */

import {
  bool,
  count,
  countMap,
  duration,
  type Fields,
  list,
  none,
  number,
  object,
  oneOf,
  text,
  textMap,
  texts,
  whole,
} from './fields.ts';

const noKeys = none('proxies have no certificates of their own to show');

const tls = object({
  mode: oneOf('DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'),
  clientCertificate: noKeys,
  privateKey: noKeys,
  caCertificates: text,
  caCrl: none('lists of what was revoked are not looked at'),
  credentialName: none('certificates are not read out of Secrets'),
  subjectAltNames: texts,
  sni: text,
  insecureSkipVerify: none('certificates are always checked'),
});

const allPorts = none('a policy is for all ports');

const failover = { failover: list({ from: text, to: text }), failoverPriority: texts };

const trafficPolicy: Fields = {
  loadBalancer: object({
    simple: oneOf('UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'),
    consistentHash: object({
      httpHeaderName: text,
      httpCookie: object(
        {
          name: text,
          path: text,
          ttl: duration,
          attributes: none('the cookie has a path and a time to live'),
        },
        ['name'],
      ),
      useSourceIp: bool,
      httpQueryParameterName: text,
      ringHash: object({ minimumRingSize: count }),
      maglev: object({ tableSize: count }),
      minimumRingSize: count,
    }),
    localityLbSetting: object({ enabled: bool, distribute: list({ from: text, to: countMap }), ...failover }),
    zoneAwareLbSetting: none('shares by zone follow from locality', 'Use locality in the TrafficRule'),
    warmup: object({ duration, minimumPercent: number, aggression: number }, ['duration']),
    warmupDurationSecs: duration,
  }),
  connectionPool: object({
    tcp: object({
      maxConnections: whole,
      connectTimeout: duration,
      tcpKeepalive: object({ probes: count, time: duration, interval: duration }),
      maxConnectionDuration: duration,
      idleTimeout: duration,
    }),
    http: object({
      http1MaxPendingRequests: whole,
      http2MaxRequests: whole,
      maxRequestsPerConnection: whole,
      maxRetries: whole,
      idleTimeout: duration,
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
    consecutiveErrors: whole,
    consecutive5xxErrors: count,
    consecutiveGatewayErrors: count,
    interval: duration,
    baseEjectionTime: duration,
    maxEjectionPercent: whole,
    minHealthPercent: whole,
    splitExternalLocalOriginErrors: none('failed connections count with answers'),
    consecutiveLocalOriginFailures: none('failed connections count with answers'),
    outlierDetectionHttpErrorCodes: none('which answers count is fixed: 5xx, or 502, 503 and 504'),
  }),
  tls,
  // Of hosts outside; of services of the mesh they are told as a whole.
  portLevelSettings: list({
    port: object({ number: count }),
    tls,
    loadBalancer: allPorts,
    connectionPool: allPorts,
    outlierDetection: allPorts,
  }),
  tunnel: none('connections are not tunnelled'),
  proxyProtocol: none('the PROXY protocol is not spoken'),
  retryBudget: object({
    percent: number,
    minRetryConcurrency: count,
    budgetInterval: none('the budget counts what is in flight'),
  }),
};

export const destinationRuleFields: Fields = {
  host: text,
  trafficPolicy: object(trafficPolicy),
  subsets: list(
    {
      name: text,
      labels: textMap,
      trafficPolicy: none('a policy is for the whole service', 'Give the version a Service of its own'),
    },
    ['name'],
  ),
  exportTo: texts,
  workloadSelector: object({ matchLabels: textMap }),
};
