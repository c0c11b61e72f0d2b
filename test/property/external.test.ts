/** ExternalServices: what is in force depends on the objects and the services, never on the order in which they came. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/logger.ts';
import type { CatalogService, ServiceKey } from '../../src/model/service.ts';
import { Externals } from '../../src/pilot/externals.ts';
import { rawObject } from '../support/rules.ts';

interface Said {
  readonly source: string;
  readonly name: string;
  readonly object: object | undefined;
}

const said: fc.Arbitrary<Said> = fc
  .record({
    source: fc.constantFrom('folder', 'primary'),
    name: fc.constantFrom('x', 'y', 'z'),
    object: fc.option(
      fc.record({
        day: fc.constantFrom(undefined, 1, 2),
        hosts: fc.uniqueArray(
          fc.constantFrom('a.example.com', '*.example.com', 'reviews.shop', 'BAD', 'b.example.com'),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        clusters: fc.option(fc.uniqueArray(fc.constantFrom('east', 'west'), { minLength: 1 }), { nil: undefined }),
        target: fc.constantFrom(8080, 8081),
      }),
      { nil: undefined, freq: 5 },
    ),
  })
  .map(({ source, name, object }) => ({
    source,
    name,
    object:
      object === undefined
        ? undefined
        : {
            apiVersion: 'fairway.dev/v1alpha1',
            kind: 'ExternalService',
            metadata: {
              name,
              namespace: 'shop',
              ...(object.day === undefined ? {} : { creationTimestamp: `2026-01-0${object.day}T00:00:00Z` }),
            },
            spec: {
              hosts: object.hosts,
              ports: [{ number: 80, protocol: 'http' }],
              resolution: 'static',
              endpoints: [{ address: '192.0.2.1', ports: [{ number: 80, targetPort: object.target }] }],
              ...(object.clusters === undefined ? {} : { from: { clusters: object.clusters } }),
            },
          },
  }));

const reviews: ReadonlyMap<ServiceKey, CatalogService> = new Map([['shop/reviews', {} as CatalogService]]);
const none: ReadonlyMap<ServiceKey, CatalogService> = new Map();

function start(): Externals {
  return new Externals({ logger: silentLogger, clusterDomain: 'cluster.local' });
}

function say(externals: Externals, { source, name, object }: Said): void {
  const target = externals.objects.source(source);
  if (object === undefined) target.remove(name);
  else target.put(rawObject(object, source), name);
}

/** All that anybody can see of it. */
function seen(externals: Externals): unknown {
  const losses = externals.objects.records().map((record) => [record.key, externals.loss(record)]);
  const services = [...externals.services].sort(([a], [b]) => (a < b ? -1 : 1));
  return { losses, services };
}

describe('hosts outside', () => {
  it('are the same whatever the order, in steps and at once', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(said, { selector: ({ source, name }) => `${source} ${name}`, maxLength: 6 }),
        fc.array(said, { maxLength: 6 }),
        fc.infiniteStream(fc.nat(5)),
        fc.boolean(),
        (final, noise, picks, hasReviews) => {
          const catalog = hasReviews ? reviews : none;
          const changed = new Set<ServiceKey>(['shop/reviews']);
          const atOnce = start();
          for (const one of final) say(atOnce, one);
          atOnce.update(catalog, changed, 1);

          const inSteps = start();
          // What was valid once counts as the last good form, so the noise must leave nothing behind.
          for (const one of noise) say(inSteps, one);
          inSteps.update(hasReviews ? none : reviews, changed, 1);
          for (const one of noise) say(inSteps, { ...one, object: undefined });
          const left = [...final];
          for (let revision = 2; left.length > 0; revision++) {
            const [next] = left.splice((picks.next().value ?? 0) % left.length, 1);
            if (next !== undefined) say(inSteps, next);
            inSteps.update(none, new Set(), revision);
          }
          inSteps.update(catalog, changed, 99);
          assert.deepEqual(seen(inSteps), seen(atOnce));
        },
      ),
    );
  });

  it('say which changed: whoever keeps what they say has all of them', () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 12 }), fc.array(fc.boolean(), { minLength: 1 }), (steps, there) => {
        const externals = start();
        const kept = new Map<ServiceKey, CatalogService>();
        for (const [i, step] of steps.entries()) {
          say(externals, step);
          const catalog = there[i % there.length] === true ? reviews : none;
          for (const key of externals.update(catalog, new Set<ServiceKey>(['shop/reviews']), i)) {
            const service = externals.services.get(key);
            if (service === undefined) kept.delete(key);
            else kept.set(key, service);
          }
        }
        assert.deepEqual(
          [...kept].sort(([a], [b]) => (a < b ? -1 : 1)),
          (seen(externals) as { services: unknown }).services,
        );
      }),
    );
  });

  it('no two of which that some cluster sees have one name', () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 8 }), (steps) => {
        const externals = start();
        for (const step of steps) say(externals, step);
        externals.update(reviews, new Set<ServiceKey>(['shop/reviews']), 1);
        for (const cluster of ['east', 'west']) {
          const hosts = [...externals.services.values()]
            .filter(({ visibleIn }) => visibleIn?.has(cluster) !== false)
            .map(({ host }) => host);
          assert.equal(new Set(hosts).size, hosts.length);
          assert.ok(!hosts.includes('reviews.shop'));
        }
      }),
    );
  });
});
