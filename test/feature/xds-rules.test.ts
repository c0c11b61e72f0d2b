/** The rules of the xDS protocol, one by one, over both transports: what requests mean, and what is answered. */

import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { typeUrl } from '../../src/core/type-urls.ts';
import { waitFor } from '../rig/wait.ts';
import type { XdsClient } from '../support/xds-client.ts';
import type { XdsResponse } from '../support/xds-response.ts';
import { contentOf, together } from '../support/xds-views.ts';
import { rulesScene, type Transport } from './xds-rules-scene.ts';

const { cluster, endpoint } = typeUrl;
const both = ['sotw', 'delta'] as const;

describe('rules of the xDS protocol', () => {
  const scene = rulesScene();
  const { open, change, namesOf, untilFence, assertSilent, take, takeAndAck } = scene;

  for (const transport of both) {
    describe(transport, () => {
      it('rule 1: a first request without a node is INVALID_ARGUMENT; later ones may leave it out', async () => {
        const nameless = open(transport, { node: null });
        nameless.subscribe(cluster);
        const end = await nameless.ended;
        assert.equal(end.code, status.INVALID_ARGUMENT);
        assert.match(end.details, /^FW-XDS-001 /);
        scene.rig.view.set(cluster, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        await takeAndAck(client, cluster, ['a']);
        client.subscribe(endpoint, ['a']);
        await assertSilentButForMissing(client, transport);
      });

      async function assertSilentButForMissing(client: XdsClient, kind: Transport): Promise<void> {
        const seen = await untilFence(client);
        const expected = kind === 'delta' ? [['a']] : [];
        assert.deepEqual(
          seen.map(({ removed }) => removed),
          expected,
        );
      }

      it('rule 2: a NACK is error_detail, whatever the version says', async () => {
        scene.rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        client.subscribe(endpoint, ['a']);
        const response = await take(client, endpoint, ['a']);
        const version = transport === 'sotw' ? { resource_names: ['a'], version_info: response.version } : {};
        client.send(endpoint, { ...version, response_nonce: response.nonce, error_detail: { message: 'bad a' } });
        await assertSilent(client);
        const nack = scene.rig.events.find(({ kind }) => kind === 'nacked');
        assert.deepEqual([nack?.typeUrl, nack?.error, nack?.names], [endpoint, 'bad a', ['a']]);
        assert.equal(scene.rig.server.counters.nacksByType.get(endpoint), 1);
      });

      it('rule 3: after a NACK there is silence until resources or subscription change', async () => {
        scene.rig.view.set(endpoint, { a: '1', b: '1' });
        const client = open(transport);
        client.subscribe(endpoint, ['a']);
        client.nack(await take(client, endpoint, ['a']), 'no');
        await assertSilent(client);
        await assertSilent(client);
        change(endpoint, { a: '2' });
        client.nack(await take(client, endpoint, ['a']), 'no');
        await assertSilent(client);
        client.subscribe(endpoint, transport === 'sotw' ? ['a', 'b'] : ['b']);
        await takeAndAck(client, endpoint, ['b']);
        change(endpoint, { a: '3' });
        const good = await takeAndAck(client, endpoint, ['a']);
        assert.equal(contentOf(good.resources[0]?.body), '3');
        await assertSilent(client);
        const [hello] = scene.rig.hellos;
        assert.equal(scene.rig.server.status(hello?.streamId ?? 0)?.get(endpoint)?.state, 'synced');
      });

      it('rule 3: a refused message of several is taken apart after a change, and only the culprit stays behind', async () => {
        scene.rig.view.set(endpoint, { a: '1', b: '1', c: '1' });
        const client = open(transport);
        client.subscribe(endpoint, ['a', 'b', 'c', 'd']);
        client.nack(await client.next(), "in resource 'b': bad");
        await assertSilent(client);
        change(endpoint, { d: '1' });
        await client.until(() => client.untaken.length > 0);
        if (transport === 'delta' && client.untaken[0]?.resources.length === 0) client.ack(await client.next());
        await takeAndAck(client, endpoint, ['d']);
        await takeAndAck(client, endpoint, ['a', 'c']);
        client.nack(await take(client, endpoint, ['b']), 'bad');
        await assertSilent(client);
        change(endpoint, { a: '2' });
        await takeAndAck(client, endpoint, ['a']);
        await assertSilent(client);
        assert.equal(scene.rig.server.status(scene.rig.hellos[0]?.streamId ?? 0)?.get(endpoint)?.state, 'rejected');
      });

      it('rule 4: an ACK that changes nothing gets no answer', async () => {
        scene.rig.view.set(cluster, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        const response = await takeAndAck(client, cluster, ['a']);
        client.ack(response);
        await assertSilent(client);
        change(cluster, { a: '1' });
        await assertSilent(client);
      });

      it('rule 7: an old nonce on a new stream gets a full answer', async () => {
        scene.rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        const names =
          transport === 'sotw' ? { resource_names: ['a'], version_info: 'old' } : { resource_names_subscribe: ['a'] };
        client.send(endpoint, { ...names, response_nonce: 'from-another-stream' });
        await take(client, endpoint, ['a']);
      });

      it('rule 8: versions are per type, and a reconnect gets everything again but for what it is known to hold', async () => {
        scene.rig.view.set(cluster, { a: '1' });
        scene.rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        const first = await takeAndAck(client, cluster, ['a']);
        client.subscribe(endpoint, ['a']);
        await takeAndAck(client, endpoint, ['a']);
        change(endpoint, { a: '2' });
        await takeAndAck(client, endpoint, ['a']);
        await assertSilent(client);
        const again = open(transport);
        if (transport === 'sotw') {
          again.send(cluster, { version_info: first.version });
          assert.equal((await takeAndAck(again, cluster, ['a'])).version, first.version);
          again.send(endpoint, { version_info: 'old', resource_names: ['a'] });
          await takeAndAck(again, endpoint, ['a']);
        } else {
          again.send(cluster, { initial_resource_versions: { a: first.resources[0]?.version } });
          await assertSilent(again);
        }
      });

      it('rule 9: the latest request supersedes; a reply that waits is filtered against it', async () => {
        scene.rig.view.set(endpoint, { a: '1', b: '1', c: '1' });
        const client = open(transport);
        client.subscribe(endpoint, ['a']);
        const first = await take(client, endpoint, ['a']);
        // Waits for the ACK of `a`, and is not wanted any more when that comes.
        if (transport === 'sotw') {
          client.send(endpoint, {
            resource_names: ['a', 'b'],
            response_nonce: first.nonce,
            error_detail: { message: 'no' },
          });
          client.send(endpoint, { resource_names: ['c'], response_nonce: first.nonce });
          const seen = await untilFence(client);
          assert(seen.every((response) => !namesOf(response).includes('a')));
          assert.deepEqual(
            namesOf(seen.at(-1) as XdsResponse).filter((name) => name === 'c'),
            seen.length === 1 ? ['c'] : [],
          );
        } else {
          client.subscribe(endpoint, ['b']);
          client.subscribe(endpoint, ['c']);
          client.unsubscribe(endpoint, ['b']);
          client.ack(first);
          await takeAndAck(client, endpoint, ['c']);
          await assertSilent(client);
        }
      });

      it('rule 11: nothing is sent while the view is not ready; rule 23: the request is kept', async () => {
        scene.rig.view.ready = false;
        scene.rig.view.set(cluster, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        client.subscribe(endpoint, ['a']);
        await waitFor(
          'both requests',
          () => scene.rig.server.counters.requestsTotal === 2 && scene.rig.server.counters.queueLength === 0,
        );
        assert.deepEqual(client.responses, []);
        scene.rig.view.ready = true;
        scene.rig.server.changed(scene.rig.view, scene.rig.view.set(endpoint, { a: '1' }));
        await takeAndAck(client, cluster, ['a']);
        await takeAndAck(client, endpoint, ['a']);
        scene.rig.view.ready = false;
        change(cluster, { a: undefined });
        scene.rig.view.set(cluster, { a: '1', b: '1' });
        scene.rig.view.ready = true;
        scene.rig.server.changed(scene.rig.view, new Map());
        await takeAndAck(client, cluster, transport === 'sotw' ? ['a', 'b'] : ['b']);
      });

      it('rule 15: a name that does not exist is answered in delta, remembered in SotW, and sent once it exists', async () => {
        const client = open(transport);
        client.subscribe(endpoint, ['later']);
        if (transport === 'delta') {
          const missing = await takeAndAck(client, endpoint, []);
          assert.deepEqual(missing.removed, ['later']);
        }
        await assertSilent(client);
        change(endpoint, { later: '1' });
        await takeAndAck(client, endpoint, ['later']);
      });

      it('rule 18: no name is twice in one response', async () => {
        scene.rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        client.subscribe(endpoint, ['a', 'a']);
        await takeAndAck(client, endpoint, ['a']);
        scene.rig.server.changed(
          scene.rig.view,
          together(scene.rig.view.set(endpoint, { a: '2' }), scene.rig.view.set(endpoint, { a: '3' })),
        );
        await takeAndAck(client, endpoint, ['a']);
        await assertSilent(client);
      });
    });
  }
});
