/** DestinationRules' traffic policies as the part of a TrafficRule that says how endpoints are treated. */

import assert from 'node:assert/strict';
import { codes, convert, istioObject, specOf } from './istio-objects.ts';

const rule = (policy: string, metadata = {}, more = ''): unknown =>
  istioObject(
    'DestinationRule',
    'reviews',
    `{host: reviews.shop.svc.cluster.local, trafficPolicy: ${policy}${more}}`,
    metadata,
  );

function policy(text: string): Readonly<Record<string, unknown>> {
  const { service, ...rest } = specOf(convert(rule(text)));
  assert.equal(service, 'reviews');
  return rest;
}

describe("a DestinationRule's policy", () => {
  it('is a rule of its own where no VirtualService names the host, and a part of its rule otherwise', () => {
    const balancing = '{loadBalancer: {simple: LEAST_REQUEST}}';
    const alone = convert(rule(balancing));
    assert.deepEqual(alone.objects[0]?.object['metadata'], { name: 'reviews', namespace: 'shop' });
    const vs = istioObject(
      'VirtualService',
      'v',
      '{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}',
    );
    const both = convert(rule(balancing), vs);
    assert.deepEqual(both.objects.length, 1);
    assert.deepEqual(both.objects[0]?.from, ['VirtualService shop/v', 'DestinationRule shop/reviews']);
    assert.deepEqual(specOf(both), {
      service: 'reviews',
      routes: [{ takes: 'requests', backends: [{}] }],
      loadBalancing: { policy: 'leastRequest' },
    });
  });

  it('balances', () => {
    assert.deepEqual(policy('{loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 30s}}}'), {
      loadBalancing: { policy: 'roundRobin', slowStart: '30s' },
    });
    assert.deepEqual(
      policy('{loadBalancer: {consistentHash: {httpHeaderName: x-user, ringHash: {minimumRingSize: 4096}}}}'),
      {
        loadBalancing: { policy: 'ringHash', minRingSize: 4096 },
        affinity: { header: 'x-user' },
      },
    );
    assert.deepEqual(
      policy('{loadBalancer: {consistentHash: {httpCookie: {name: user, path: /a, ttl: 1h}, maglev: {}}}}'),
      {
        loadBalancing: { policy: 'maglev' },
        affinity: { cookie: { name: 'user', path: '/a', ttl: '1h' } },
      },
    );
    assert.deepEqual(policy('{loadBalancer: {consistentHash: {useSourceIp: true}}}'), { affinity: { sourceIP: true } });
  });

  it('bounds connections', () => {
    assert.deepEqual(
      policy(
        `{connectionPool: {tcp: {maxConnections: 100, connectTimeout: 30ms, tcpKeepalive: {time: 2h, interval: 75s, probes: 9}, maxConnectionDuration: 1h},
          http: {http1MaxPendingRequests: 5, http2MaxRequests: 6, maxRequestsPerConnection: 7, maxRetries: 8, idleTimeout: 90s}}}`,
      ),
      {
        connections: {
          connectTimeout: '30ms',
          max: 100,
          maxPending: 5,
          maxRequests: 6,
          maxRetries: 8,
          maxRequestsPerConnection: 7,
          maxAge: '1h',
          idleTimeout: '1m30s',
          keepalive: { idle: '2h', interval: '1m15s', probes: 9 },
        },
      },
    );
    assert.deepEqual(policy('{retryBudget: {percent: 25, minRetryConcurrency: 4}}'), {
      connections: { retryBudget: { percent: 25, minConcurrency: 4 } },
    });
  });

  it("detects outliers with Istio's defaults, and then looks at places as Istio does", () => {
    assert.deepEqual(policy('{outlierDetection: {}}'), {
      locality: { prefer: ['zone', 'region'] },
      loadBalancing: { panicThreshold: 0 },
      outlierDetection: { maxEjectedPercent: 10 },
    });
    assert.deepEqual(
      policy(
        `{outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 3, interval: 1s, baseEjectionTime: 3m, maxEjectionPercent: 50, minHealthPercent: 30},
          loadBalancer: {localityLbSetting: {enabled: false}}}`,
      ),
      {
        loadBalancing: { panicThreshold: 30 },
        outlierDetection: {
          consecutiveErrors: 0,
          consecutiveGatewayErrors: 3,
          interval: '1s',
          baseEjection: '3m',
          maxEjectedPercent: 50,
        },
      },
    );
  });

  it('shares load by place, and orders places', () => {
    const shares = '{distribute: [{from: "eu/*", to: {"eu/eu-1/*": 80, "us/*": 20}}, {from: "*", to: {"us/*": 100}}]}';
    assert.deepEqual(policy(`{loadBalancer: {localityLbSetting: ${shares}}}`), {
      locality: {
        shares: [
          {
            from: { region: 'eu' },
            to: [
              { region: 'eu', zone: 'eu-1', weight: 80 },
              { region: 'us', weight: 20 },
            ],
          },
          { to: [{ region: 'us', weight: 100 }] },
        ],
      },
    });
    const priority = '[topology.kubernetes.io/region, topology.kubernetes.io/zone, kubernetes.io/hostname]';
    const text = `{outlierDetection: {}, loadBalancer: {localityLbSetting: {failoverPriority: ${priority}}}}`;
    assert.deepEqual(policy(text)['locality'], { prefer: ['node', 'zone', 'region'] });
    assert.deepEqual(codes(convert(rule(text))), []);
    const odd = convert(
      rule(
        '{outlierDetection: {}, loadBalancer: {localityLbSetting: {failoverPriority: [topology.istio.io/network, topology.kubernetes.io/zone, tier]}}}',
      ),
    );
    assert.deepEqual(specOf(odd)['locality'], { prefer: ['zone', 'network'] });
    const at = 'warning FW-ISTIO-004 spec.trafficPolicy.loadBalancer.localityLbSetting.failoverPriority';
    assert.deepEqual(codes(odd), [at + '[2]', at]);
    const over = convert(
      rule('{outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: eu, to: us}]}}}'),
    );
    assert.deepEqual(codes(over), ['warning FW-ISTIO-004 spec.trafficPolicy.loadBalancer.localityLbSetting.failover']);
  });

  it('says what has no equal', () => {
    const conversion = convert(
      rule(
        `{tls: {mode: ISTIO_MUTUAL}, portLevelSettings: [{port: {number: 80}}], loadBalancer: {simple: PASSTHROUGH},
          connectionPool: {http: {h2UpgradePolicy: UPGRADE}}, proxyProtocol: {}}`,
        {},
        ', subsets: [{name: a, labels: {version: v1}, trafficPolicy: {}}]',
      ),
    );
    assert.deepEqual(conversion.objects, []);
    assert.deepEqual(codes(conversion).sort(), [
      'warning FW-ISTIO-002 spec.subsets[0].trafficPolicy',
      'warning FW-ISTIO-002 spec.trafficPolicy.connectionPool.http.h2UpgradePolicy',
      'warning FW-ISTIO-002 spec.trafficPolicy.portLevelSettings',
      'warning FW-ISTIO-002 spec.trafficPolicy.proxyProtocol',
      'warning FW-ISTIO-002 spec.trafficPolicy.tls.mode',
      'warning FW-ISTIO-004 spec.trafficPolicy.loadBalancer.simple',
    ]);
    assert.deepEqual(codes(convert(rule('{tls: {mode: DISABLE}}'))), []);
  });

  it('is for all clients, or for none', () => {
    const balancing = '{loadBalancer: {simple: RANDOM}}';
    assert.deepEqual(codes(convert(rule(balancing, { namespace: 'web' }))), ['error FW-ISTIO-015 spec.trafficPolicy']);
    assert.deepEqual(codes(convert(rule(balancing, {}, ', exportTo: ["."]'))), ['error FW-ISTIO-015 spec.exportTo']);
    assert.deepEqual(codes(convert(rule(balancing, {}, ', workloadSelector: {matchLabels: {a: b}}'))), [
      'error FW-ISTIO-015 spec.workloadSelector',
    ]);
    assert.equal(convert(rule(balancing, { namespace: 'istio-system' })).objects.length, 1);
  });

  it('is the oldest of several', () => {
    const at = (year: number, name: string, simple: string): unknown =>
      istioObject('DestinationRule', name, `{host: reviews, trafficPolicy: {loadBalancer: {simple: ${simple}}}}`, {
        creationTimestamp: `${year}-01-01T00:00:00Z`,
      });
    const conversion = convert(at(2021, 'a', 'RANDOM'), at(2020, 'b', 'ROUND_ROBIN'));
    assert.deepEqual(specOf(conversion)['loadBalancing'], { policy: 'roundRobin' });
    assert.deepEqual(codes(conversion), ['error FW-ISTIO-016 spec.trafficPolicy']);
  });

  it('that a rule refuses leaves the routes alone', () => {
    const vs = istioObject(
      'VirtualService',
      'v',
      '{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}',
    );
    const conversion = convert(vs, rule('{outlierDetection: {consecutive5xxErrors: 5000}}'));
    assert.deepEqual(specOf(conversion), { service: 'reviews', routes: [{ takes: 'requests', backends: [{}] }] });
    assert.deepEqual(codes(conversion), ['error FW-ISTIO-017 spec.trafficPolicy']);
  });
});
