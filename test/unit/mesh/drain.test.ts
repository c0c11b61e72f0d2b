import assert from 'node:assert/strict';
import { mergeService } from '../../../src/catalog/merge.ts';
import { compileService } from '../../../src/mesh/compile.ts';
import { drainOutcome } from '../../../src/mesh/drain-outcome.ts';
import { type ServicePlace, serviceDrain } from '../../../src/model/drain.ts';
import type { MeshService } from '../../../src/model/mesh.ts';
import { anywhere, chainName, type RuleBackend, toDestination } from '../../../src/model/rule.ts';
import { endpoint, port, shard, trafficRule } from '../../support/fixtures.ts';

const place = (cluster: string, step: number, more: Partial<ServicePlace> = {}): ServicePlace => ({
  cluster,
  zone: '',
  step,
  force: false,
  ...more,
});

const east = [endpoint('east', '10.0.0.1', { version: 'v1' }), endpoint('east', '10.0.0.2', { version: 'v2' })];
const west = [endpoint('west', '10.1.0.1', { version: 'v1' }), endpoint('west', '10.1.0.2', { version: 'v3' })];

function compiled(
  places: readonly ServicePlace[],
  backends?: readonly RuleBackend[],
  [here, there]: readonly (readonly ReturnType<typeof endpoint>[])[] = [east, west],
): MeshService {
  const catalog = mergeService([
    shard('east', 'reviews', { ports: [port(80)], endpoints: here ?? [] }),
    shard('west', 'reviews', { ports: [port(80)], endpoints: there ?? [] }),
  ]);
  const drain = serviceDrain(places);
  const rule = backends === undefined ? undefined : trafficRule({ hash: 'a', backends });
  return compileService(drain === undefined ? catalog : { ...catalog, drain }, rule);
}

const shares = ({ routes }: MeshService): string[] =>
  (routes[0]?.backends ?? []).map(({ weight, chain }) => `${chainName(chain)} ${weight}`);

describe('a drained service', () => {
  it('is split in tenths, and whole at both ends', () => {
    assert.deepEqual(shares(compiled([place('west', 0)])), [' 1']);
    assert.deepEqual(shares(compiled([place('west', 3)])), [' 7', '!west 3']);
    assert.deepEqual(shares(compiled([place('west', 10)])), ['!west 1']);
  });

  it('has its twins from the first step to the last, so that a step changes weights alone', () => {
    for (const step of [0, 5, 10])
      assert.deepEqual(compiled([place('west', step)]).chains.map(chainName), ['', '!west']);
  });

  it('keeps the weights of a rule, and its chains', () => {
    const backends = [
      { weight: 90, chain: [toDestination({ version: 'v1', cluster: 'west' }), anywhere] },
      { weight: 10, chain: [toDestination({ version: 'v2' })] },
      { weight: 0, chain: [toDestination({ version: 'v9' })] },
    ];
    assert.deepEqual(
      shares(compiled([place('west', 4)], backends)).filter((one) => !one.endsWith(' 0')),
      ['v1.west>* 540', 'v1.west>*!west 360', 'v2 60', 'v2!west 40'],
    );
  });

  it('is kept from several places by shares that lie within each other', () => {
    const both = compiled([place('west', 4), place('', 7, { zone: 'b' })]);
    assert.deepEqual(shares(both), [' 3', '!@/b 3', '!@/b!west 4']);
    assert.deepEqual(shares(compiled([place('west', 10), place('', 10, { zone: 'b' })])), ['!@/b!west 1']);
    assert.deepEqual(shares(compiled([place('west', 2), place('west', 6)])), [' 4', '!west 6']);
  });

  it('sends connections that no route takes away too', () => {
    const service = compiled([place('west', 10)], [{ weight: 1, chain: [toDestination({ version: 'v1' })] }]);
    assert.deepEqual(
      service.unrouted?.map(({ chain }) => chainName(chain)),
      ['!west'],
    );
  });

  it('shares what was split with all services of the same routes and drain', () => {
    assert.equal(compiled([place('west', 3)]).routes, compiled([place('west', 3)]).routes);
    assert.notEqual(compiled([place('west', 3)]).routes, compiled([place('west', 4)]).routes);
  });
});

describe('where a drain ends', () => {
  const outcome = (service: MeshService): [string[], boolean] => {
    const { kept, isEmptied } = drainOutcome(service);
    return [[...kept].sort(), isEmptied];
  };

  it('moves all where all have others', () => {
    assert.deepEqual(outcome(compiled([place('west', 1)])), [[], false]);
  });

  it('keeps what one chain has nowhere else', () => {
    const pinned = [
      { weight: 1, chain: [anywhere] },
      { weight: 1, chain: [toDestination({ version: 'v3' })] },
    ];
    assert.deepEqual(outcome(compiled([place('west', 1)], pinned)), [['west'], false]);
    assert.deepEqual(outcome(compiled([place('west', 1, { force: true })], pinned)), [[], true]);
  });

  it('counts endpoints that are ready, and no others', () => {
    const unready = [endpoint('east', '10.0.0.1', { ready: false })];
    assert.deepEqual(outcome(compiled([place('west', 1)], undefined, [unready, west])), [['west'], false]);
    assert.deepEqual(outcome(compiled([place('west', 1)], undefined, [unready, []])), [[], false]);
  });

  it('lets the older of two that leave nothing together go first, and force before both', () => {
    assert.deepEqual(outcome(compiled([place('west', 10), place('east', 10)])), [['east'], false]);
    assert.deepEqual(outcome(compiled([place('west', 10), place('east', 10, { force: true })])), [['west'], false]);
  });

  it('looks within the place that traffic must not leave', () => {
    const catalog = compiled([place('west', 1)]).catalog;
    const within = { region: '', zone: '', cluster: 'west' };
    const rule = { ...trafficRule({ hash: 'a', backends: [{ weight: 1, chain: [anywhere] }] }), policy: { within } };
    assert.deepEqual(outcome(compileService(catalog, rule)), [['west'], false]);
  });
});
