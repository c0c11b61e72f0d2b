import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type FaultProxy, startFaultProxy } from '../../rig/fault-proxy.ts';
import { pause, waitFor } from '../../rig/wait.ts';

describe('fault proxy', () => {
  let echo: Server;
  let proxy: FaultProxy;
  const open: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    proxy = await startFaultProxy({ targetPort: (echo.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    await proxy.stop();
    await new Promise((resolve) => echo.close(resolve));
  });

  /** What came back so far, and whether the line is dead. */
  function dial(): { socket: Socket; text: () => string; dead: () => boolean } {
    const socket = connect(proxy.port, '127.0.0.1');
    open.push(socket);
    let text = '';
    let dead = false;
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      dead = true;
    });
    return { socket, text: () => text, dead: () => dead };
  }

  it('carries bytes both ways', async () => {
    const line = dial();
    line.socket.write('hello');
    await waitFor('the echo', () => line.text() === 'hello');
  });

  it('keeps a silent line open and carries nothing', async () => {
    const line = dial();
    line.socket.write('a');
    await waitFor('the echo', () => line.text() === 'a');
    proxy.set('silent');
    line.socket.write('b');
    await pause(100);
    assert.equal(line.text(), 'a');
    assert.equal(line.dead(), false);
    proxy.set('carry');
    await waitFor('the reset of the line that lost bytes', () => line.dead());
  });

  it('cuts open connections and refuses new ones', async () => {
    const line = dial();
    line.socket.write('a');
    await waitFor('the echo', () => line.text() === 'a');
    proxy.set('refuse');
    await waitFor('the cut', () => line.dead());
    const second = dial();
    await waitFor('the refusal', () => second.dead());
    assert.equal(second.text(), '');
  });
});
