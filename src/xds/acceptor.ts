/**
 * Takes connections off a port and hands them over a few at a time. In: connections as the kernel has them. Out: each to `take`, in the order in
 * which they came, between the turns of streams.
 *
 * A thousand clients that come at once are accepted in one go, since Node accepts all that wait; setting up HTTP/2 for all of them there and then
 * would hold the event loop for a tenth of a second. Until its turn a connection is not read, and it is handed over paused. Always: bounded; what is
 * too much is closed.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { Turns, Work } from './turns.ts';

export interface AcceptorOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  /** How long connections are handed over in one go, at most. */
  readonly sliceMs: number;
  readonly maxWaiting: number;
  readonly take: (connection: Socket) => void;
}

export class Acceptor implements Work {
  readonly #options: AcceptorOptions;
  readonly #server: Server;
  readonly #waiting = new Set<Socket>();
  readonly #taken = new Set<Socket>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#server = createServer({ pauseOnConnect: true }, (connection) => this.#accepted(connection));
  }

  /** Returns the port. Rejects with Node's error. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        const bound = this.#server.address();
        resolve(bound === null || typeof bound === 'string' ? port : bound.port);
      });
    });
  }

  turn(share: number): void {
    const { clock, sliceMs, take, turns } = this.#options;
    const startMs = clock.monotonic();
    for (const connection of this.#waiting) {
      this.#waiting.delete(connection);
      connection.off('error', ignore);
      this.#taken.add(connection);
      // From here on it is read.
      connection.read(0);
      take(connection);
      if (clock.monotonic() - startMs >= sliceMs * share) break;
    }
    if (this.#waiting.size > 0) turns.enqueueWork(this);
  }

  /** No more connections; those that wait are closed. Resolves when all that were handed over have ended too. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#waiting) connection.destroy();
    this.#waiting.clear();
    return closed;
  }

  /** Breaks what was handed over and is still open. gRPC's own end of all ends none of these where it keeps no statistics of connections. */
  cut(): void {
    for (const connection of this.#taken) connection.destroy();
  }

  #accepted(connection: Socket): void {
    if (this.#waiting.size >= this.#options.maxWaiting) {
      connection.destroy();
      return;
    }
    connection.on('error', ignore);
    connection.once('close', () => {
      this.#waiting.delete(connection);
      this.#taken.delete(connection);
    });
    this.#waiting.add(connection);
    this.#options.turns.enqueueWork(this);
  }
}

/** A connection that breaks while it waits is nobody's yet. */
function ignore(): void {}
