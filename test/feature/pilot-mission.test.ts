/**
 * What the pilot is for: one rule sends all load to a version in a cluster. Real streams, delta and SotW, over the wired stages; and a change
 * reaches those whom it concerns, and nobody else.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { endpointOf, outbound, PilotRig } from '../support/pilot.ts';
import type { XdsResponse } from '../support/xds-response.ts';

const toV2West = '{service: reviews, routes: [{backends: [{version: v2, cluster: west}]}]}';

/** `EDS outbound|80||…` for each resource that was sent, `-EDS …` for each that was taken back. */
function sent(responses: readonly XdsResponse[]): string[] {
  return responses.flatMap(({ typeUrl: url, resources, removed }) => {
    const short = url.split('.').at(-1);
    return [...resources.map(({ name }) => `${short} ${name}`), ...removed.map((name) => `-${short} ${name}`)];
  });
}

describe('pilot: one rule moves the load', () => {
  let rig: PilotRig;

  beforeEach(async () => {
    rig = await PilotRig.start();
    rig.service('east', 'reviews', ['10.0.0.1@v1', '10.0.0.2@v1']);
    rig.service('west', 'reviews', ['10.1.0.1@v2']);
    rig.service('west', 'ratings', ['10.1.0.9@v1']);
  });

  afterEach(() => rig.stop());

  for (const transport of ['delta', 'sotw'] as const) {
    it(`for a ${transport} client`, async () => {
      const envoy = rig.openEnvoy({ transport });
      await rig.until(() => envoy.levels(outbound('reviews')).length > 0 && envoy.routes('reviews').length > 0);
      assert.deepEqual(envoy.levels(outbound('reviews')), [['10.0.0.1', '10.0.0.2', '10.1.0.1']]);
      assert.deepEqual(envoy.routes('reviews'), [outbound('reviews')]);

      rig.rule(toV2West);
      const wanted = outbound('reviews', 'v2.west');
      await rig.until(() => envoy.routes('reviews')[0] === wanted, 'the route');
      assert.deepEqual(envoy.levels(wanted), [['10.1.0.1']]);
      assert.deepEqual(envoy.routes('ratings'), [outbound('ratings')]);
      await rig.until(() => rig.condition('Programmed').status === 'True');

      rig.rule(
        '{service: reviews, routes: [{backends: [{version: v1, weight: 90, fallback: [{}]}, {version: v2, cluster: west, weight: 10}]}]}',
      );
      const chain = outbound('reviews', 'v1>*');
      await rig.until(() => envoy.routes('reviews')[0] === `${chain}:90 ${wanted}:10`, 'the weighted route');
      assert.deepEqual(envoy.levels(chain), [['10.0.0.1', '10.0.0.2'], ['10.1.0.1']]);

      rig.deleteRule();
      await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews'), 'the way without the rule');
      await rig.quiet();
      assert.deepEqual(
        envoy.names(typeUrl.cluster).filter((name) => name.startsWith('outbound')),
        [outbound('ratings'), outbound('reviews')].sort(),
      );
    });
  }

  it('and an endpoint that comes is one assignment to those that hold it, and nothing else', async () => {
    const envoy = rig.openEnvoy();
    await rig.quiet();
    const before = envoy.responses.length;
    rig
      .cluster('west')
      .putEndpoints('shop', 'ratings', [endpointOf('west', '10.1.0.9@v1'), endpointOf('west', '10.1.0.10@v1')]);
    await rig.until(() => envoy.levels(outbound('ratings'))[0]?.length === 2);
    await rig.quiet();
    assert.deepEqual(sent(envoy.responses.slice(before)), [`ClusterLoadAssignment ${outbound('ratings')}`]);
  });

  it('and a rule of one service leaves the clusters and assignments of another alone', async () => {
    rig.rule(toV2West);
    const envoy = rig.openEnvoy();
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v2.west'));
    await rig.quiet();
    const before = envoy.responses.length;
    rig.rule('{service: ratings, routes: [{backends: [{version: v1}]}]}', 'ratings');
    await rig.until(() => envoy.routes('ratings')[0] === outbound('ratings', 'v1'));
    await rig.quiet();
    assert.deepEqual(sent(envoy.responses.slice(before)).sort(), [
      `Cluster ${outbound('ratings', 'v1')}`,
      `ClusterLoadAssignment ${outbound('ratings', 'v1')}`,
      'RouteConfiguration http_proxy',
    ]);
  });

  it('and what is put again unchanged is no news', async () => {
    rig.rule(toV2West);
    const envoy = rig.openEnvoy();
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v2.west'));
    await rig.quiet();
    const before = envoy.responses.length;
    rig.service('west', 'ratings', ['10.1.0.9@v1']);
    rig.rule(toV2West);
    rig.rule(toV2West, 'reviews', { generation: 7 });
    await rig.until(() => rig.condition('Programmed').status === 'True' && rig.report().generation === 7);
    await rig.quiet();
    assert.deepEqual(sent(envoy.responses.slice(before)), []);
  });
});

describe('pilot: before everything is known', () => {
  it('nobody is answered; then all are at once', async () => {
    const rig = await PilotRig.start({ ready: false });
    try {
      rig.service('east', 'reviews', ['10.0.0.1@v1']);
      const delta = rig.openEnvoy({ name: 'a' });
      const sotw = rig.openEnvoy({ name: 'b', transport: 'sotw' });
      const captured = rig.openEnvoy({ name: 'c', metadata: { FAIRWAY_MODE: 'captured' } });
      const all = [delta, sotw, captured];
      await rig.until(() => rig.xds.counters.queueWaits.count >= 3);
      rig.rule('{service: reviews, routes: [{backends: [{version: v1}]}]}');
      rig.service('west', 'reviews', ['10.1.0.1@v1']);
      await rig.until(() => rig.engine.mesh.services.get('shop/reviews')?.rule !== undefined);
      await rig.until(() => rig.xds.counters.queueLength === 0);
      assert.deepEqual(
        all.map(({ responses }) => responses.length),
        [0, 0, 0],
      );
      assert.equal(rig.condition('Programmed').reason, 'NoProxies');

      rig.engine.open();
      await rig.until(() => all.every(({ client }) => client.held(typeUrl.endpoint).size > 0));
      for (const envoy of all) assert.deepEqual(envoy.levels(outbound('reviews', 'v1')), [['10.0.0.1', '10.1.0.1']]);
      await rig.until(() => rig.condition('Programmed').status === 'True');
    } finally {
      await rig.stop();
    }
  });
});
