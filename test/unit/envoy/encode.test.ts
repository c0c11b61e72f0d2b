import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { decodeMessage, decodeResource } from '../../../src/envoy/proto/decode.ts';
import { any, durationMs, encodeMessage, encodeResource, type Plain } from '../../../src/envoy/proto/encode.ts';
import { messageType } from '../../../src/envoy/proto/schema.ts';

const cluster = 'envoy.config.cluster.v3.Cluster';
const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

describe('encoding Envoy messages', () => {
  const value: Plain = {
    name: 'x',
    type: 'EDS',
    connect_timeout: '0.25s',
    circuit_breakers: { thresholds: [{ max_retries: 4294967295, track_remaining: true }] },
    common_lb_config: { healthy_panic_threshold: { value: 50 }, locality_weighted_lb_config: {} },
    respect_dns_ttl: true,
    typed_extension_protocol_options: {
      b: any(options, { explicit_http_config: { http2_protocol_options: {} } }),
      a: any(options),
    },
    metadata: { filter_metadata: { two: { list: [true, null, 's', { deep: {} }], one: 1 }, one: {} } },
  };

  it('gives back what went in', () => {
    assert.deepEqual(decodeMessage(cluster, encodeMessage(cluster, value)), value);
    const resource = encodeResource(typeUrl.cluster, 'x', value);
    assert.deepEqual(decodeResource(resource), value);
  });

  it('does not depend on the order of fields, map keys or absent fields', () => {
    const reversed = (given: unknown): unknown =>
      typeof given === 'object' && given !== null && !Array.isArray(given)
        ? Object.fromEntries(
            Object.entries(given)
              .reverse()
              .map(([key, item]) => [key, reversed(item)]),
          )
        : given;
    const other = {
      ...(reversed(value) as Plain),
      alt_stat_name: undefined,
      close_connections_on_host_health_failure: false,
    };
    assert.deepEqual(encodeMessage(cluster, other), encodeMessage(cluster, value));
    assert.equal(
      encodeResource(typeUrl.cluster, 'x', other).version,
      encodeResource(typeUrl.cluster, 'x', value).version,
    );
  });

  it('keeps a wrapper that holds zero or false: it is not absent', () => {
    const listener = 'envoy.config.listener.v3.Listener';
    assert.deepEqual(decodeMessage(listener, encodeMessage(listener, { bind_to_port: false })), {
      bind_to_port: false,
    });
    const policy = 'envoy.config.route.v3.RetryPolicy';
    assert.deepEqual(decodeMessage(policy, encodeMessage(policy, { num_retries: 0 })), { num_retries: 0 });
  });

  for (const [what, bad, words] of [
    ['a field that is not there', { nam: 'x' }, /has no field "nam"/],
    ['a field of Object', { constructor: 'x' }, /has no field "constructor"/],
    [
      'one in a nested message',
      { circuit_breakers: { thresholds: [{ max: 1 }] } },
      /circuit_breakers\.thresholds\[0\]: .* has no field "max"/,
    ],
    [
      'one in an Any',
      { typed_extension_protocol_options: { a: any(options, { explicit: {} }) } },
      /has no field "explicit"/,
    ],
    ['an Any without a type', { typed_extension_protocol_options: { a: {} } }, /needs "@type"/],
    ['a value of the wrong kind', { name: 1 }, /name: expected string/],
    ['a list that is none', { health_checks: {} }, /expected a list/],
    ['a duration without its unit', { connect_timeout: '5' }, /is not a duration/],
    ['an unknown enum value', { type: 'EDSS' }, /is not one of/],
    ['two members of one oneof', { type: 'EDS', cluster_type: { name: 'x' } }, /exclude each other/],
    ['a number that does not fit', { circuit_breakers: { thresholds: [{ max_retries: 4294967296 }] } }, /does not fit/],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => encodeMessage(cluster, bad), words));
  }

  it('writes milliseconds as durations', () => {
    assert.deepEqual([0, 1, 15, 250, 1500, 3000, 86_400_000].map(durationMs), [
      '0s',
      '0.001s',
      '0.015s',
      '0.25s',
      '1.5s',
      '3s',
      '86400s',
    ]);
  });

  it('finds no message of a wrong name', () => {
    assert.throws(() => messageType('envoy.config.cluster.v3.Clusters'), /Clusters/);
  });
});
