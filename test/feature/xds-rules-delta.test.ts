/** The rules of the xDS protocol that hold for delta alone, one by one. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { contentOf, testResource } from '../support/xds-views.ts';
import { rulesScene } from './xds-rules-scene.ts';

const { cluster, endpoint, listener, route, virtualHost } = typeUrl;

describe('rules of the xDS protocol', () => {
  const scene = rulesScene();
  const { open, change, assertSilent, take, takeAndAck, restart } = scene;

  describe('delta only', () => {
    it('rule 6: the subscription changes of a request with a stale nonce apply', async () => {
      scene.rig.view.set(endpoint, { a: '1', b: '1' });
      const client = open('delta');
      client.subscribe(endpoint, ['a']);
      await takeAndAck(client, endpoint, ['a']);
      client.send(endpoint, { resource_names_subscribe: ['b'], response_nonce: 'stale' });
      await takeAndAck(client, endpoint, ['b']);
      assert.equal(scene.rig.server.counters.staleNoncesTotal, 1);
    });

    it('rule 12: all, all and A, A, none by subscribe and unsubscribe', async () => {
      scene.rig.view.set(cluster, { a: '1', b: '1' });
      const client = open('delta');
      client.subscribe(cluster);
      await takeAndAck(client, cluster, ['a', 'b']);
      client.subscribe(cluster, ['a']);
      await takeAndAck(client, cluster, ['a']);
      change(cluster, { b: '2' });
      await takeAndAck(client, cluster, ['b']);
      client.unsubscribe(cluster, ['*']);
      change(cluster, { b: '3' });
      await assertSilent(client);
      change(cluster, { a: '2' });
      await takeAndAck(client, cluster, ['a']);
      client.unsubscribe(cluster, ['a']);
      change(cluster, { a: '3' });
      await assertSilent(client);
    });

    it('rule 13: an unsubscribe gets no reply, but for a name that the wildcard may include; a phantom one is ignored', async () => {
      scene.rig.view.set(cluster, { a: '1' });
      scene.rig.view.set(endpoint, { e: '1' });
      const client = open('delta');
      client.subscribe(endpoint, ['e']);
      await takeAndAck(client, endpoint, ['e']);
      client.unsubscribe(endpoint, ['e']);
      client.unsubscribe(endpoint, ['phantom']);
      await assertSilent(client);
      client.subscribe(cluster, ['*', 'a', 'nowhere']);
      const first = await takeAndAck(client, cluster, ['a']);
      assert.deepEqual(first.removed, ['nowhere']);
      client.unsubscribe(cluster, ['a']);
      await takeAndAck(client, cluster, ['a']);
      client.unsubscribe(cluster, ['nowhere']);
      assert.deepEqual((await takeAndAck(client, cluster, [])).removed, ['nowhere']);
      client.unsubscribe(cluster, ['phantom']);
      await assertSilent(client);
    });

    it('rule 14: a name that is held is sent again when it is subscribed to again', async () => {
      scene.rig.view.set(endpoint, { a: '1' });
      const client = open('delta');
      client.subscribe(endpoint, ['a']);
      const first = await takeAndAck(client, endpoint, ['a']);
      client.subscribe(endpoint, ['a']);
      const second = await takeAndAck(client, endpoint, ['a']);
      assert.equal(second.resources[0]?.version, first.resources[0]?.version);
      assert.notEqual(second.nonce, first.nonce);
    });

    it('rule 16: a first wildcard with nothing to show gets an empty reply at once, of any type', async () => {
      const client = open('delta');
      for (const type of [cluster, listener, 'type.googleapis.com/some.unknown.v1.Type']) {
        client.subscribe(type);
        assert.deepEqual((await takeAndAck(client, type, [])).removed, []);
      }
      await assertSilent(client);
    });

    it('rule 17: initial_resource_versions: what changed is sent, what vanished is removed, what is equal is skipped', async () => {
      await restart({ warmingWaitMaxMs: 20 });
      scene.rig.view.set(cluster, { same: '1', changed: '2', added: '1' });
      const same = scene.rig.view.resources(cluster).get('same')?.version;
      const client = open('delta');
      client.send(cluster, { initial_resource_versions: { same, changed: 'old', vanished: 'old' } });
      await takeAndAck(client, cluster, ['added', 'changed']);
      client.subscribe(listener);
      await takeAndAck(client, listener, []);
      client.subscribe(route, ['none']);
      await takeAndAck(client, route, []);
      // The removal waits until the client had time to ask for what it held of listeners and routes.
      const gone = await take(client, cluster, []);
      assert.deepEqual(gone.removed, ['vanished']);
    });

    it('rule 26: virtual hosts are found by name and by alias; who asks for none of them is told so at once', async () => {
      const host = testResource(virtualHost, 'table/reviews', '1', {
        aliases: ['table/reviews.shop', 'table/reviews:80'],
      });
      scene.rig.view.put(virtualHost, new Map([['table/reviews', host]]));
      const client = open('delta');
      client.subscribe(virtualHost);
      await takeAndAck(client, virtualHost, []);
      client.subscribe(virtualHost, ['table/reviews:80']);
      const found = await takeAndAck(client, virtualHost, ['table/reviews']);
      // The alias by which it asked, and no other.
      assert.deepEqual(found.resources[0]?.aliases, ['table/reviews:80']);
      client.subscribe(virtualHost, ['table/nobody']);
      assert.deepEqual((await takeAndAck(client, virtualHost, [])).removed, ['table/nobody']);
      const nobody = testResource(virtualHost, 'table/somebody', '1', { aliases: ['table/nobody'] });
      scene.rig.server.changed(scene.rig.view, scene.rig.view.put(virtualHost, new Map([['table/somebody', nobody]])));
      await takeAndAck(client, virtualHost, ['table/somebody']);
      scene.rig.server.changed(
        scene.rig.view,
        scene.rig.view.put(virtualHost, new Map([['table/reviews', undefined]])),
      );
      assert.deepEqual((await takeAndAck(client, virtualHost, [])).removed, ['table/reviews']);
    });

    it('rule 26: a missing virtual host may be answered by its name without a body', async () => {
      scene.rig.view.missing = (type, name) =>
        type === virtualHost ? { name, version: 'none', body: Buffer.alloc(0) } : undefined;
      const client = open('delta');
      client.subscribe(virtualHost, ['table/nobody']);
      const none = await takeAndAck(client, virtualHost, ['table/nobody']);
      assert.equal(none.resources[0]?.body, undefined);
      assert.deepEqual(none.removed, []);
    });

    it('rule 26: hosts are sent again with a route table that the client did not have', async () => {
      scene.rig.view.impliedWildcard = (type) => type === virtualHost;
      // All but what `assertSilent` asks for.
      scene.rig.view.wildcardNames = (type) =>
        type === virtualHost ? new Set(['one/a', 'two/a', 'two/b']) : undefined;
      scene.rig.view.set(route, { one: '1', two: '1' });
      scene.rig.view.set(virtualHost, { 'one/a': '1', 'two/a': '1', 'two/b': '1' });
      const client = open('delta');
      client.subscribe(route, ['one']);
      await takeAndAck(client, route, ['one']);
      client.subscribe(virtualHost);
      await takeAndAck(client, virtualHost, ['one/a', 'two/a', 'two/b']);
      client.subscribe(route, ['two']);
      await takeAndAck(client, route, ['two']);
      await takeAndAck(client, virtualHost, ['two/a', 'two/b']);
      scene.rig.server.changed(scene.rig.view, scene.rig.view.set(route, { two: '2' }));
      await takeAndAck(client, route, ['two']);
      await assertSilent(client);
    });

    it('rule 26: a view may say what all means; the rest is got by name, and given up again', async () => {
      scene.rig.view.wildcardNames = (type) => (type === cluster ? new Set(['base']) : undefined);
      scene.rig.view.set(cluster, { base: '1', a: '1', b: '1' });
      const client = open('delta');
      client.subscribe(cluster);
      await takeAndAck(client, cluster, ['base']);
      client.subscribe(cluster, ['b', '*']);
      await takeAndAck(client, cluster, ['b']);
      scene.rig.server.changed(scene.rig.view, scene.rig.view.set(cluster, { base: '2', a: '2', b: '2' }));
      await takeAndAck(client, cluster, ['b', 'base']);
      client.unsubscribe(cluster, ['b']);
      assert.deepEqual((await takeAndAck(client, cluster, [])).removed, ['b']);
      scene.rig.server.changed(scene.rig.view, scene.rig.view.set(cluster, { b: '3' }));
      await assertSilent(client);
      client.close();
      const back = open('delta');
      const versions = Object.fromEntries(
        [...scene.rig.view.resources(cluster)].map(([name, { version }]) => [name, version]),
      );
      back.send(cluster, {
        resource_names_subscribe: ['*', 'a'],
        initial_resource_versions: { base: versions['base'], a: 'old' },
      });
      await takeAndAck(back, cluster, ['a']);
      await assertSilent(back);
    });

    it('rule 26: what stood in for a name goes when its resource comes, and comes back when that goes', async () => {
      scene.rig.view.missing = (type, name) => (type === virtualHost ? testResource(type, name, 'none') : undefined);
      const client = open('delta');
      client.subscribe(virtualHost, ['table/a.shop', 'table/b.shop']);
      await takeAndAck(client, virtualHost, ['table/a.shop', 'table/b.shop']);
      const host = testResource(virtualHost, 'table/a', '1', { aliases: ['table/a', 'table/a.shop'] });
      scene.rig.server.changed(scene.rig.view, scene.rig.view.put(virtualHost, new Map([['table/a', host]])));
      assert.deepEqual((await takeAndAck(client, virtualHost, ['table/a'])).removed, ['table/a.shop']);
      scene.rig.server.changed(scene.rig.view, scene.rig.view.put(virtualHost, new Map([['table/a', undefined]])));
      assert.deepEqual((await takeAndAck(client, virtualHost, ['table/a.shop'])).removed, ['table/a']);
    });

    it('rule 26: what stands in for names is looked at again when something changes that everybody gets', async () => {
      let words = 'refused';
      scene.rig.view.impliedWildcard = () => true;
      scene.rig.view.wildcardNames = () => new Set(['table/']);
      scene.rig.view.missing = (type, name) => (type === virtualHost ? testResource(type, name, words) : undefined);
      scene.rig.view.set(virtualHost, { 'table/': '1', 'table/x': '1' });
      const client = open('delta');
      client.subscribe(virtualHost);
      await takeAndAck(client, virtualHost, ['table/']);
      client.subscribe(virtualHost, ['table/nobody']);
      await takeAndAck(client, virtualHost, ['table/nobody']);
      words = 'passes';
      scene.rig.server.changed(scene.rig.view, scene.rig.view.set(virtualHost, { 'table/x': '2' }));
      await assertSilent(client);
      scene.rig.server.changed(scene.rig.view, scene.rig.view.set(virtualHost, { 'table/': '2' }));
      const again = await takeAndAck(client, virtualHost, ['table/', 'table/nobody']);
      assert.equal(contentOf(again.resources.find(({ name }) => name === 'table/nobody')?.body), 'passes');
    });
  });
});
