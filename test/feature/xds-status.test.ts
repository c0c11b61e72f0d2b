/** The client status service (CSDS) beside many clients: what it costs others, and what those get who ask for too much. */

import { strict as assert } from 'node:assert';
import { connect } from 'node:http2';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { statusProtos } from '../../src/xds/protos.ts';
import { statusMethods } from '../../src/xds/services.ts';
import { waitFor } from '../rig/wait.ts';
import { XdsRig } from '../support/xds-rig.ts';

const cluster = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const same = (bytes: Buffer): Buffer => bytes;

describe('CSDS beside many clients', () => {
  let rig: XdsRig;
  let channel: Client;

  async function start(limits: ConstructorParameters<typeof XdsRig>[0]): Promise<void> {
    rig = await XdsRig.start(limits);
    channel = new Client(`127.0.0.1:${rig.port}`, credentials.createInsecure());
    rig.view.set(cluster, Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`cluster-${i}`, '1'])));
    const clients = Array.from({ length: 20 }, (_, i) => rig.open({ transport: 'delta', node: { id: `node-${i}` } }));
    for (const client of clients) client.subscribe(cluster);
    for (const client of clients) await client.untilHolds((held) => held(cluster).size === 200);
  }

  afterEach(async () => {
    channel.close();
    await rig.stop();
  });

  function ask(request: object): Promise<string[]> {
    const protos = statusProtos();
    const bytes = Buffer.from(protos.request.encode(protos.request.fromObject(request)).finish());
    return new Promise((resolve, reject) => {
      channel.makeUnaryRequest(statusMethods.fetch, same, same, bytes, (error, answer) => {
        if (error !== null) return reject(error);
        const { config } = protos.response.decode(answer ?? Buffer.alloc(0)) as unknown as {
          config: { node: { id: string } }[];
        };
        resolve(config.map(({ node }) => node.id));
      });
    });
  }

  it('requests whose answers nobody takes are not answered: few answers are held, and the client is cut off', async () => {
    await start({ stuckReaderMs: 300 });
    const session = connect(`http://127.0.0.1:${rig.port}`, { settings: { initialWindowSize: 0 } });
    const calls = Array.from({ length: 10 }, () =>
      session.request({
        ':method': 'POST',
        ':path': statusMethods.stream,
        'content-type': 'application/grpc',
        te: 'trailers',
      }),
    );
    let closed = 0;
    for (const call of calls) {
      call.on('error', () => {});
      call.on('close', () => closed++);
      // Ten requests without a node matcher, each an empty message.
      call.write(Buffer.alloc(10 * 5));
    }
    await waitFor('answers that wait', () => rig.server.counters.statusAnswersTotal > 0);
    await waitFor('the end of the calls', () => closed === calls.length);
    assert.equal(rig.server.counters.statusAnswersTotal, calls.length);
    assert.equal(rig.server.counters.droppedSlowReadersTotal, calls.length);
    session.destroy();
    assert.equal((await ask({})).length, 20);
  });

  it('an answer larger than the limit is refused, a part of it is not', async () => {
    await start({ maxStatusBytes: 50_000 });
    await assert.rejects(ask({}), (error: ServiceError) => {
      assert.equal(error.code, status.RESOURCE_EXHAUSTED);
      return error.details.includes('FW-XDS-017');
    });
    assert.deepEqual(await ask({ node_matchers: [{ node_id: { exact: 'node-7' } }] }), ['node-7']);
  });

  it('requests beyond what may wait are refused, those before are answered', async () => {
    await start({ maxStatusCalls: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => ask({})));
    const refused = outcomes.filter(({ status: outcome }) => outcome === 'rejected');
    assert(refused.every((outcome) => String((outcome as PromiseRejectedResult).reason).includes('FW-XDS-018')));
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') assert.equal(outcome.value.length, 20);
    assert(outcomes.length - refused.length >= 3);
    assert.equal((await ask({})).length, 20);
  });

  it('each request of a stream is answered, in order', async () => {
    await start({});
    const protos = statusProtos();
    const call = channel.makeBidiStreamRequest(statusMethods.stream, same, same);
    const ids: string[] = [];
    call.on('data', (bytes: Buffer) => {
      const { config } = protos.response.decode(bytes) as unknown as { config: { node: { id: string } }[] };
      ids.push(config.map(({ node }) => node.id).join());
    });
    const ended = new Promise((resolve) => call.once('end', resolve));
    const wanted = Array.from({ length: 40 }, (_, i) => `node-${i % 20}`);
    for (const exact of wanted) {
      const request = protos.request.fromObject({ node_matchers: [{ node_id: { exact } }] });
      call.write(Buffer.from(protos.request.encode(request).finish()));
    }
    call.end();
    await ended;
    assert.deepEqual(ids, wanted);
  });
});
