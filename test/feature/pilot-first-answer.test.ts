/**
 * Proxies that are there before their pilot knows anything, as after each restart of one: their first answer is all that it knows, never what it
 * knew a moment before. An Envoy that is told of fewer services drops them.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { ConfigMode } from '../../src/model/mesh.ts';
import { outbound, PilotRig } from '../support/pilot.ts';

const services = 1500;

describe('the first answer of a pilot', function () {
  this.timeout(30_000);
  let rig: PilotRig;
  let mode: ConfigMode;
  beforeEach(async () => {
    mode = 'eager';
    rig = await PilotRig.start({ ready: false, configMode: () => mode });
  });
  afterEach(() => rig.stop());

  const fill = (): void => {
    for (let i = 0; i < services; i++) rig.service('east', `service-${i}`, ['10.0.0.1@v1']);
  };
  /** What they asked for has come, and they had their turn. */
  const said = async (clients: number): Promise<void> => {
    await rig.until(() => rig.xds.counters.queueWaits.count >= clients && rig.xds.counters.queueLength === 0, 'turns');
    // If it was given a view already, that says that there is nothing.
    await rig.until(() => [...rig.engine.views()].every(({ isCurrent }) => isCurrent), 'views');
  };

  it('has all services, though there was a view of none of them before', async () => {
    const clients = (['delta', 'sotw'] as const).map((transport) => {
      const client = rig.open({ transport });
      client.subscribe(typeUrl.cluster);
      return client;
    });
    await said(2);
    fill();
    rig.engine.open();
    for (const client of clients) {
      const { resources } = await client.next();
      assert.equal(resources.filter(({ name }) => name.startsWith('outbound|')).length, services);
    }
  });

  it('has the services whose rules ask who the proxy is, though nobody did when it came', async () => {
    const client = rig.open({ transport: 'delta' });
    client.subscribe(typeUrl.cluster);
    await said(1);
    fill();
    rig.rule(
      '{service: service-0, routes: [{matches: [{source: {labels: {app: web}}}], backends: [{version: v1}]}, {backends: [{}]}]}',
      'service-0',
    );
    rig.engine.open();
    const { resources } = await client.next();
    const names = resources.map(({ name }) => name);
    assert.equal(names.filter((name) => name.startsWith('outbound|80||')).length, services);
    assert.ok(names.includes(outbound('service-0')));
  });

  it('is in the mode that its namespace says, which the pilot learnt after the proxy had come', async () => {
    const client = rig.open({ transport: 'delta', metadata: { FAIRWAY_ROUTES: 'vhds' } });
    client.subscribe(typeUrl.cluster);
    await said(1);
    fill();
    mode = 'on-demand';
    rig.engine.open();
    const { resources } = await client.next();
    assert.deepEqual(resources.map(({ name }) => name).sort(), ['BlackHoleCluster', 'PassthroughCluster']);
    assert.deepEqual(
      [...rig.engine.proxies.all()].map(({ routes }) => routes),
      ['on-demand'],
    );
  });
});
