/**
 * What proxies hold while clusters are lost, come back, leave, contradict each other, or say what is not theirs to say.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { defaultStatementLimits } from '../../src/registry/statement.ts';
import { port, shard } from '../support/fixtures.ts';
import { type EnvoyLike, endpointOf, outbound, PilotRig } from '../support/pilot.ts';

const first = (envoy: EnvoyLike, name = 'reviews'): string[] => envoy.levels(outbound(name))[0] ?? [];

describe('pilot: clusters come and go', () => {
  let rig: PilotRig;
  let envoy: EnvoyLike;

  beforeEach(async () => {
    rig = await PilotRig.start({
      inventory: { settings: { limits: { ...defaultStatementLimits, maxEndpointsPerService: 50 } } },
    });
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    rig.service('west', 'reviews', ['10.1.0.1@v2', '10.1.0.2@v2']);
    rig.service('west', 'ratings', ['10.1.1.1@v1']);
    envoy = rig.openEnvoy();
    await rig.until(() => first(envoy).length === 3 && first(envoy, 'ratings').length === 1);
  });

  afterEach(() => rig.stop());

  it('a lost cluster keeps its endpoints, while another’s changes go on; what it lost meanwhile is found when it is back', async () => {
    await rig.quiet();
    const before = envoy.responses.length;
    rig.cluster('west').lose();
    assert.equal(rig.inventory.clusters().get('west')?.state.phase, 'stale');
    rig.cluster('west').putEndpoints('shop', 'reviews', [endpointOf('west', '10.1.0.2@v2')]);
    rig.cluster('west').removeService('shop', 'ratings');
    await rig.roundTrip();
    await rig.quiet();
    assert.equal(envoy.responses.length, before, 'a cluster that is lost is no news to proxies');

    rig
      .cluster('east')
      .putEndpoints('shop', 'reviews', [endpointOf('east', '10.0.0.1@v1'), endpointOf('east', '10.0.0.9@v1')]);
    await rig.until(() => first(envoy).length === 4);
    assert.deepEqual(first(envoy), ['10.0.0.1', '10.0.0.9', '10.1.0.1', '10.1.0.2']);

    rig.cluster('west').regain();
    await rig.until(
      () => first(envoy).length === 3 && !envoy.names(typeUrl.cluster).includes(outbound('ratings')),
      'the deletions',
    );
    assert.deepEqual(first(envoy), ['10.0.0.1', '10.0.0.9', '10.1.0.2']);
    assert.deepEqual(envoy.routes('ratings'), []);
  });

  it('an unregistered cluster takes its endpoints and services along; registered anew, it brings them back', async () => {
    rig.unregister('west');
    await rig.until(() => first(envoy).length === 1 && envoy.routes('ratings').length === 0);
    await rig.until(() => !envoy.names(typeUrl.cluster).includes(outbound('ratings')));
    rig.service('west', 'reviews', ['10.1.0.7@v2']);
    await rig.until(() => first(envoy).join() === '10.0.0.1,10.1.0.7');
  });

  it('a cluster that was never reached holds up nobody once the rest is known', async () => {
    rig.cluster('north', { reachable: false });
    rig.service('east', 'details', ['10.0.3.1']);
    await rig.until(() => first(envoy, 'details').length === 1);
    rig.cluster('north').putService(shard('north', 'details', { endpoints: [endpointOf('north', '10.2.3.1')] }));
    rig.cluster('north').regain();
    await rig.until(() => first(envoy, 'details').length === 2);
  });

  it('a cluster cannot claim what is another’s', async () => {
    await rig.quiet();
    const foreign = shard('east', 'reviews', { endpoints: [endpointOf('east', '6.6.6.6')] });
    rig.cluster('west').putService({ ...foreign, name: 'stolen' });
    rig.service('west', 'ratings', ['10.1.1.1@v1'], {
      endpoints: [endpointOf('west', '10.1.1.1@v1'), endpointOf('east', '6.6.6.7')],
    });
    rig.service('west', 'marker', ['10.1.5.5']);
    await rig.until(() => first(envoy, 'marker').length === 1);
    assert.deepEqual(first(envoy), ['10.0.0.1', '10.1.0.1', '10.1.0.2']);
    assert.deepEqual(first(envoy, 'ratings'), ['10.1.1.1']);
    assert.ok(!envoy.names(typeUrl.cluster).includes(outbound('stolen')));
    const text = JSON.stringify(envoy.names(typeUrl.endpoint).map((name) => envoy.get(typeUrl.endpoint, name)));
    assert.ok(!text.includes('6.6.6'), text);
    const record = rig.inventory.clusters().get('west');
    assert.ok(record?.findings.some(({ code }) => code === 'FW-CLUSTER-004'));
    assert.equal(record?.droppedTotal, 2);
    rig.cluster('west').removeService('shop', 'reviews');
    await rig.until(() => first(envoy).join() === '10.0.0.1', 'west to take away its own, and nobody else’s');
  });

  it('a cluster that says too much hurts itself alone', async () => {
    const endpoints = Array.from({ length: 60 }, (_, i) => endpointOf('west', `10.1.1.${i + 1}`));
    rig.cluster('west').putEndpoints('shop', 'ratings', endpoints);
    await rig.until(() => first(envoy, 'ratings').length === 50);
    rig.cluster('east').putEndpoints('shop', 'reviews', [endpointOf('east', '10.0.0.2@v1')]);
    await rig.until(() => first(envoy).join() === '10.0.0.2,10.1.0.1,10.1.0.2');
  });
});

describe('pilot: clusters disagree', () => {
  const old = shard('old', 'reviews', {
    createdAtMs: 1000,
    ports: [port(80)],
    endpoints: [endpointOf('old', '10.0.0.1')],
  });
  const young = shard('young', 'reviews', {
    createdAtMs: 2000,
    ports: [port(80, 'tcp', 'http'), port(90, 'http', 'extra')],
    endpoints: [
      {
        ...endpointOf('young', '10.1.0.1'),
        ports: new Map([
          ['http', 8080],
          ['extra', 9090],
        ]),
      },
    ],
  });
  const tie = shard('tie', 'reviews', {
    createdAtMs: 1000,
    ports: [port(80)],
    headless: true,
    endpoints: [endpointOf('tie', '10.2.0.1')],
  });

  for (const order of [
    [old, young, tie],
    [young, tie, old],
    [tie, old, young],
  ]) {
    it(`with one result for every order: ${order.map(({ cluster }) => cluster).join(', ')}`, async () => {
      const rig = await PilotRig.start();
      try {
        const envoy = rig.openEnvoy({ cluster: 'old' });
        for (const one of order) {
          rig.cluster(one.cluster).putService(one);
          rig.engine.flush();
        }
        await rig.until(() => first(envoy).length === 2 && envoy.names(typeUrl.endpoint).length === 2);
        // Port 80 is HTTP for the oldest: who says otherwise does not serve it. Port 90 is the young one's alone.
        assert.deepEqual(first(envoy), ['10.0.0.1', '10.2.0.1']);
        assert.deepEqual(envoy.levels(outbound('reviews', '', 90)), [['10.1.0.1']]);
        const service = rig.engine.catalog.get('shop/reviews');
        assert.deepEqual(
          service?.conflicts.map(({ reason, winner, losers }) => ({ reason, winner, losers })),
          [
            { reason: 'TypeConflict', winner: 'old', losers: ['tie'] },
            { reason: 'PortConflict', winner: 'old', losers: ['young'] },
          ],
        );
        // The oldest goes: the next one's word counts.
        rig.unregister('old');
        rig.unregister('tie');
        await rig.until(
          () => envoy.levels(outbound('reviews'))[0]?.join() === '10.1.0.1',
          'the young one to take over',
        );
        assert.deepEqual(rig.engine.catalog.get('shop/reviews')?.conflicts, []);
      } finally {
        await rig.stop();
      }
    });
  }
});
