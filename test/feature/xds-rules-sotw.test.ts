/** The rules of the xDS protocol that hold for state of the world alone, one by one. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { rulesScene } from './xds-rules-scene.ts';

const { cluster, endpoint } = typeUrl;

describe('rules of the xDS protocol', () => {
  const scene = rulesScene();
  const { open, change, assertSilent, takeAndAck } = scene;

  describe('SotW only', () => {
    it('rule 5: a stale nonce gets no reply', async () => {
      scene.rig.view.set(endpoint, { a: '1', b: '1' });
      const client = open('sotw');
      client.subscribe(endpoint, ['a']);
      const response = await takeAndAck(client, endpoint, ['a']);
      client.send(endpoint, { resource_names: ['a', 'b'], response_nonce: `${response.nonce}x` });
      await assertSilent(client);
      assert.equal(scene.rig.server.counters.staleNoncesTotal, 1);
      client.send(endpoint, { resource_names: ['a', 'b'], response_nonce: response.nonce });
      await takeAndAck(client, endpoint, ['b']);
    });

    it('rule 5: what a stale request left out is sent again when a later one names it', async () => {
      scene.rig.view.set(endpoint, { a: '1' });
      const client = open('sotw');
      client.subscribe(endpoint, ['a']);
      const response = await takeAndAck(client, endpoint, ['a']);
      client.send(endpoint, { resource_names: [], response_nonce: 'stale' });
      await assertSilent(client);
      client.send(endpoint, { resource_names: ['a'], response_nonce: response.nonce });
      await takeAndAck(client, endpoint, ['a']);
    });

    it('rule 10: clusters and listeners are sent as the complete set; other types only what changed', async () => {
      scene.rig.view.set(cluster, { a: '1', b: '1' });
      scene.rig.view.set(endpoint, { a: '1', b: '1' });
      const client = open('sotw');
      client.subscribe(cluster);
      await takeAndAck(client, cluster, ['a', 'b']);
      client.subscribe(endpoint, ['a', 'b']);
      await takeAndAck(client, endpoint, ['a', 'b']);
      change(endpoint, { b: '2' });
      await takeAndAck(client, endpoint, ['b']);
      change(cluster, { c: '1' });
      await takeAndAck(client, cluster, ['a', 'b', 'c']);
    });

    it('rule 11: endpoints and routes that are left out are unchanged, so their end is not told', async () => {
      scene.rig.view.set(endpoint, { a: '1' });
      const client = open('sotw');
      client.subscribe(endpoint, ['a']);
      await takeAndAck(client, endpoint, ['a']);
      change(endpoint, { a: undefined });
      await assertSilent(client);
      change(endpoint, { a: '1' });
      await assertSilent(client);
      change(endpoint, { a: '2' });
      await takeAndAck(client, endpoint, ['a']);
    });

    it('rule 12: [] then [*,A] then [A] then [] mean all, all and A, A, none', async () => {
      scene.rig.view.set(cluster, { a: '1', b: '1' });
      const client = open('sotw');
      client.subscribe(cluster);
      const first = await takeAndAck(client, cluster, ['a', 'b']);
      client.subscribe(cluster, ['*', 'a']);
      await assertSilent(client);
      change(cluster, { b: '2' });
      await takeAndAck(client, cluster, ['a', 'b']);
      client.subscribe(cluster, ['a']);
      change(cluster, { b: '3' });
      await assertSilent(client);
      change(cluster, { a: '2' });
      const named = await takeAndAck(client, cluster, ['a']);
      assert.notEqual(named.nonce, first.nonce);
      client.subscribe(cluster, []);
      change(cluster, { a: '3', c: '1' });
      await assertSilent(client);
    });
  });
});
