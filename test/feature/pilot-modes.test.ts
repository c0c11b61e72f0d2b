/** In which form a proxy gets its routes: what it declares, over which transport, and what its namespace and the mesh say. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { ConfigMode } from '../../src/model/mesh.ts';
import { decode, PilotRig } from '../support/pilot.ts';

describe('the form of a proxy’s routes', () => {
  let rig: PilotRig;
  const modes = new Map<string, ConfigMode>();

  beforeEach(async () => {
    modes.clear();
    rig = await PilotRig.start({ configMode: (_cluster, namespace) => modes.get(namespace) ?? 'eager' });
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    await rig.until(() => rig.engine.mesh.services.size === 1);
  });
  afterEach(() => rig.stop());

  /** `whole`: hosts in the table; `vhds`: hosts by themselves; `on-demand`: no hosts until they are asked for. */
  async function formOf(transport: 'sotw' | 'delta', metadata: Readonly<Record<string, string>>): Promise<string> {
    const client = rig.open({ transport, metadata });
    client.subscribe(typeUrl.route, ['http_proxy']);
    const [resource] = (await client.next()).resources;
    assert.ok(resource !== undefined);
    const { vhds, virtual_hosts: hosts } = decode(typeUrl.route, resource);
    if (vhds === undefined) return Array.isArray(hosts) && hosts.length === 2 ? 'whole' : 'broken';
    assert.equal(hosts, undefined);
    client.subscribe(typeUrl.virtualHost);
    const { resources } = await client.next();
    if (resources.length === 2) return 'vhds';
    assert.deepEqual(
      resources.map(({ name, body }) => [name, body]),
      [['http_proxy/', undefined]],
    );
    client.subscribe(typeUrl.virtualHost, ['http_proxy/reviews.shop']);
    const [asked] = (await client.next()).resources;
    assert.equal(asked?.name, 'http_proxy/reviews.shop.svc.cluster.local:80');
    return 'on-demand';
  }

  it('is a whole table unless it declares that it takes more, on a delta stream', async () => {
    assert.equal(await formOf('delta', {}), 'whole');
    assert.equal(await formOf('sotw', { FAIRWAY_ROUTES: 'vhds', FAIRWAY_CONFIG: 'on-demand' }), 'whole');
    assert.equal(await formOf('delta', { FAIRWAY_CONFIG: 'on-demand' }), 'whole');
    assert.equal(await formOf('delta', { FAIRWAY_ROUTES: 'vhds' }), 'vhds');
  });

  it('is as the proxy says, else as its namespace does', async () => {
    modes.set('shop', 'on-demand');
    assert.equal(await formOf('delta', { FAIRWAY_ROUTES: 'vhds' }), 'on-demand');
    assert.equal(await formOf('delta', { FAIRWAY_ROUTES: 'vhds', FAIRWAY_CONFIG: 'eager' }), 'vhds');
    modes.set('shop', 'eager');
    assert.equal(await formOf('delta', { FAIRWAY_ROUTES: 'vhds', FAIRWAY_CONFIG: 'on-demand' }), 'on-demand');
    assert.equal(await formOf('delta', {}), 'whole');
  });

  it('has all Envoy clusters, or in on-demand mode those that are asked for', async () => {
    const namesOf = async (config: string): Promise<string[]> => {
      const client = rig.open({ metadata: { FAIRWAY_ROUTES: 'vhds', FAIRWAY_CONFIG: config } });
      client.subscribe(typeUrl.cluster);
      return (await client.next()).resources.map(({ name }) => name).sort();
    };
    const own = ['BlackHoleCluster', 'PassthroughCluster'];
    assert.deepEqual(await namesOf('on-demand'), own);
    assert.deepEqual(await namesOf('eager'), [...own, 'outbound|80||reviews.shop.svc.cluster.local']);
  });
});
