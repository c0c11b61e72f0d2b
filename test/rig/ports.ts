/** Free TCP ports on loopback, below the kernel's ephemeral range, so that no outgoing connection takes one between the look and the use. */

import { createServer } from 'node:net';

const given = new Set<number>();

/** A port that nothing listens on now; never the same twice in one process. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!given.has(port) && (await canListen(host, port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port on ${host} after 100 tries`);
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
