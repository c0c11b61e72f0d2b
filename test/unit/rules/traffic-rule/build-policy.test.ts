import assert from 'node:assert/strict';
import type { ServicePolicy } from '../../../../src/model/service-policy.ts';
import { type ParsedRule, parseTrafficRule } from '../../../../src/rules/traffic-rule/parse.ts';
import { rawRule } from '../../../support/rules.ts';

function parseSpec(text: string): ParsedRule {
  return parseTrafficRule(rawRule(`{service: reviews, ${text}}`), { defaultNamespace: 'shop' });
}

function policyOf(text: string): ServicePolicy | undefined {
  const { rule, findings } = parseSpec(text);
  assert.deepEqual(findings, []);
  return rule?.policy;
}

describe("a rule's policy", () => {
  it('is undefined where the rule says nothing of endpoints', () => {
    assert.equal(policyOf('routes: [{backends: [{}]}]'), undefined);
    assert.equal(policyOf('loadBalancing: {}'), undefined);
  });

  it('has a balancer where the rule names one, or what only one has', () => {
    const balancer = (text: string): unknown => policyOf(text)?.loadBalancer;
    assert.deepEqual(balancer('loadBalancing: {policy: leastRequest}'), { kind: 'least-request', choices: 2 });
    assert.deepEqual(balancer('loadBalancing: {choices: 5}'), { kind: 'least-request', choices: 5 });
    assert.deepEqual(balancer('loadBalancing: {policy: roundRobin}'), { kind: 'round-robin' });
    assert.deepEqual(balancer('loadBalancing: {policy: random}'), { kind: 'random' });
    assert.equal(balancer('loadBalancing: {panicThreshold: 0}'), undefined);
  });

  it('has a ring for affinity, unless a table is chosen', () => {
    const ring = { kind: 'ring-hash', minRingSize: 1024, maxRingSize: 8_388_608 };
    assert.deepEqual(policyOf('affinity: {header: X-User}'), {
      loadBalancer: ring,
      affinity: { kind: 'header', name: 'x-user' },
    });
    assert.deepEqual(policyOf('affinity: {sourceIP: true}, loadBalancing: {minRingSize: 7, maxRingSize: 9}'), {
      loadBalancer: { kind: 'ring-hash', minRingSize: 7, maxRingSize: 9 },
      affinity: { kind: 'source-ip' },
    });
    assert.deepEqual(policyOf('affinity: {queryParam: User}, loadBalancing: {policy: maglev}'), {
      loadBalancer: { kind: 'maglev', tableSize: 65_537 },
      affinity: { kind: 'query-param', name: 'User' },
    });
    assert.deepEqual(policyOf('affinity: {cookie: {name: Session}}')?.affinity, {
      kind: 'cookie',
      name: 'Session',
      path: '/',
    });
    assert.deepEqual(policyOf('affinity: {cookie: {name: s, path: /cart, ttl: 1h}}')?.affinity, {
      kind: 'cookie',
      name: 's',
      path: '/cart',
      ttlMs: 3_600_000,
    });
  });

  it('has no balancer for settings that the default one takes too', () => {
    assert.deepEqual(policyOf('loadBalancing: {slowStart: 30s, panicThreshold: 50}'), {
      slowStartMs: 30_000,
      panicThresholdPercent: 50,
    });
  });

  it('has the limits that are given, and no others', () => {
    assert.deepEqual(policyOf('connections: {}')?.connections, {});
    const text =
      'connections: {connectTimeout: 250ms, max: 1, maxPending: 2, maxRequests: 3, maxRetries: 0, maxRequestsPerConnection: 4, maxAge: 1h, idleTimeout: 0s, unacknowledged: 1s}';
    assert.deepEqual(policyOf(text)?.connections, {
      connectTimeoutMs: 250,
      maxConnections: 1,
      maxPendingRequests: 2,
      maxRequests: 3,
      maxRetries: 0,
      maxRequestsPerConnection: 4,
      maxConnectionAgeMs: 3_600_000,
      idleTimeoutMs: 0,
      unacknowledgedMs: 1000,
    });
    assert.deepEqual(policyOf('connections: {keepalive: {}, retryBudget: {percent: 20}}')?.connections, {
      keepalive: { idleMs: 60_000, intervalMs: 10_000, probes: 3 },
      retryBudget: { percent: 20, minConcurrency: 3 },
    });
  });

  it('has every setting of outlier detection once the rule speaks of it', () => {
    assert.deepEqual(policyOf('outlierDetection: {}')?.outlierDetection, {
      consecutiveErrors: 5,
      consecutiveGatewayErrors: 0,
      intervalMs: 10_000,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjectedPercent: 100,
    });
    assert.equal(policyOf('outlierDetection: {baseEjection: 10m}')?.outlierDetection?.maxEjectionMs, 600_000);
  });

  it('has every setting of a health check', () => {
    const rest = { intervalMs: 10_000, timeoutMs: 1000, healthyThreshold: 1, unhealthyThreshold: 3 };
    assert.deepEqual(policyOf('healthCheck: {http: {}}')?.healthCheck, {
      probe: { kind: 'http', path: '/', host: '', statuses: [{ from: 200, to: 399 }] },
      ...rest,
    });
    assert.deepEqual(policyOf('healthCheck: {http: {statuses: ["204", "300-302"]}, port: 81}')?.healthCheck, {
      probe: {
        kind: 'http',
        path: '/',
        host: '',
        statuses: [
          { from: 204, to: 204 },
          { from: 300, to: 302 },
        ],
      },
      port: 81,
      ...rest,
    });
    assert.deepEqual(policyOf('healthCheck: {grpc: {}}')?.healthCheck?.probe, { kind: 'grpc', service: '' });
    assert.deepEqual(policyOf('healthCheck: {tcp: {}}')?.healthCheck?.probe, { kind: 'tcp' });
  });

  it("counts in the rule's hash", () => {
    const hashes = ['max: 1', 'max: 2', 'maxPending: 1'].map((text) => parseSpec(`connections: {${text}}`).rule?.hash);
    assert.equal(new Set(hashes).size, 3);
    assert.equal(parseSpec('connections: {max: 1}').rule?.hash, hashes[0]);
  });

  it('is warned of where it says nothing', () => {
    const codesOf = (text: string): readonly string[] => {
      const { rule, findings } = parseSpec(text);
      assert.ok(rule !== undefined);
      return findings.map(({ code, severity }) => `${code} ${severity}`);
    };
    assert.deepEqual(codesOf('loadBalancing: {policy: maglev}'), ['FW-RULE-097 warning']);
    assert.deepEqual(codesOf('outlierDetection: {consecutiveErrors: 0, interval: 1s}'), ['FW-RULE-108 warning']);
    assert.deepEqual(codesOf('outlierDetection: {consecutiveErrors: 0}'), []);
  });
});
