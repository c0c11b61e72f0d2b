/** The xDS server as a whole, with real gRPC clients: services, bad clients, stuck readers, storms, change of view, CSDS. */

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { Client, credentials, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { typeUrl } from '../../src/core/type-urls.ts';
import { statusProtos } from '../../src/xds/protos.ts';
import { resourceMethods, statusMethods } from '../../src/xds/services.ts';
import { waitFor } from '../rig/wait.ts';
import { XdsRig } from '../support/xds-rig.ts';
import { contentOf, TestView, testResource, together } from '../support/xds-views.ts';

const { cluster, endpoint, listener, route, secret, virtualHost } = typeUrl;

/** A DeltaDiscoveryRequest for clusters whose node has metadata of each kind, and a key `__proto__`. */
function metadataBytes(): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork().uint32(10).string('n').uint32(26).fork();
  const entry = (key: string, value: (to: protobuf.Writer) => void): void => {
    writer.uint32(10).fork().uint32(10).string(key).uint32(18).fork();
    value(writer);
    writer.ldelim().ldelim();
  };
  entry('__proto__', (to) => to.uint32(26).string('evil'));
  entry('list', (to) => {
    to.uint32(50).fork();
    to.uint32(10).fork().uint32(17).double(1).ldelim();
    to.uint32(10).fork().uint32(8).int32(0).ldelim();
    to.uint32(10).fork().uint32(32).bool(true).ldelim();
    to.ldelim();
  });
  entry('map', (to) => {
    to.uint32(42).fork().uint32(10).fork().uint32(10).string('deep').uint32(18).fork().uint32(26).string('yes');
    to.ldelim().ldelim().ldelim();
  });
  writer.ldelim().ldelim().uint32(18).string(cluster);
  return Buffer.from(writer.finish());
}

