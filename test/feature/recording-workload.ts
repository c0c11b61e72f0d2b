/**
 * A workload that remembers what it was asked. It answers 200 with its name; `/status/503` with that status; `/never` not at all; `/stall`
 * begins an answer and falls silent; `/drip` goes on for ever; after an upgrade it echoes.
 */

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface RecordingWorkload {
  readonly name: string;
  readonly port: number;
  /** In order of their ends; emptied by whoever counts anew. */
  readonly seen: SeenRequest[];
  stop(): Promise<void>;
}

export async function startRecordingWorkload(name: string): Promise<RecordingWorkload> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    const { url = '', method = '', headers } = incoming;
    let body = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => {
      body += chunk;
    });
    incoming.on('end', () => {
      seen.push({ method, url, headers, body });
      if (url === '/never') return;
      if (url === '/stall' || url === '/drip') {
        response.write(name);
        if (url === '/stall') return;
        const timer = setInterval(() => response.write('.'), 10);
        response.on('close', () => clearInterval(timer));
        return;
      }
      const [, status = '200'] = /^\/status\/(\d+)$/.exec(url) ?? [];
      response.writeHead(Number(status), { 'x-powered-by': 'test' }).end(name);
    });
  });
  server.on('upgrade', (_request: unknown, socket: Socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  return {
    name,
    port: (server.address() as AddressInfo).port,
    seen,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
