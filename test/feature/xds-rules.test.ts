/**
 * The rules of the xDS protocol, one by one, with a real gRPC client. That nothing is sent is seen by a fence: a request for one more virtual
 * host, whose answer comes after whatever else was due.
 */

import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { typeUrl } from '../../src/core/type-urls.ts';
import { waitFor } from '../rig/wait.ts';
import type { XdsClient, XdsClientOptions } from '../support/xds-client.ts';
import type { XdsResponse } from '../support/xds-response.ts';
import { XdsRig } from '../support/xds-rig.ts';
import { contentOf, TestView, testResource, together } from '../support/xds-views.ts';

const { cluster, endpoint, listener, route, virtualHost } = typeUrl;
const both = ['sotw', 'delta'] as const;
type Transport = (typeof both)[number];

describe('rules of the xDS protocol', () => {
  let rig: XdsRig;
  let fences = 0;

  beforeEach(async () => {
    const view = new TestView();
    view.set(virtualHost, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`fence/${i}`, '1'])));
    rig = await XdsRig.start({ removalLingerMs: 60_000, warmingWaitMaxMs: 60_000 }, view);
    fences = 0;
  });
  afterEach(() => rig.stop());

  const open = (transport: Transport, options: Partial<XdsClientOptions> = {}): XdsClient =>
    rig.open({ transport, autoAck: false, ...options });
  const change = (...args: Parameters<TestView['set']>): void => rig.server.changed(rig.view, rig.view.set(...args));
  const namesOf = (response: XdsResponse): string[] => response.resources.map(({ name }) => name).sort();

  /** Everything that came up to the answer to a new request. */
  async function untilFence(client: XdsClient): Promise<XdsResponse[]> {
    const name = `fence/${fences++}`;
    client.subscribe(virtualHost, [name]);
    const seen: XdsResponse[] = [];
    for (;;) {
      const response = await client.next();
      if (response.typeUrl === virtualHost && namesOf(response).includes(name)) {
        client.ack(response);
        return seen;
      }
      seen.push(response);
    }
  }
  async function assertSilent(client: XdsClient): Promise<void> {
    const seen = await untilFence(client);
    assert.deepEqual(
      seen.map((response) => [response.typeUrl, namesOf(response), response.removed]),
      [],
    );
  }
  async function take(client: XdsClient, type: string, names: readonly string[]): Promise<XdsResponse> {
    const response = await client.next();
    assert.equal(response.typeUrl, type);
    assert.deepEqual(namesOf(response), [...names].sort());
    return response;
  }
  async function takeAndAck(client: XdsClient, type: string, names: readonly string[]): Promise<XdsResponse> {
    const response = await take(client, type, names);
    client.ack(response);
    return response;
  }

  for (const transport of both) {
    describe(transport, () => {
      it('rule 1: a first request without a node is INVALID_ARGUMENT; later ones may leave it out', async () => {
        const nameless = open(transport, { node: null });
        nameless.subscribe(cluster);
        const end = await nameless.ended;
        assert.equal(end.code, status.INVALID_ARGUMENT);
        assert.match(end.details, /^FW-XDS-001 /);
        rig.view.set(cluster, { a: '1' });
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
        rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        client.subscribe(endpoint, ['a']);
        const response = await take(client, endpoint, ['a']);
        const version = transport === 'sotw' ? { resource_names: ['a'], version_info: response.version } : {};
        client.send(endpoint, { ...version, response_nonce: response.nonce, error_detail: { message: 'bad a' } });
        await assertSilent(client);
        const nack = rig.events.find(({ kind }) => kind === 'nacked');
        assert.deepEqual([nack?.typeUrl, nack?.error, nack?.names], [endpoint, 'bad a', ['a']]);
        assert.equal(rig.server.counters.nacksByType.get(endpoint), 1);
      });

      it('rule 3: after a NACK there is silence until resources or subscription change', async () => {
        rig.view.set(endpoint, { a: '1', b: '1' });
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
        const [hello] = rig.hellos;
        assert.equal(rig.server.status(hello?.streamId ?? 0)?.get(endpoint)?.state, 'synced');
      });

      it('rule 3: a refused message of several is taken apart after a change, and only the culprit stays behind', async () => {
        rig.view.set(endpoint, { a: '1', b: '1', c: '1' });
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
        assert.equal(rig.server.status(rig.hellos[0]?.streamId ?? 0)?.get(endpoint)?.state, 'rejected');
      });

      it('rule 4: an ACK that changes nothing gets no answer', async () => {
        rig.view.set(cluster, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        const response = await takeAndAck(client, cluster, ['a']);
        client.ack(response);
        await assertSilent(client);
        change(cluster, { a: '1' });
        await assertSilent(client);
      });

      it('rule 7: an old nonce on a new stream gets a full answer', async () => {
        rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        const names =
          transport === 'sotw' ? { resource_names: ['a'], version_info: 'old' } : { resource_names_subscribe: ['a'] };
        client.send(endpoint, { ...names, response_nonce: 'from-another-stream' });
        await take(client, endpoint, ['a']);
      });

      it('rule 8: versions are per type, and a reconnect gets everything again but for what it is known to hold', async () => {
        rig.view.set(cluster, { a: '1' });
        rig.view.set(endpoint, { a: '1' });
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
        rig.view.set(endpoint, { a: '1', b: '1', c: '1' });
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
        rig.view.ready = false;
        rig.view.set(cluster, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        client.subscribe(endpoint, ['a']);
        await waitFor(
          'both requests',
          () => rig.server.counters.requestsTotal === 2 && rig.server.counters.queueLength === 0,
        );
        assert.deepEqual(client.responses, []);
        rig.view.ready = true;
        rig.server.changed(rig.view, rig.view.set(endpoint, { a: '1' }));
        await takeAndAck(client, cluster, ['a']);
        await takeAndAck(client, endpoint, ['a']);
        rig.view.ready = false;
        change(cluster, { a: undefined });
        rig.view.set(cluster, { a: '1', b: '1' });
        rig.view.ready = true;
        rig.server.changed(rig.view, new Map());
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
        rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        client.subscribe(endpoint, ['a', 'a']);
        await takeAndAck(client, endpoint, ['a']);
        rig.server.changed(rig.view, together(rig.view.set(endpoint, { a: '2' }), rig.view.set(endpoint, { a: '3' })));
        await takeAndAck(client, endpoint, ['a']);
        await assertSilent(client);
      });

      it('rule 19: clusters, endpoints, listeners, routes; removals last, and only when the routes are accepted', async () => {
        rig.view.set(cluster, { old: '1' });
        rig.view.set(endpoint, { old: '1' });
        rig.view.set(listener, { in: '1' });
        rig.view.set(route, { table: 'to old' });
        const client = open(transport);
        client.subscribe(cluster);
        await takeAndAck(client, cluster, ['old']);
        client.subscribe(endpoint, ['old']);
        await takeAndAck(client, endpoint, ['old']);
        client.subscribe(listener);
        await takeAndAck(client, listener, ['in']);
        client.subscribe(route, ['table']);
        await takeAndAck(client, route, ['table']);
        rig.server.changed(
          rig.view,
          together(
            rig.view.set(route, { table: 'to new' }),
            rig.view.set(listener, { in: '2' }),
            rig.view.set(cluster, { old: undefined, new: '1' }),
            rig.view.set(endpoint, { old: undefined, new: '1' }),
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
        rig.view.set(cluster, { a: '1', b: '1' });
        rig.view.set(endpoint, { a: '1', b: '1' });
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
        rig.view.set(cluster, { a: '1' });
        rig.view.set(endpoint, { a: '1' });
        const client = open(transport);
        client.subscribe(cluster);
        const unanswered = await take(client, cluster, ['a']);
        client.subscribe(endpoint, ['a']);
        await takeAndAck(client, endpoint, ['a']);
        client.ack(unanswered);
        await assertSilent(client);
      });

      it('rule 22: endpoints that were sent before their cluster are sent again after it', async () => {
        rig.view.set(cluster, { a: '1' });
        rig.view.set(endpoint, { a: '1' });
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
        rig.view.missing = (type, name) => (type === endpoint ? testResource(type, name, 'empty') : undefined);
        rig.view.set(cluster, { a: '1' });
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
        rig.view.put(endpoint, new Map([['a', testResource(endpoint, 'a', '1', { ttlMs: 300 })]]));
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

  describe('SotW only', () => {
    it('rule 5: a stale nonce gets no reply', async () => {
      rig.view.set(endpoint, { a: '1', b: '1' });
      const client = open('sotw');
      client.subscribe(endpoint, ['a']);
      const response = await takeAndAck(client, endpoint, ['a']);
      client.send(endpoint, { resource_names: ['a', 'b'], response_nonce: `${response.nonce}x` });
      await assertSilent(client);
      assert.equal(rig.server.counters.staleNoncesTotal, 1);
      client.send(endpoint, { resource_names: ['a', 'b'], response_nonce: response.nonce });
      await takeAndAck(client, endpoint, ['b']);
    });

    it('rule 5: what a stale request left out is sent again when a later one names it', async () => {
      rig.view.set(endpoint, { a: '1' });
      const client = open('sotw');
      client.subscribe(endpoint, ['a']);
      const response = await takeAndAck(client, endpoint, ['a']);
      client.send(endpoint, { resource_names: [], response_nonce: 'stale' });
      await assertSilent(client);
      client.send(endpoint, { resource_names: ['a'], response_nonce: response.nonce });
      await takeAndAck(client, endpoint, ['a']);
    });

    it('rule 10: clusters and listeners are sent as the complete set; other types only what changed', async () => {
      rig.view.set(cluster, { a: '1', b: '1' });
      rig.view.set(endpoint, { a: '1', b: '1' });
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
      rig.view.set(endpoint, { a: '1' });
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
      rig.view.set(cluster, { a: '1', b: '1' });
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

  describe('delta only', () => {
    it('rule 6: the subscription changes of a request with a stale nonce apply', async () => {
      rig.view.set(endpoint, { a: '1', b: '1' });
      const client = open('delta');
      client.subscribe(endpoint, ['a']);
      await takeAndAck(client, endpoint, ['a']);
      client.send(endpoint, { resource_names_subscribe: ['b'], response_nonce: 'stale' });
      await takeAndAck(client, endpoint, ['b']);
      assert.equal(rig.server.counters.staleNoncesTotal, 1);
    });

    it('rule 12: all, all and A, A, none by subscribe and unsubscribe', async () => {
      rig.view.set(cluster, { a: '1', b: '1' });
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
      rig.view.set(cluster, { a: '1' });
      rig.view.set(endpoint, { e: '1' });
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
      rig.view.set(endpoint, { a: '1' });
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
      await rig.stop();
      rig = await XdsRig.start({ warmingWaitMaxMs: 20 });
      rig.view.set(cluster, { same: '1', changed: '2', added: '1' });
      const same = rig.view.resources(cluster).get('same')?.version;
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
      rig.view.put(virtualHost, new Map([['table/reviews', host]]));
      const client = open('delta');
      client.subscribe(virtualHost);
      await takeAndAck(client, virtualHost, []);
      client.subscribe(virtualHost, ['table/reviews:80']);
      const found = await takeAndAck(client, virtualHost, ['table/reviews']);
      assert.deepEqual(found.resources[0]?.aliases, ['table/reviews.shop', 'table/reviews:80']);
      client.subscribe(virtualHost, ['table/nobody']);
      assert.deepEqual((await takeAndAck(client, virtualHost, [])).removed, ['table/nobody']);
      const nobody = testResource(virtualHost, 'table/somebody', '1', { aliases: ['table/nobody'] });
      rig.server.changed(rig.view, rig.view.put(virtualHost, new Map([['table/somebody', nobody]])));
      await takeAndAck(client, virtualHost, ['table/somebody']);
      rig.server.changed(rig.view, rig.view.put(virtualHost, new Map([['table/reviews', undefined]])));
      assert.deepEqual((await takeAndAck(client, virtualHost, [])).removed, ['table/reviews']);
    });

    it('rule 26: a missing virtual host may be answered by its name without a body', async () => {
      rig.view.missing = (type, name) =>
        type === virtualHost ? { name, version: 'none', body: Buffer.alloc(0) } : undefined;
      const client = open('delta');
      client.subscribe(virtualHost, ['table/nobody']);
      const none = await takeAndAck(client, virtualHost, ['table/nobody']);
      assert.equal(none.resources[0]?.body, undefined);
      assert.deepEqual(none.removed, []);
    });

    it('rule 26: hosts are sent again with a route table that the client did not have', async () => {
      rig.view.impliedWildcard = (type) => type === virtualHost;
      // All but what `assertSilent` asks for.
      rig.view.wildcardNames = (type) => (type === virtualHost ? new Set(['one/a', 'two/a', 'two/b']) : undefined);
      rig.view.set(route, { one: '1', two: '1' });
      rig.view.set(virtualHost, { 'one/a': '1', 'two/a': '1', 'two/b': '1' });
      const client = open('delta');
      client.subscribe(route, ['one']);
      await takeAndAck(client, route, ['one']);
      client.subscribe(virtualHost);
      await takeAndAck(client, virtualHost, ['one/a', 'two/a', 'two/b']);
      client.subscribe(route, ['two']);
      await takeAndAck(client, route, ['two']);
      await takeAndAck(client, virtualHost, ['two/a', 'two/b']);
      rig.server.changed(rig.view, rig.view.set(route, { two: '2' }));
      await takeAndAck(client, route, ['two']);
      await assertSilent(client);
    });

    it('rule 26: a view may say what all means; the rest is got by name, and given up again', async () => {
      rig.view.wildcardNames = (type) => (type === cluster ? new Set(['base']) : undefined);
      rig.view.set(cluster, { base: '1', a: '1', b: '1' });
      const client = open('delta');
      client.subscribe(cluster);
      await takeAndAck(client, cluster, ['base']);
      client.subscribe(cluster, ['b', '*']);
      await takeAndAck(client, cluster, ['b']);
      rig.server.changed(rig.view, rig.view.set(cluster, { base: '2', a: '2', b: '2' }));
      await takeAndAck(client, cluster, ['b', 'base']);
      client.unsubscribe(cluster, ['b']);
      assert.deepEqual((await takeAndAck(client, cluster, [])).removed, ['b']);
      rig.server.changed(rig.view, rig.view.set(cluster, { b: '3' }));
      await assertSilent(client);
      client.close();
      const back = open('delta');
      const versions = Object.fromEntries(
        [...rig.view.resources(cluster)].map(([name, { version }]) => [name, version]),
      );
      back.send(cluster, {
        resource_names_subscribe: ['*', 'a'],
        initial_resource_versions: { base: versions['base'], a: 'old' },
      });
      await takeAndAck(back, cluster, ['a']);
      await assertSilent(back);
    });

    it('rule 26: what stood in for a name goes when its resource comes, and comes back when that goes', async () => {
      rig.view.missing = (type, name) => (type === virtualHost ? testResource(type, name, 'none') : undefined);
      const client = open('delta');
      client.subscribe(virtualHost, ['table/a.shop', 'table/b.shop']);
      await takeAndAck(client, virtualHost, ['table/a.shop', 'table/b.shop']);
      const host = testResource(virtualHost, 'table/a', '1', { aliases: ['table/a', 'table/a.shop'] });
      rig.server.changed(rig.view, rig.view.put(virtualHost, new Map([['table/a', host]])));
      assert.deepEqual((await takeAndAck(client, virtualHost, ['table/a'])).removed, ['table/a.shop']);
      rig.server.changed(rig.view, rig.view.put(virtualHost, new Map([['table/a', undefined]])));
      assert.deepEqual((await takeAndAck(client, virtualHost, ['table/a.shop'])).removed, ['table/a']);
    });

    it('rule 26: what stands in for names is looked at again when something changes that everybody gets', async () => {
      let words = 'refused';
      rig.view.impliedWildcard = () => true;
      rig.view.wildcardNames = () => new Set(['table/']);
      rig.view.missing = (type, name) => (type === virtualHost ? testResource(type, name, words) : undefined);
      rig.view.set(virtualHost, { 'table/': '1', 'table/x': '1' });
      const client = open('delta');
      client.subscribe(virtualHost);
      await takeAndAck(client, virtualHost, ['table/']);
      client.subscribe(virtualHost, ['table/nobody']);
      await takeAndAck(client, virtualHost, ['table/nobody']);
      words = 'passes';
      rig.server.changed(rig.view, rig.view.set(virtualHost, { 'table/x': '2' }));
      await assertSilent(client);
      rig.server.changed(rig.view, rig.view.set(virtualHost, { 'table/': '2' }));
      const again = await takeAndAck(client, virtualHost, ['table/', 'table/nobody']);
      assert.equal(contentOf(again.resources.find(({ name }) => name === 'table/nobody')?.body), 'passes');
    });
  });
});