describe('the xDS server', () => {
  let rig: XdsRig;
  const start = async (...args: Parameters<typeof XdsRig.start>): Promise<XdsRig> => {
    rig = await XdsRig.start(...args);
    return rig;
  };
  afterEach(() => rig.stop());

  describe('separate services', () => {
    const services = [
      ...[cluster, endpoint, listener, route, secret].flatMap((type) => [
        ['sotw', type] as const,
        ['delta', type] as const,
      ]),
      ['delta', virtualHost] as const,
    ];
    for (const [transport, type] of services) {
      it(`${transport} ${type.slice(type.lastIndexOf('.') + 1)}: subscribe, change, remove`, async () => {
        await start();
        rig.view.set(type, { a: '1', b: '1' });
        const client = rig.open({ transport, onlyType: type });
        client.subscribe(type, ['a', 'b']);
        await client.untilHolds((held) => held(type).size === 2);
        assert.equal(rig.hellos[0]?.onlyType, type);
        rig.server.changed(rig.view, rig.view.set(type, { a: '2' }));
        await client.untilHolds((held) => contentOf(held(type).get('a')?.body) === '2');
        if (transport === 'delta') {
          rig.server.changed(rig.view, rig.view.set(type, { a: undefined }));
          await client.untilHolds((held) => !held(type).has('a'));
        }
      });
    }

    it('another type is refused', async () => {
      await start();
      const client = rig.open({ transport: 'delta', onlyType: cluster });
      client.subscribe(listener);
      const end = await client.ended;
      assert.equal(end.code, status.INVALID_ARGUMENT);
      assert.match(end.details, /^FW-XDS-006 /);
    });
  });

  describe('bad clients', () => {
    it('an aggregated request without a type is refused', async () => {
      await start();
      const client = rig.open({ transport: 'sotw' });
      client.send('');
      const end = await client.ended;
      assert.equal(end.code, status.INVALID_ARGUMENT);
      assert.match(end.details, /^FW-XDS-003 /);
    });

    it('bytes that are no request are refused, and the server goes on', async () => {
      await start();
      const client = rig.open({ transport: 'delta' });
      client.sendBytes(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07]));
      const end = await client.ended;
      assert.equal(end.code, status.INVALID_ARGUMENT);
      assert.match(end.details, /^FW-XDS-004 /);
      assert.equal(rig.server.counters.refusedByCode.get('FW-XDS-004'), 1);
      const other = rig.open({ transport: 'delta' });
      other.subscribe(cluster);
      await other.next();
    });

    it('a client that the host refuses gets its words', async () => {
      await start();
      rig.choose = () => 'the node id does not tell a pod';
      const client = rig.open({ transport: 'delta' });
      client.subscribe(cluster);
      const end = await client.ended;
      assert.equal(end.code, status.INVALID_ARGUMENT);
      assert.match(end.details, /^FW-XDS-002 .*the node id does not tell a pod/);
      assert.deepEqual(rig.gone, []);
    });

    it('a message beyond the limit ends its stream only', async () => {
      await start({ maxRequestBytes: 2000 });
      const client = rig.open({ transport: 'delta' });
      client.subscribe(endpoint, ['x'.repeat(3000)]);
      assert.equal((await client.ended).code, status.RESOURCE_EXHAUSTED);
    });

    it('names, types and streams beyond the limits are refused', async () => {
      await start({ maxNamesPerType: 2, maxTypesPerStream: 1, maxNameLength: 100, maxStreams: 3 });
      const names = rig.open({ transport: 'delta' });
      names.subscribe(endpoint, ['a', 'b']);
      names.subscribe(endpoint, ['c']);
      assert.match((await names.ended).details, /^FW-XDS-005 /);
      const types = rig.open({ transport: 'delta' });
      types.subscribe(cluster);
      types.subscribe(listener);
      assert.match((await types.ended).details, /^FW-XDS-005 /);
      const long = rig.open({ transport: 'sotw' });
      long.subscribe(endpoint, ['x'.repeat(101)]);
      assert.match((await long.ended).details, /^FW-XDS-005 /);
      for (let i = 0; i < 3; i++) rig.open({ transport: 'delta' }).subscribe(cluster);
      await waitFor('three streams', () => rig.server.counters.connected === 3);
      const fourth = rig.open({ transport: 'delta' });
      fourth.subscribe(cluster);
      const end = await fourth.ended;
      assert.equal(end.code, status.RESOURCE_EXHAUSTED);
      assert.match(end.details, /^FW-XDS-007 /);
    });

    it('a stream without a request is closed', async () => {
      await start({ firstRequestMs: 50 });
      const client = rig.open({ transport: 'sotw' });
      const end = await client.ended;
      assert.equal(end.code, status.DEADLINE_EXCEEDED);
      assert.match(end.details, /^FW-XDS-009 /);
    });

    it('a node with odd metadata is plain data, __proto__ or not', async () => {
      await start();
      const metadata = metadataBytes();
      const client = rig.open({ transport: 'delta', node: null });
      client.sendBytes(metadata);
      await client.next();
      const node = rig.hellos[0]?.node;
      assert.equal(JSON.stringify(node?.metadata['list']), '[1,null,true]');
      assert.equal(JSON.stringify(node?.metadata['map']), '{"deep":"yes"}');
      assert.equal(Object.getPrototypeOf(node?.metadata), null);
      assert.equal(Object.entries(node?.metadata ?? {}).find(([key]) => key === '__proto__')?.[1], 'evil');
    });

    it('a stuck reader is dropped; its neighbour gets what changes meanwhile', async () => {
      await start({ stuckReaderMs: 1_500 });
      const big = 'x'.repeat(300_000);
      rig.view.set(cluster, { a: big });
      // A client that asks and then takes nothing: HTTP/2 lets 64 KiB through and waits.
      const session = connectHttp2(`http://127.0.0.1:${rig.port}`);
      const method = resourceMethods.find(({ transport, onlyType }) => transport === 'delta' && onlyType === undefined);
      const stuck = session.request({
        ':method': 'POST',
        ':path': method?.path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stuck.on('error', () => {});
      const request = metadataBytes();
      const frame = Buffer.alloc(5);
      frame.writeUInt32BE(request.length, 1);
      stuck.write(Buffer.concat([frame, request]));
      const neighbour = rig.open({ transport: 'delta', node: { id: 'neighbour' } });
      neighbour.subscribe(cluster);
      try {
        await waitFor('both streams', () => rig.hellos.length === 2);
        for (let turn = 0; turn < 5; turn++) {
          rig.server.changed(rig.view, rig.view.set(cluster, { a: `${turn}${big}` }));
          await neighbour.untilHolds(
            (held) => contentOf(held(cluster).get('a')?.body)?.startsWith(String(turn)) === true,
          );
        }
        await waitFor('the drop', () => rig.server.counters.droppedSlowReadersTotal === 1);
        assert.equal(rig.server.counters.refusedByCode.get('FW-XDS-008'), 1);
        await waitFor('the end of its stream', () => stuck.closed || stuck.destroyed);
        assert.equal(rig.server.counters.connected, 1);
        assert.equal(rig.gone.length, 1);
        rig.server.changed(rig.view, rig.view.set(cluster, { b: '1' }));
        await neighbour.untilHolds((held) => held(cluster).has('b'));
      } finally {
        session.destroy();
      }
    });
  });

  it('a client on a slow link is not taken for stuck', async () => {
    await start({ stuckReaderMs: 600 });
    rig.view.set(cluster, { a: 'x'.repeat(1_500_000) });
    const session = connectHttp2(`http://127.0.0.1:${rig.port}`);
    const method = resourceMethods.find(({ transport, onlyType }) => transport === 'delta' && onlyType === undefined);
    const slow = session.request({ ':method': 'POST', ':path': method?.path, 'content-type': 'application/grpc' });
    const request = metadataBytes();
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(request.length, 1);
    slow.write(Buffer.concat([frame, request]));
    let taken = 0;
    // One window of 64 KiB at a time, two dozen in all, for several times as long as a stuck client is given.
    slow.on('data', (bytes: Buffer) => {
      taken += bytes.length;
      slow.pause();
      setTimeout(() => slow.resume(), 25);
    });
    try {
      await waitFor('all of it', () => taken > 1_500_000);
      assert.equal(rig.server.counters.droppedSlowReadersTotal, 0);
    } finally {
      session.destroy();
    }
  });

  it('a slow reader gets the newest state, not every state', async () => {
    await start();
    rig.view.set(cluster, { a: '0' });
    const client = rig.open({ transport: 'delta', autoAck: false });
    client.subscribe(cluster);
    const first = await client.next();
    for (let turn = 1; turn <= 100; turn++) rig.server.changed(rig.view, rig.view.set(cluster, { a: String(turn) }));
    client.ack(first);
    const second = await client.next();
    assert.equal(contentOf(second.resources[0]?.body), '100');
    client.ack(second);
    await waitFor('the ACK', () =>
      rig.events.some(({ kind, revision }) => kind === 'acked' && revision === rig.view.revision),
    );
    assert.equal(client.responses.length, 2);
  });

  it('streams in the same state get the very same bytes, encoded once', async () => {
    await start();
    rig.view.set(cluster, Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`c${i}`, '1'])));
    const clients = Array.from({ length: 20 }, () => rig.open({ transport: 'delta' }));
    for (const client of clients) client.subscribe(cluster);
    for (const client of clients) await client.untilHolds((held) => held(cluster).size === 200);
    assert.equal(rig.server.counters.cache.misses, 1);
    rig.server.changed(rig.view, rig.view.set(cluster, { c7: '2' }));
    for (const client of clients) await client.untilHolds((held) => contentOf(held(cluster).get('c7')?.body) === '2');
    assert.equal(rig.server.counters.cache.misses, 2);
    const [one, ...others] = clients.map(({ responses }) => responses.map(({ bytes }) => bytes.toString('base64')));
    for (const other of others) assert.deepEqual(other, one);
  });

  it('a response larger than the limit comes in parts, one after the other', async () => {
    await start({ maxResponseBytes: 5_000 });
    rig.view.set(cluster, Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`c${i}`, 'x'.repeat(1000)])));
    const client = rig.open({ transport: 'delta' });
    client.subscribe(cluster);
    await client.untilHolds((held) => held(cluster).size === 20);
    assert(client.responses.length >= 5);
    for (const { bytes } of client.responses) assert(bytes.length < 6_000);
    await waitFor('in step', () => rig.server.status(rig.hellos[0]?.streamId ?? 0)?.get(cluster)?.state === 'synced');
  });

  it('a storm of clients is answered, each in its turn', async () => {
    await start({ turnMessages: 8 });
    rig.view.set(cluster, { a: '1' });
    rig.view.set(endpoint, { a: '1' });
    const clients = Array.from({ length: 80 }, () => rig.open({ transport: 'delta', waitMaxMs: 20_000 }));
    for (const client of clients) {
      client.subscribe(cluster);
      client.subscribe(endpoint, ['a']);
    }
    for (const client of clients)
      await client.untilHolds((held) => held(cluster).size === 1 && held(endpoint).size === 1);
    assert.equal(rig.server.counters.connected, 80);
    for (const client of clients) client.close();
    await waitFor('all gone', () => rig.server.counters.connected === 0);
    assert.equal(rig.gone.length, 80);
  });

  it('a change of view sends the differences only', async () => {
    await start();
    const other = new TestView('other');
    rig.view.set(cluster, { same: '1', changed: '1', gone: '1' });
    other.set(cluster, { same: '1', changed: '2', added: '1' });
    for (const transport of ['sotw', 'delta'] as const) {
      const client = rig.open({ transport });
      client.subscribe(cluster);
      await client.untilHolds((held) => held(cluster).size === 3);
      const streamId = rig.hellos.at(-1)?.streamId ?? 0;
      rig.server.reassign(streamId, other);
      await client.untilHolds((held) => held(cluster).has('added') && !held(cluster).has('gone'));
      assert.equal(contentOf(client.held(cluster).get('changed')?.body), '2');
      if (transport === 'delta')
        assert(client.responses.slice(1).every(({ resources }) => resources.every(({ name }) => name !== 'same')));
      await waitFor('in step', () => rig.server.status(streamId)?.get(cluster)?.ackedRevision === other.revision);
      assert.deepEqual([...(rig.server.held(streamId)?.get(cluster)?.keys() ?? [])].sort(), [
        'added',
        'changed',
        'same',
      ]);
    }
  });

  it('a change to a view that is not ready sends nothing until it is', async () => {
    await start();
    const other = new TestView('other');
    other.ready = false;
    rig.view.set(cluster, { a: '1' });
    const client = rig.open({ transport: 'delta' });
    client.subscribe(cluster);
    await client.untilHolds((held) => held(cluster).size === 1);
    const streamId = rig.hellos[0]?.streamId ?? 0;
    rig.server.reassign(streamId, other);
    other.set(cluster, { b: '1' });
    other.ready = true;
    rig.server.changed(other);
    await client.untilHolds((held) => held(cluster).has('b') && !held(cluster).has('a'));
  });

  it('a revision that changes nothing for a client is acknowledged without a message', async () => {
    await start();
    rig.view.set(cluster, { a: '1' });
    rig.view.set(endpoint, { a: '1', b: '1' });
    const client = rig.open({ transport: 'sotw' });
    client.subscribe(endpoint, ['a']);
    await client.untilHolds((held) => held(endpoint).size === 1);
    const streamId = rig.hellos[0]?.streamId ?? 0;
    const acked = (): number => rig.server.status(streamId)?.get(endpoint)?.ackedRevision ?? 0;
    await waitFor('the ACK', () => acked() === rig.view.revision);
    rig.server.changed(rig.view, together(rig.view.set(endpoint, { b: '2' }), rig.view.set(cluster, { a: '2' })));
    assert.equal(acked(), rig.view.revision);
    rig.server.changed(rig.view, rig.view.set(endpoint, { a: '2' }));
    assert(acked() < rig.view.revision);
    await waitFor('the ACK', () => acked() === rig.view.revision);
    assert.equal(client.responses.length, 2);
  });

  it('CSDS tells what each client holds, and what it refused', async () => {
    await start();
    rig.view.set(cluster, { a: '1' });
    rig.view.set(endpoint, { a: '1' });
    const one = rig.open({ transport: 'delta', node: { id: 'one' }, autoAck: false });
    const two = rig.open({ transport: 'sotw', node: { id: 'two' } });
    one.subscribe(cluster);
    one.ack(await one.next());
    one.subscribe(endpoint, ['a']);
    one.nack(await one.next(), 'bad endpoints');
    two.subscribe(cluster);
    await two.untilHolds((held) => held(cluster).size === 1);
    await waitFor('the NACK', () => rig.events.some(({ kind }) => kind === 'nacked'));
    const protos = statusProtos();
    const channel = new Client(`127.0.0.1:${rig.port}`, credentials.createInsecure());
    const same = (bytes: Buffer): Buffer => bytes;
    const ask = (
      request: object,
    ): Promise<{ config: { node: { id: string }; generic_xds_configs: Record<string, unknown>[] }[] }> =>
      new Promise((resolve, reject) => {
        const bytes = Buffer.from(protos.request.encode(protos.request.fromObject(request)).finish());
        channel.makeUnaryRequest(statusMethods.fetch, same, same, bytes, (error, answer) => {
          if (error !== null) reject(error);
          else
            resolve(
              protos.response.toObject(protos.response.decode(answer ?? Buffer.alloc(0)), { enums: String }) as never,
            );
        });
      });
    try {
      const all = await ask({});
      assert.deepEqual(all.config.map(({ node }) => node.id).sort(), ['one', 'two']);
      const only = await ask({ node_matchers: [{ node_id: { exact: 'one' } }] });
      const configs = only.config[0]?.generic_xds_configs ?? [];
      const brief = configs.map(({ type_url, name, config_status, client_status, error_state }) => [
        type_url,
        name,
        config_status,
        client_status,
        (error_state as { details?: string } | undefined)?.details,
      ]);
      assert.deepEqual(brief, [
        [cluster, 'a', 'SYNCED', 'ACKED', undefined],
        [endpoint, 'a', 'ERROR', 'NACKED', 'bad endpoints'],
      ]);
      assert.equal(configs[0]?.['version_info'], rig.view.resources(cluster).get('a')?.version);
      const stream = channel.makeBidiStreamRequest(statusMethods.stream, same, same);
      const answered = new Promise((resolve) => stream.once('data', resolve));
      stream.write(Buffer.alloc(0));
      assert.equal(
        (protos.response.decode((await answered) as Buffer) as unknown as { config: unknown[] }).config.length,
        2,
      );
      stream.end();
      await assert.rejects(ask({ node_matchers: [{ node_id: { safe_regex: { regex: '.*' } } }] }), /FW-XDS-015/);
    } finally {
      channel.close();
    }
  });

  it('an address that is taken is told as such', async () => {
    await start();
    const other = new XdsRig();
    await assert.rejects(other.listenOn(rig.port), { code: 'FW-XDS-013' });
  });

  it('unknown types do not end a stream', async () => {
    await start();
    const unknown = 'type.googleapis.com/some.unknown.v1.Type';
    const client = rig.open({ transport: 'sotw' });
    client.subscribe(unknown, ['x']);
    rig.view.set(cluster, { a: '1' });
    client.subscribe(cluster);
    await client.untilHolds((held) => held(cluster).size === 1);
    rig.server.changed(rig.view, rig.view.put(unknown, new Map([['x', testResource(unknown, 'x')]])));
    await client.untilHolds((held) => held(unknown).size === 1);
  });
});
