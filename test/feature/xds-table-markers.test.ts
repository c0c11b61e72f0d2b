/**
 * What says that a route table's virtual hosts come on demand alone has no body. An Envoy that is sent it twice in the same version takes the second
 * for a heartbeat; and one that it is sent before it has the table forgets. So it is sent once, after the table.
 */

import assert from 'node:assert/strict';
import type { EncodedResource } from '../../src/core/resource.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { tableMarker } from '../../src/envoy/virtual-host-resources.ts';
import type { XdsClient } from '../support/xds-client.ts';
import { XdsRig } from '../support/xds-rig.ts';
import { together } from '../support/xds-views.ts';

const { listener, route, virtualHost } = typeUrl;

describe('the marker of a route table whose hosts come on demand', () => {
  let rig: XdsRig;
  let client: XdsClient;

  beforeEach(async () => {
    rig = await XdsRig.start();
    put('80');
    client = rig.open({ transport: 'delta' });
    client.subscribe(listener);
    await client.untilHolds((held) => held(listener).has('80'));
    client.subscribe(route, ['80']);
    await client.untilHolds((held) => held(route).has('80'));
    client.subscribe(virtualHost, ['*']);
    await client.until(() => markersSent('80/') === 1);
  });
  afterEach(() => rig.stop());

  /** A listener, its table and its marker, all at once. */
  function put(table: string): void {
    const marker: EncodedResource = tableMarker(table, 'none');
    const { view, server } = rig;
    const hosts = view.put(virtualHost, new Map([[marker.name, marker]]));
    server.changed(
      view,
      together(view.set(listener, { [table]: '1' }), together(view.set(route, { [table]: '1' }), hosts)),
    );
  }

  const markersSent = (name: string): number =>
    client.responses.flatMap(({ resources }) => resources).filter((resource) => resource.name === name).length;

  it('is sent once, after the table, which the client asks for when it has the listener', async () => {
    assert.equal(markersSent('80/'), 1);
    put('81');
    await client.untilHolds((held) => held(listener).has('81'));
    // An answer to this comes after what else was due.
    client.subscribe(listener, ['nothing']);
    await client.until(() => client.responses.some(({ removed }) => removed.includes('nothing')));
    assert.equal(markersSent('81/'), 0);
    client.subscribe(route, ['81']);
    await client.until(() => markersSent('81/') > 0);
    assert.equal(markersSent('81/'), 1);
    assert.equal(markersSent('80/'), 1);
  });

  it('is sent to a client that comes back with the table, and without the marker', async () => {
    const { version = '' } = client.held(route).get('80') ?? {};
    client.close();
    client = rig.open({ transport: 'delta' });
    client.send(route, { resource_names_subscribe: ['80'], initial_resource_versions: { '80': version } });
    client.subscribe(virtualHost, ['*']);
    await client.until(() => markersSent('80/') === 1);
  });
});
