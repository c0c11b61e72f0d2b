import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeAgain, mergeService } from '../../src/catalog/merge.ts';
import type { ServicePort } from '../../src/model/service.ts';
import { shard } from '../support/fixtures.ts';

const servicePort = fc.record<ServicePort>({
  name: fc.constantFrom('a', 'b', 'c'),
  port: fc.constantFrom(80, 81, 82),
  transport: fc.constant('TCP'),
  protocol: fc.constantFrom('http', 'tcp', 'grpc'),
});

const ports = fc
  .uniqueArray(servicePort, { maxLength: 3, selector: ({ port }) => port })
  .map((all) => all.filter((port, index) => all.findIndex(({ name }) => name === port.name) === index));

const shards = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom('north', 'south', 'east', 'west'), fc.integer({ min: 0, max: 2 }), fc.boolean(), ports)
    .map(([cluster, createdAtMs, headless, list]) => shard(cluster, 'reviews', { createdAtMs, headless, ports: list })),
  { minLength: 1, maxLength: 4, selector: ({ cluster }) => cluster },
);

const traffic = fc.record(
  {
    internalTrafficPolicy: fc.constant('Local' as const),
    trafficDistribution: fc.constantFrom('PreferSameZone', 'PreferSameNode'),
  },
  { requiredKeys: [] },
);

/** The same, with what Kubernetes lets a service say of nearness. */
const nearShards = fc
  .tuple(shards, fc.array(traffic, { minLength: 4, maxLength: 4 }))
  .map(([list, said]) => list.map((one, i) => ({ ...one, ...said[i] })));

describe('property: merging', () => {
  it('does not depend on the order of the shards', () => {
    fc.assert(
      fc.property(
        nearShards.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          assert.deepEqual(mergeService(shuffled), mergeService(list));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is the same from what was merged before as from nothing', () => {
    fc.assert(
      fc.property(nearShards, nearShards, fc.boolean(), (before, other, endpointsAlone) => {
        const now = endpointsAlone ? before.map((one) => ({ ...one, vips: ['10.0.0.1'] })) : other;
        assert.deepEqual(mergeAgain(mergeService(before), now), mergeService(now));
        assert.deepEqual(
          [...mergeAgain(mergeService(before), now).shards.keys()],
          [...mergeService(now).shards.keys()],
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('loses no port silently: every port of every cluster is served there, or its cluster lost a conflict', () => {
    fc.assert(
      fc.property(shards, (list) => {
        const merged = mergeService(list);
        for (const { cluster, ports: declared } of list) {
          for (const { port } of declared) {
            const served =
              merged.ports.find((candidate) => candidate.port === port)?.clusters.includes(cluster) ?? false;
            assert.ok(served || merged.conflicts.some(({ losers }) => losers.includes(cluster)), `${cluster} ${port}`);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
