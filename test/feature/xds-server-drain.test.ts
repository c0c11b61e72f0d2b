/** An xDS server that ends, with real clients: those that go, those that wait for their turn, those that stay. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { typeUrl } from '../../src/core/type-urls.ts';
import { resourceMethods } from '../../src/xds/services.ts';
import { waitFor } from '../rig/wait.ts';
import { XdsRig } from '../support/xds-rig.ts';
import { contentOf } from '../support/xds-views.ts';

const { cluster } = typeUrl;

describe('an xDS server that drains', () => {
  let rig: XdsRig;
  const start = async (): Promise<XdsRig> => {
    rig = await XdsRig.start();
    return rig;
  };
  afterEach(() => rig.stop());

  it('ends all streams cleanly and closes the port', async () => {
    await start();
    rig.view.set(cluster, { a: '1' });
    const client = rig.open({ transport: 'delta' });
    client.subscribe(cluster);
    await client.untilHolds((held) => held(cluster).size === 1);
    const draining = rig.server.drain(2_000);
    assert.equal((await client.ended).code, status.OK);
    client.close();
    await draining;
    assert.equal(rig.server.counters.connected, 0);
    assert.equal(rig.gone.length, 1);
    const late = rig.open({ transport: 'delta' });
    late.subscribe(cluster);
    assert.equal((await late.ended).code, status.UNAVAILABLE);
  });

  it('sends each client elsewhere, a few at a time, and serves those that wait for their turn', async () => {
    await start();
    rig.view.set(cluster, { a: '1' });
    const clients = Array.from({ length: 200 }, () => rig.open({ transport: 'delta' }));
    for (const client of clients) client.subscribe(cluster);
    await Promise.all(clients.map((client) => client.untilHolds((held) => held(cluster).size === 1)));
    const session = connectHttp2(`http://127.0.0.1:${rig.port}`);
    const goaway = new Promise((resolve) => session.on('goaway', resolve));
    const [ads] = resourceMethods;
    session
      .request({ ':method': 'POST', ':path': ads?.path, 'content-type': 'application/grpc' })
      .on('error', () => {});
    await waitFor('the raw stream', () => rig.server.counters.connected === clients.length + 1);
    const draining = rig.server.drain(5_000);
    await Promise.all([clients[0]?.ended, goaway]);
    assert.ok(rig.server.counters.connected > 0, 'all were let go at once');
    rig.server.changed(rig.view, rig.view.set(cluster, { a: '2' }));
    await Promise.all(clients.map((client) => client.ended));
    const served = clients.filter(({ held }) => contentOf(held(cluster).get('a')?.body) === '2');
    assert.ok(served.length > 0, 'those that waited were not served');
    session.destroy();
    await draining;
    assert.equal(rig.server.counters.connected, 0);
  });

  it('cuts a client that does not end its own half once the time is up', async () => {
    await start();
    const session = connectHttp2(`http://127.0.0.1:${rig.port}`).on('error', () => {});
    const [ads] = resourceMethods;
    session
      .request({ ':method': 'POST', ':path': ads?.path, 'content-type': 'application/grpc' }, { endStream: false })
      .on('error', () => {});
    await waitFor('the raw stream', () => rig.server.counters.connected === 1);
    const gone = once(session, 'close');
    await rig.server.drain(100);
    await gone;
  });
});
