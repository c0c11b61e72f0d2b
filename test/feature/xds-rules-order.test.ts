/** The rules of the xDS protocol, one by one, over both transports: in which order messages go out, and which go out by themselves. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { contentOf, testResource, together } from '../support/xds-views.ts';
import { rulesScene } from './xds-rules-scene.ts';

const { cluster, endpoint, listener, route } = typeUrl;
const both = ['sotw', 'delta'] as const;

describe('rules of the xDS protocol', () => {
  const scene = rulesScene();
  const { open, change, assertSilent, take, takeAndAck } = scene;

  for (const transport of both) {
    describe(transport, () => {
      it('rule 19: clusters, endpoints, listeners, routes; removals last, and only when the routes are accepted', async () => {
        scene.rig.view.set(cluster, { old: '1' });
        scene.rig.view.set(endpoint, { old: '1' });
        scene.rig.view.set(listener, { in: '1' });
        scene.rig.view.set(route, { table: 'to old' });
        const client = open(transport);
        client.subscribe(cluster);
        await takeAndAck(client, cluster, ['old']);
        client.subscribe(endpoint, ['old']);
        await takeAndAck(client, endpoint, ['old']);
        client.subscribe(listener);
        await takeAndAck(client, listener, ['in']);
        client.subscribe(route, ['table']);
        await takeAndAck(client, route, ['table']);
        scene.rig.server.changed(
          scene.rig.view,
          together(
            scene.rig.view.set(route, { table: 'to new' }),
            scene.rig.view.set(listener, { in: '2' }),
            scene.rig.view.set(cluster, { old: undefined, new: '1' }),
            scene.rig.view.set(endpoint, { old: undefined, new: '1' }),
          ),
        );
        await takeAndAck(client, cluster, transport === 'sotw' ? ['new', 'old'] : ['new']);
        // The listener and the route wait until the endpoints of the new cluster were asked for and sent.
        assert.deepEqual(client.untaken, []);
        client.subscribe(endpoint, transport === 'sotw' ? ['old', 'new'] : ['new']);
        await takeAndAck(client, endpoint, ['new']);
        await takeAndAck(client, listener, ['in']);
        const table = await take(client, route, ['table']);
        await assertSilent(client);
        client.nack(table, 'no');
        await assertSilent(client);
        change(route, { table: 'to new again' });
        client.ack(await take(client, route, ['table']));
        const gone = await take(client, cluster, transport === 'sotw' ? ['new'] : []);
        if (transport === 'delta') {
          assert.deepEqual(gone.removed, ['old']);
          // The endpoints after their cluster.
          const endpoints = await take(client, endpoint, []);
          assert.deepEqual(endpoints.removed, ['old']);
        }
      });

      it('rule 20: a cluster was sent, so its endpoints are sent again', async () => {
        scene.rig.view.set(cluster, { a: '1', b: '1' });
        scene.rig.view.set(endpoint, { a: '1', b: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        await takeAndAck(client, cluster, ['a', 'b']);
        client.subscribe(endpoint, ['a', 'b']);
        await takeAndAck(client, endpoint, ['a', 'b']);
        change(cluster, { a: '2' });
        await takeAndAck(client, cluster, transport === 'sotw' ? ['a', 'b'] : ['a']);
        await takeAndAck(client, endpoint, ['a']);
        await assertSilent(client);
      });

      it('rule 21: endpoints do not wait for the ACK of their cluster', async () => {
        scene.rig.view.set(cluster, { a: '1' });
        scene.rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        const unanswered = await take(client, cluster, ['a']);
        client.subscribe(endpoint, ['a']);
        await takeAndAck(client, endpoint, ['a']);
        client.ack(unanswered);
        await assertSilent(client);
      });

      it('rule 22: endpoints that were sent before their cluster are sent again after it', async () => {
        scene.rig.view.set(cluster, { a: '1' });
        scene.rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        client.subscribe(endpoint, ['a']);
        const early = await take(client, endpoint, ['a']);
        client.subscribe(cluster);
        const parent = await take(client, cluster, ['a']);
        client.ack(early);
        client.ack(parent);
        await takeAndAck(client, endpoint, ['a']);
        await assertSilent(client);
      });

      it('rule 24: who asks for endpoints that are not there gets what the host has for that, at once', async () => {
        scene.rig.view.missing = (type, name) => (type === endpoint ? testResource(type, name, 'empty') : undefined);
        scene.rig.view.set(cluster, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        await takeAndAck(client, cluster, ['a']);
        client.subscribe(endpoint, ['a']);
        const empty = await takeAndAck(client, endpoint, ['a']);
        assert.equal(contentOf(empty.resources[0]?.body), 'empty');
        change(endpoint, { a: 'real' });
        const real = await takeAndAck(client, endpoint, ['a']);
        assert.equal(contentOf(real.resources[0]?.body), 'real');
        change(endpoint, { a: undefined });
        const again = await takeAndAck(client, endpoint, ['a']);
        assert.equal(contentOf(again.resources[0]?.body), 'empty');
        await assertSilent(client);
      });

      it('rule 25: a TTL goes to clients that declare it; a heartbeat has no body and the same version', async () => {
        scene.rig.view.put(endpoint, new Map([['a', testResource(endpoint, 'a', '1', { ttlMs: 300 })]]));
        const plain = open(transport);
        plain.subscribe(endpoint, ['a']);
        const without = await takeAndAck(plain, endpoint, ['a']);
        assert.equal(without.resources[0]?.ttlMs, undefined);
        const node = { id: 'ttl', client_features: ['xds.config.supports-resource-ttl'] };
        const client = open(transport, { node });
        client.subscribe(endpoint, ['a']);
        const first = await takeAndAck(client, endpoint, ['a']);
        assert.equal(first.resources[0]?.ttlMs, 300);
        assert.equal(contentOf(first.resources[0]?.body), '1');
        const beat = await takeAndAck(client, endpoint, ['a']);
        assert.equal(beat.resources[0]?.body, undefined);
        assert.equal(beat.resources[0]?.ttlMs, 300);
        assert.equal(beat.version, first.version);
        assert.equal(beat.resources[0]?.version, (transport === 'sotw' ? beat : first).resources[0]?.version);
        await takeAndAck(client, endpoint, ['a']);
        assert.deepEqual(plain.untaken, []);
      });
    });
  }
});
