import assert from 'node:assert/strict';
import { serviceNamedBy } from '../../../src/mesh/external.ts';

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
