import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { mergeService } from '../../../src/catalog/merge.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { CatalogService, ServiceKey } from '../../../src/model/service.ts';
import { Drains } from '../../../src/pilot/drains.ts';
import { drainText } from '../../support/bad-drains.ts';
import { endpoint, shard } from '../../support/fixtures.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { rawObject } from '../../support/rules.ts';

const created = ', creationTimestamp: "2026-01-01T00:00:00Z"';

function service(name: string, clusters: readonly string[], zone = ''): CatalogService {
  return mergeService(
    clusters.map((cluster, index) =>
      shard(cluster, name, {
        endpoints: [endpoint(cluster, `10.${index}.0.1`, { locality: { region: '', zone, subzone: '' } })],
      }),
    ),
  );
}

class Rig {
  readonly clock = new ManualClock();
  readonly catalog = new Map<ServiceKey, CatalogService>();
  dues = 0;
  readonly drains: Drains = new Drains({ logger: silentLogger, clock: this.clock, due: () => void this.dues++ });
  revision = 0;

  constructor() {
    for (const one of [service('reviews', ['east', 'west'], 'a'), service('ratings', ['east'], 'b')])
      this.catalog.set(one.key, one);
  }

  put(text: string, source = 'folder', id = 'Drain/west'): void {
    this.drains.objects.source(source).put(rawObject(parse(text), source), id);
  }

  update(changed: readonly ServiceKey[] = []): string[] {
    return [...this.drains.update(this.catalog, new Set(changed), ++this.revision)].sort();
  }

  id(key: ServiceKey = 'shop/reviews'): string | undefined {
    const known = this.catalog.get(key);
    return known === undefined ? undefined : this.drains.applied(known).drain?.id;
  }
}

