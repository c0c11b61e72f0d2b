import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import type { CatalogService, ServiceKey } from '../../../src/model/service.ts';
import { WantedServices } from '../../../src/pilot/wanted.ts';

function setUp() {
  const outside: Pick<CatalogService, 'host' | 'key'>[] = [];
  const wanted = new WantedServices({ clusterDomain: 'cluster.local', outside: () => outside as CatalogService[] });
  const ask = (stream: number, url: string, ...subscribe: string[]): ServiceKey[] =>
    [...wanted.asked(stream, 'shop', 'sotw', url, { subscribe, unsubscribe: [] })].sort();
  return { wanted, ask, outside };
}

describe('services that proxyless clients ask for', () => {
  it('are known by every name that something of them has', () => {
    const { wanted, ask } = setUp();
    assert.deepEqual(ask(1, typeUrl.listener, 'reviews', 'a.b:80', 'c.d.svc:1', 'e.f.svc.cluster.local', 'x:y:z', ''), [
      'b/a',
      'd/c',
      'f/e',
      'shop/reviews',
      'shop/x:y',
    ]);
    assert.deepEqual(ask(1, typeUrl.route, 'g.h.svc.cluster.local:9080'), ['h/g']);
    assert.deepEqual(ask(1, typeUrl.cluster, 'outbound|80|v1|i.j.svc.cluster.local', 'inbound|80||', 'refused'), [
      'j/i',
    ]);
    assert.deepEqual(ask(1, typeUrl.endpoint, 'outbound|80|v1.a>*!b|k.l.svc.cluster.local'), ['l/k']);
    assert.equal(wanted.services.size, 8);
    assert.deepEqual(ask(2, typeUrl.listener, 'm.n.svc.clusterset.local:80'), ['clusterset:n/m', 'n/m']);
  });

  it('are wanted while some stream names something of them', () => {
    const { wanted, ask } = setUp();
    assert.deepEqual(ask(1, typeUrl.listener, 'reviews:80'), ['shop/reviews']);
    assert.deepEqual(ask(1, typeUrl.listener, 'reviews:80'), []);
    assert.deepEqual(ask(2, typeUrl.cluster, 'outbound|80||reviews.shop.svc.cluster.local'), []);
    assert.deepEqual(ask(1, typeUrl.listener, 'ratings:80'), ['shop/ratings']);
    assert.deepEqual([...wanted.gone(2)], ['shop/reviews']);
    assert.deepEqual([...wanted.gone(2)], []);
    assert.deepEqual([...wanted.gone(1)], ['shop/ratings']);
    assert.equal(wanted.services.size, 0);
  });

  it('are asked for and given up by name over delta', () => {
    const { wanted } = setUp();
    const ask = (subscribe: string[], unsubscribe: string[]): ServiceKey[] => [
      ...wanted.asked(1, 'shop', 'delta', typeUrl.listener, { subscribe, unsubscribe }),
    ];
    assert.deepEqual(ask(['a', 'b'], []), ['shop/a', 'shop/b']);
    assert.deepEqual(ask(['c'], ['a']), ['shop/c', 'shop/a']);
    assert.deepEqual([...wanted.services].sort(), ['shop/b', 'shop/c']);
  });

  it('outside are known by their hosts, also when they come later', () => {
    const { wanted, ask, outside } = setUp();
    // As the name of a workload it would be one of com/example.
    assert.deepEqual(ask(1, typeUrl.listener, 'api.example.com:443'), ['com/example']);
    outside.push({ host: 'api.example.com', key: 'external:shop/pay/api.example.com' });
    assert.deepEqual([...wanted.outsideChanged()], ['external:shop/pay/api.example.com']);
    outside.pop();
    assert.deepEqual([...wanted.outsideChanged()], ['external:shop/pay/api.example.com']);
  });
});
