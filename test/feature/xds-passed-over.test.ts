/** Virtual hosts that a client asks for beyond its limits, as the application behind a sidecar in on-demand mode may. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { startFaultProxy } from '../rig/fault-proxy.ts';
import { waitFor } from '../rig/wait.ts';
import { PilotRig } from '../support/pilot.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { XdsRig } from '../support/xds-rig.ts';
import { testResource } from '../support/xds-views.ts';
import { startHttpWorkload } from './envoy-rig.ts';
import { putService, startSidecar, whenReady } from './vhds-rig.ts';

const { virtualHost } = typeUrl;

describe('virtual hosts beyond the limits', function () {
  this.timeout(60_000);
  let rig: XdsRig;
  afterEach(async () => rig?.stop());

  it('are told to be none, and the stream goes on', async () => {
    rig = await XdsRig.start({ maxNamesPerType: 2, maxNameLength: 100 });
    rig.view.put(virtualHost, new Map([['t/real', testResource(virtualHost, 't/real', '1', { aliases: ['t/r'] })]]));
    const ask = async (...names: readonly string[]): Promise<readonly (readonly [string, boolean])[]> => {
      client.subscribe(virtualHost, names);
      const { resources, removed } = await client.next();
      return [
        ...resources.map(({ name, body }) => [name, body !== undefined] as const),
        ...removed.map((name) => [name, false] as const),
      ];
    };
    let client = rig.open({ transport: 'delta' });
    assert.deepEqual(await ask('t/a', 't/b'), [
      ['t/a', false],
      ['t/b', false],
    ]);
    const long = `t/${'x'.repeat(5000)}`;
    assert.deepEqual(await ask('t/c'), [['t/c', false]]);
    assert.deepEqual(await ask(long), [[long, false]]);
    // What there is, is taken; and what was passed over is not remembered, so it may be asked for again.
    assert.deepEqual(await ask('t/r'), [['t/real', true]]);
    assert.deepEqual(await ask('t/c'), [['t/c', false]]);
    rig.server.changed(
      rig.view,
      rig.view.put(virtualHost, new Map([['t/real', testResource(virtualHost, 't/real', '2', { aliases: ['t/r'] })]])),
    );
    assert.deepEqual(
      (await client.next()).resources.map(({ name }) => name),
      ['t/real'],
    );
    assert.equal(rig.server.counters.passedOverNamesTotal, 3);
    // It comes back, and says again all that it ever asked for.
    client.close();
    client = rig.open({ transport: 'delta' });
    client.send(virtualHost, {
      resource_names_subscribe: ['t/a', 't/b', 't/c', 't/r', long],
      initial_resource_versions: { 't/real': 'old', 't/c': 'none', [long]: 'none' },
    });
    const names: string[] = [];
    while (names.length < 5) {
      const { resources, removed } = await client.next();
      names.push(...resources.map(({ name }) => name), ...removed);
    }
    assert.deepEqual(names.sort(), ['t/a', 't/b', 't/c', 't/real', long]);
    assert.equal(rig.server.counters.refusedByCode.size, 0);
  });

  it('with a real Envoy: hosts that are too long or too many are refused, and all else goes on', async function () {
    const workload = await startHttpWorkload('v1');
    const pilot = await PilotRig.start({ settings: { outbound: 'registered-only' }, limits: { maxNamesPerType: 12 } });
    for (const name of ['one', 'two', 'three', 'four', 'five', 'six']) putService(pilot, name, [workload]);
    const line = await startFaultProxy({ targetPort: pilot.port });
    const sidecar = await startSidecar(line.port, { config: 'on-demand' });
    try {
      if (sidecar === undefined) return skip(this, noEnvoy);
      await whenReady(sidecar);
      const statusOf = async (host: string): Promise<number> => (await sidecar.ask(host)).status;
      assert.equal(await statusOf('one.shop'), 200);
      assert.equal(await statusOf('x'.repeat(5000)), 404);
      for (let i = 0; i < 11; i++) assert.equal(await statusOf(`none-${i}.example`), 502);
      for (let i = 11; i < 15; i++) assert.equal(await statusOf(`none-${i}.example`), 404);
      for (const name of ['two', 'three', 'four']) assert.equal(await statusOf(`${name}.shop`), 200);
      pilot.rule('{service: one, routes: [{backends: [{version: v1}]}]}', 'one');
      await waitFor('a rule', async () => (await sidecar.held()).clusters.some((name) => name.includes('|v1|one.')));
      // It comes back with all these names.
      line.cut();
      await waitFor('it', () => pilot.xds.counters.streamsTotal === 2 && pilot.xds.counters.connected === 1);
      for (const name of ['five', 'one', 'six']) assert.equal(await statusOf(`${name}.shop`), 200);
      assert.equal(await statusOf('none-20.example'), 404);
    } finally {
      await sidecar?.stop();
      await line.stop();
      await pilot.stop();
      await workload.stop();
    }
  });
});
