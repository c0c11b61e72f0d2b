/**
 * One address in front of several replicas, as a Kubernetes Service is: in: their ports; out: a port. Each new connection goes to the replica
 * with the fewest, or to another if that one does not take it. What always holds: bytes are carried unchanged; an end is carried both ways.
 */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface ServiceAddress {
  readonly port: number;
  /** From now on, for new connections. */
  set(targets: readonly number[]): void;
  /** Open ones to a target. */
  connections(target: number): number;
  stop(): Promise<void>;
}

export async function startServiceAddress(initial: readonly number[]): Promise<ServiceAddress> {
  let targets = initial;
  const open = new Map<Socket, number>();
  const clients = new Set<Socket>();
  const count = (target: number): number => [...open.values()].filter((one) => one === target).length;

  const carry = (client: Socket, candidates: readonly number[]): void => {
    const [target, ...others] = candidates.toSorted((a, b) => count(a) - count(b));
    if (target === undefined || client.destroyed) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    open.set(server, target);
    server.on('close', () => open.delete(server));
    const refused = (): void => carry(client, others);
    server.once('error', refused);
    server.once('connect', () => {
      server.off('error', refused);
      server.on('error', () => client.resetAndDestroy());
      client.on('error', () => server.destroy());
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
      client.pipe(server);
      server.pipe(client);
    });
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    client.on('error', () => client.destroy());
    carry(client, targets);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    set(next) {
      targets = next;
    },
    connections: count,
    async stop() {
      for (const client of clients) client.destroy();
      await new Promise<void>((resolve) => {
        listener.close(() => resolve());
      });
    },
  };
}
