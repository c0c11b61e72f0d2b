import assert from 'node:assert/strict';
import { drainNameOf, readPlace } from '../../../src/cli/drain-place.ts';
import { strained } from '../../../src/cli/views/drain-plan.ts';
import type { DrainPlan, PlaceLoad } from '../../../src/model/drain-plan.ts';

describe('the place of a drain', () => {
  for (const [cluster, zone, name] of [
    ['west', '', 'west'],
    ['west', 'eu-1a', 'west-eu-1a'],
    ['', 'eu-1a', 'zone-eu-1a'],
    ['West_2', '', 'west-2'],
    ['west', 'Rack.7._a', 'west-rack.7.a'],
  ] as const) {
    it(`makes ${name} of cluster ${JSON.stringify(cluster)} and zone ${JSON.stringify(zone)}`, () => {
      assert.equal(drainNameOf({ cluster, zone }), name);
      assert.match(name, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/);
    });
  }

  it('must be said', () => {
    assert.deepEqual(readPlace('west', undefined), { cluster: 'west', zone: '' });
    assert.throws(() => readPlace(undefined, undefined), { code: 'FW-CLI-110' });
    assert.throws(() => readPlace('', ''), { code: 'FW-CLI-110' });
  });
});

describe('what is worth a warning before a drain', () => {
  const plan = (places: readonly PlaceLoad[]): DrainPlan => ({
    place: { cluster: 'west', zone: '' },
    isRegistered: true,
    unknown: [],
    services: [{ namespace: 'shop', name: 'reviews', port: 80, outcome: 'moves', places }],
  });
  const load = (name: string, before: number, after: number, isDrained = false): PlaceLoad => ({
    name,
    isDrained,
    ready: 1,
    before,
    after,
  });

  it('is more than twice the load of an endpoint, and not twice', () => {
    assert.equal(strained(plan([load('east', 0.5, 1), load('west', 0.5, 0, true)])).length, 0);
    assert.equal(strained(plan([load('east', 0.3, 1), load('west', 0.7, 0, true)])).length, 1);
  });

  it('is nothing that is known of those that have no load yet', () => {
    assert.equal(strained(plan([load('east', 0, 1), load('west', 1, 0, true)])).length, 0);
  });
});