describe('drains over time', () => {
  it('take ten steps from their start to their end, and ask for each', () => {
    const rig = new Rig();
    rig.put(drainText('{cluster: west, over: 90s}', 'west', created));
    assert.deepEqual(rig.update(), ['shop/reviews']);
    const seen = [rig.id()];
    for (let second = 1; second <= 100; second++) {
      rig.clock.advance(1000);
      if (rig.dues === 0) continue;
      rig.dues = 0;
      assert.deepEqual(rig.update(), ['shop/reviews']);
      seen.push(rig.id());
      assert.equal(second % 10, 0);
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 10 }, (_, index) => `west ${index + 1}`),
    );
  });

  const back = (over: string, at = '00:03:00'): string =>
    drainText(`{cluster: west, over: 90s, undrain: {startAt: "2026-01-01T${at}Z", over: ${over}}}`, 'west', created);

  it('take the same steps back, from their time to the last, and ask for each', () => {
    const rig = new Rig();
    rig.put(back('90s'));
    rig.update();
    rig.clock.advance(120_000);
    rig.update();
    assert.equal(rig.id(), 'west 10');
    const seen: (string | undefined)[] = [];
    for (let second = 121; second <= 300; second++) {
      rig.clock.advance(1000);
      if (rig.dues === 0) continue;
      rig.dues = 0;
      if (rig.update().length === 0) continue;
      seen.push(rig.id());
      assert.equal(second % 10, 0);
    }
    assert.deepEqual(seen, [...Array.from({ length: 9 }, (_, index) => `west ${9 - index}`), undefined]);
    const [record] = rig.drains.objects.records();
    assert.equal(record && rig.drains.state(record)?.phase, 'over');
  });

  it('go back from where they are, whoever looks, and at once without a time', () => {
    const rig = new Rig();
    rig.put(back('30s', '00:00:35'));
    rig.clock.advance(34_000);
    rig.update();
    assert.equal(rig.id(), 'west 4');
    rig.clock.advance(1000);
    rig.update();
    assert.equal(rig.id(), 'west 3');
    const later = new Rig();
    later.clock.advance(50_000);
    later.put(back('30s', '00:00:35'));
    later.update();
    assert.equal(later.id(), 'west 2');
    later.put(back('0s', '00:00:35'));
    assert.deepEqual(later.update(), ['shop/reviews']);
    assert.equal(later.id(), undefined);
    const never = new Rig();
    never.put(back('30s', '00:00:00'));
    never.clock.advance(1000);
    never.update();
    assert.equal(never.id(), 'west 0', 'the first tenth comes back at once');
  });

  it('go on where they were, whoever looks', () => {
    const rig = new Rig();
    rig.clock.advance(45_000);
    rig.put(drainText('{cluster: west, over: 90s}', 'west', created));
    rig.update();
    assert.equal(rig.id(), 'west 5');
  });

  it('move everything at once without a time, and nothing before they begin', () => {
    const rig = new Rig();
    rig.put(drainText('{cluster: west}', 'west', created));
    rig.update();
    assert.equal(rig.id(), 'west 10');
    rig.put(drainText('{cluster: west, startAt: "2026-01-01T00:01:00Z"}', 'west', created));
    assert.deepEqual(rig.update(), ['shop/reviews']);
    assert.equal(rig.id(), undefined);
    rig.clock.advance(60_000);
    assert.equal(rig.dues, 1);
    rig.update();
    assert.equal(rig.id(), 'west 10');
  });

  it('begin when they are first seen, where no time is said', () => {
    const rig = new Rig();
    rig.clock.advance(1000);
    rig.put(drainText('{cluster: west, over: 9s}'));
    rig.update();
    assert.equal(rig.id(), 'west 1');
    rig.clock.advance(3000);
    rig.put(drainText('{cluster: west, over: 18s}'));
    rig.update();
    assert.equal(rig.id(), 'west 2');
  });

  it('concern the services that have endpoints there, as they come and go', () => {
    const rig = new Rig();
    rig.put(drainText('{zone: b}', 'b', created), 'folder', 'Drain/b');
    assert.deepEqual(rig.update(), ['shop/ratings']);
    assert.deepEqual([rig.id(), rig.id('shop/ratings')], [undefined, '@/b 10']);
    const moved = service('reviews', ['east', 'west'], 'b');
    rig.catalog.set(moved.key, moved);
    rig.update(['shop/reviews']);
    assert.equal(rig.id(), '@/b 10');
    const [record] = rig.drains.objects.records();
    assert.equal(record && rig.drains.state(record)?.services.size, 2);
    rig.drains.objects.source('folder').remove('Drain/b');
    assert.deepEqual(rig.update(), ['shop/ratings', 'shop/reviews']);
    assert.equal(rig.id(), undefined);
  });

  it('are for the named services alone', () => {
    const rig = new Rig();
    rig.put(drainText('{cluster: east, services: [shop/ratings]}', 'east', created));
    assert.deepEqual(rig.update(), ['shop/ratings']);
    assert.equal(rig.id(), undefined);
  });

  it('give the very same service as long as nothing changes', () => {
    const rig = new Rig();
    const known = rig.catalog.get('shop/reviews') ?? assert.fail();
    assert.equal(rig.drains.applied(known), known);
    rig.put(drainText('{cluster: west}', 'west', created));
    rig.update();
    assert.equal(rig.drains.applied(known), rig.drains.applied(known));
    assert.deepEqual(rig.update(), []);
  });

  it('count once, from whichever source has the older object', () => {
    const rig = new Rig();
    rig.put(drainText('{cluster: west}', 'west', ', creationTimestamp: "2026-01-01T00:00:00Z"'), 'b');
    rig.put(drainText('{cluster: east}', 'west', ', creationTimestamp: "2025-01-01T00:00:00Z"'), 'a');
    rig.update();
    assert.equal(rig.id(), 'east 10');
    const [first, second] = rig.drains.objects.records();
    assert.equal(first && rig.drains.loss(first), undefined);
    assert.equal(second && rig.drains.loss(second), first);
  });
});
