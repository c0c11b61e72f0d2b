/**
 * A network namespace in which iptables captures, and what a workload in it does: for scenes that run in one of their own (captured-…-scene.ts).
 * 10.1.0.0/16 and fd00::/64 are outbound, 10.3.0.0/16 is as if from a peer; every address of them is this host.
 */

import { get } from 'node:http';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { runSync } from '../rig/process.ts';

/** On what the sidecar sends. */
export const packetMark = 0x1337;

export function prepareNetwork(): void {
  const notMarked = ['-m', 'mark', '!', '--mark', String(packetMark)];
  runSync('ip', ['link', 'set', 'lo', 'up']);
  // Every address of these ranges is this host; what goes to the first is outbound, what goes to the third is as if from a peer.
  for (const range of ['10.1.0.0/16', '10.3.0.0/16', 'fd00::/64'])
    runSync('ip', ['route', 'add', 'local', range, 'dev', 'lo']);
  const redirect = (range: string, port: number, rest: readonly string[] = []): readonly string[] => [
    ...['-t', 'nat', '-A', 'OUTPUT', '-p', 'tcp', '-d', range, ...rest, '-j', 'REDIRECT', '--to-ports', String(port)],
  ];
  runSync('iptables', ['-t', 'nat', '-A', 'OUTPUT', '-s', '127.0.0.6/32', '-j', 'RETURN']);
  runSync('iptables', redirect('10.1.0.0/16', 15_001, notMarked));
  runSync('iptables', redirect('10.3.0.0/16', 15_006));
  runSync('ip6tables', redirect('fd00::/64', 15_001, notMarked));
}

export interface Said {
  readonly status: number;
  readonly text: string;
}

/** A request to an address, with a Host header of choice; says the workload's name, or the body's first line. */
export function ask(address: string, port: number, host: string): Promise<Said> {
  return new Promise((resolve) => {
    const outgoing = get({ host: address, port, path: '/', headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => {
        const text = body.startsWith('{') ? JSON.parse(body).name : (body.split('\n')[0] ?? '');
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    outgoing.on('error', (error) => resolve({ status: 0, text: error.message }));
  });
}

/** The first line that a server sends, after `first` if that is given; '' when it closes without one. */
export function greeting(address: string, port: number, first?: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let seen = '';
    const socket = connect(port, address, () => first !== undefined && socket.write(first));
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes('\n')) socket.destroy();
    });
    socket.on('error', () => {});
    // An echo of `first` may come with it.
    socket.on('close', () => resolve((seen.split('\n')[0] ?? '').trimEnd()));
  });
}

/** The first bytes of a TLS client that asks for this server. */
export function clientHello(servername: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.once('data', (hello: Buffer) => {
        socket.destroy();
        server.close();
        resolve(hello);
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      // It is never answered, and ends with an error.
      connectTls({ host: '127.0.0.1', port, servername, ALPNProtocols: ['h2', 'http/1.1'] }).on('error', () => {});
    });
    server.on('error', reject);
  });
}
