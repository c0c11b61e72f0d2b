/** Free ports on the loopback. */

import { createServer, type Server } from 'node:net';

/** Listens on 127.0.0.1, on any free port for 0; resolves to the port. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('not an IP socket'));
      else resolve(address.port);
    });
  });
}

/** `wanted` ports where they are free, else any free ones, all different. Somebody may still take one before it is used. */
export async function freePorts(wanted: readonly number[]): Promise<number[]> {
  const servers: Server[] = [];
  try {
    const ports: number[] = [];
    for (const port of wanted) {
      const server = createServer();
      servers.push(server);
      ports.push(await listen(server, port).catch(() => listen(server, 0)));
    }
    return ports;
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
