/** Endpoint assignments written straight into bytes: the very bytes that the general encoder makes of the same fields. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { type AssignmentForm, encodeAssignment, type TargetGroup } from '../../../src/envoy/assignment-bytes.ts';
import { encodeResource, type Plain } from '../../../src/envoy/proto/encode.ts';
import type { Endpoint } from '../../../src/model/service.ts';

const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }), fc.constant(''));
const longText = fc.string({ minLength: 100, maxLength: 300 });
const locality = fc.record({ region: text, zone: text, subzone: text });
const endpoint = fc.record({
  address: fc.oneof(fc.ipV4(), fc.ipV6()),
  cluster: text,
  version: text,
  workload: fc.oneof(text, longText),
  ready: fc.boolean(),
  terminating: fc.boolean(),
});
const group = fc.record({
  locality,
  endpoints: fc.array(fc.record({ endpoint, port: fc.integer({ min: 1, max: 65_535 }) }), {
    minLength: 1,
    maxLength: 20,
  }),
  priority: fc.nat({ max: 200 }),
  weight: fc.option(fc.integer({ min: 1, max: 10_000_000 }), { nil: undefined }),
  other: fc.option(locality, { nil: undefined }),
});

const form: fc.Arbitrary<AssignmentForm> = fc.record({
  overprovisioningPercent: fc.option(fc.integer({ min: 100, max: 100_000 }), { nil: undefined }),
  healthPort: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
  weighsLocalities: fc.boolean(),
  tellsWho: fc.boolean(),
});

describe('an assignment as bytes', () => {
  it('is what the general encoder makes of it', () => {
    fc.assert(
      fc.property(longText, fc.array(group, { maxLength: 6 }), form, (name, groups, form) => {
        const given = groups.map(({ locality: place, endpoints, priority, weight, other }) => ({
          targets: endpoints.map(({ endpoint: some, port }) => ({
            endpoint: { ...some, locality: place } as Endpoint,
            port,
          })),
          priority,
          ...(weight === undefined ? {} : { weight }),
          ...(other === undefined ? {} : { locality: other }),
        }));
        assert.deepEqual(
          encodeAssignment(name, given, form),
          encodeResource(typeUrl.endpoint, name, plain(name, given, form)),
        );
      }),
    );
  });

  it('may be larger than any before, and smaller again', () => {
    for (const count of [3, 20_000, 0, 5]) {
      const targets = Array.from({ length: count }, (_, at) => ({
        endpoint: {
          address: `10.0.${at >> 8}.${at & 255}`,
          cluster: 'east',
          version: 'v1',
          workload: `w-${at}`,
          ready: true,
        } as Endpoint,
        port: 8080,
      })).map(({ endpoint: some, port }) => ({
        endpoint: { ...some, locality: { region: 'r', zone: '', subzone: '' } },
        port,
      }));
      const groups = count === 0 ? [] : [{ targets, priority: 0 }];
      assert.deepEqual(
        encodeAssignment('many', groups),
        encodeResource(typeUrl.endpoint, 'many', plain('many', groups)),
      );
    }
  });
});

function plain(name: string, groups: readonly TargetGroup[], form: AssignmentForm = {}): Plain {
  const { overprovisioningPercent: percent, healthPort, weighsLocalities = false, tellsWho = false } = form;
  return {
    cluster_name: name,
    endpoints: groups.map(({ targets, priority, weight, locality: given }) => {
      const own = targets[0]?.endpoint.locality ?? { region: '', zone: '', subzone: '' };
      const { region, zone, subzone } = given ?? own;
      const isHealthy = ({ ready, terminating }: Endpoint): boolean => ready || terminating;
      const healthy = targets.filter(({ endpoint: some }) => isHealthy(some)).length;
      return {
        locality: region === '' && zone === '' && subzone === '' ? undefined : { region, zone, sub_zone: subzone },
        lb_endpoints: targets.map(({ endpoint: some, port }) => ({
          endpoint: {
            address: { socket_address: { address: some.address, port_value: port } },
            health_check_config: healthPort === undefined ? undefined : { port_value: healthPort },
          },
          health_status: isHealthy(some) ? undefined : 'UNHEALTHY',
          metadata: tellsWho
            ? { filter_metadata: { f: { w: `${some.cluster}/${some.workload}/${some.version}` } } }
            : undefined,
        })),
        load_balancing_weight: weighsLocalities ? (weight ?? (healthy > 0 ? healthy : undefined)) : undefined,
        priority,
      };
    }),
    policy: percent === undefined ? undefined : { overprovisioning_factor: percent },
  };
}
