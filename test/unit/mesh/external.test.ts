import assert from 'node:assert/strict';
import { type ExternalClaim, externalLosses, externalServices, serviceNamedBy } from '../../../src/mesh/external.ts';

function claim(
  name: string,
  createdAtMs: number,
  hosts: readonly string[],
  clusters: readonly string[] = [],
): ExternalClaim {
  return {
    key: name,
    external: {
      ref: { namespace: 'shop', name, generation: 1 },
      createdAtMs,
      hosts,
      ports: [{ number: 80, protocol: 'http', tls: false, name: 'http' }],
      resolution: 'dns',
      endpoints: [],
      clusters,
      hash: name,
      origin: 'test',
    },
  };
}

/** Who loses, with the winner's name, for the claims in this order and in the other. */
function losers(claims: readonly ExternalClaim[]): Record<string, string> {
  const [one, other] = [claims, claims.toReversed()].map((order) => {
    const losses = externalLosses(order, (key) => key === 'shop/reviews', 'cluster.local');
    const named = [...losses].map(([key, loss]) => [key, loss.kind === 'service' ? loss.service : loss.by.ref.name]);
    return Object.fromEntries(named.sort()) as Record<string, string>;
  });
  assert.deepEqual(one, other);
  return one ?? {};
}

describe('externalLosses', () => {
  it('gives a host to the oldest, then to the first by name', () => {
    assert.deepEqual(losers([claim('a', 2, ['x.example.com']), claim('b', 1, ['x.example.com'])]), { a: 'b' });
    assert.deepEqual(losers([claim('b', 1, ['x.example.com']), claim('a', 1, ['x.example.com'])]), { b: 'a' });
  });

  it('takes all hosts of who loses one, so that a third may have the rest', () => {
    const claims = [claim('a', 1, ['x.example.com']), claim('b', 2, ['x.example.com', 'y.example.com'])];
    assert.deepEqual(losers([...claims, claim('c', 3, ['y.example.com'])]), { b: 'a' });
  });

  it('lets objects for different clusters, and a wildcard and a name below it, have theirs', () => {
    assert.deepEqual(
      losers([claim('a', 1, ['x.example.com'], ['east']), claim('b', 2, ['x.example.com'], ['west'])]),
      {},
    );
    assert.deepEqual(losers([claim('a', 1, ['x.example.com'], ['east']), claim('b', 2, ['x.example.com'])]), {
      b: 'a',
    });
    assert.deepEqual(losers([claim('a', 1, ['*.example.com']), claim('b', 2, ['x.example.com'])]), {});
  });

  it('refuses the name of a service, and counts nothing of what it refused', () => {
    const claims = [claim('a', 1, ['reviews.shop', 'x.example.com']), claim('b', 2, ['x.example.com'])];
    assert.deepEqual(losers(claims), { a: 'shop/reviews' });
  });
});

describe('externalServices', () => {
  it('makes a service of each host, under a key that no service can have', () => {
    const services = externalServices(claim('pay', 1, ['a.example.com', 'b.example.com'], ['east']).external);
    assert.deepEqual(
      services.map(({ key, host, upstream, visibleIn }) => [key, host, upstream, [...(visibleIn ?? [])]]),
      [
        ['external:shop/pay/a.example.com', 'a.example.com', { kind: 'dns', name: 'a.example.com' }, ['east']],
        ['external:shop/pay/b.example.com', 'b.example.com', { kind: 'dns', name: 'b.example.com' }, ['east']],
      ],
    );
  });
});

describe('serviceNamedBy', () => {
  const cases: readonly (readonly [host: string, service: string | undefined])[] = [
    ['reviews.shop', 'shop/reviews'],
    ['reviews.shop.svc', 'shop/reviews'],
    ['reviews.shop.svc.cluster.local', 'shop/reviews'],
    ['*.db.shop', 'shop/db'],
    ['*.db.shop.svc.cluster.local', 'shop/db'],
    ['db-0.db.shop', 'shop/db'],
    ['db-0.db.shop.svc.cluster.local', 'shop/db'],
    ['a.b.c.d', undefined],
    ['a.b.c.d.svc.other.domain', undefined],
  ];
  for (const [host, service] of cases) {
    it(`${host}: ${service ?? 'none'}`, () => assert.equal(serviceNamedBy(host, 'cluster.local'), service));
  }
});
