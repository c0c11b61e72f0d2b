import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { Acceptor } from '../../../src/xds/acceptor.ts';
import { Turns } from '../../../src/xds/turns.ts';
import { waitFor } from '../../rig/wait.ts';

describe('connections to a port', () => {
  const opened: Socket[] = [];
  let acceptor: Acceptor | undefined;

  afterEach(async () => {
    for (const socket of opened.splice(0)) socket.destroy();
    await acceptor?.close();
  });

  /** Each look at the clock is a second later, so that every turn has time for one connection alone. */
  const slowClock = (): Clock => {
    let nowMs = 0;
    return { ...systemClock, monotonic: () => (nowMs += 1000) };
  };

  async function open(
    count: number,
    maxWaiting: number,
    take: (connection: Socket) => void,
  ): Promise<readonly Socket[]> {
    const turns = new Turns({
      clock: systemClock,
      sliceMs: 4,
      sliceJobs: 64,
      pace: { minBytes: 1, maxBytes: 1, lateMs: 1_000 },
    });
    acceptor = new Acceptor({ clock: slowClock(), turns, sliceMs: 4, maxWaiting, take });
    const port = await acceptor.listen('127.0.0.1', 0);
    const clients = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}));
    opened.push(...clients);
    await Promise.all(clients.map((client) => once(client, 'connect')));
    return clients;
  }

  it('are handed over one turn after the other, each with all that its client wrote before', async () => {
    const heard: string[] = [];
    const clients = await open(20, 100, (connection) => {
      opened.push(connection);
      connection.on('data', (bytes: Buffer) => heard.push(bytes.toString())).resume();
    });
    for (const [at, client] of clients.entries()) client.write(`${at}`);
    await waitFor('all to be heard', () => heard.length === clients.length);
    assert.deepEqual(
      heard.map(Number).sort((a, b) => a - b),
      clients.map((_, at) => at),
    );
  });

  it('are all gone once the port is closed and they have ended', async () => {
    const taken: Socket[] = [];
    const clients = await open(3, 100, (connection) => taken.push(connection.resume()));
    await waitFor('all to be taken', () => taken.length === 3);
    let isClosed = false;
    const closed = acceptor?.close().then(() => {
      isClosed = true;
    });
    assert.equal(isClosed, false);
    for (const client of clients) client.end();
    await closed;
    acceptor = undefined;
  });
});
