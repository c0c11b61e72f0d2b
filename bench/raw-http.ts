/**
 * The least that speaks HTTP/1.1, so that a measurement is of what is measured: Node's own client and server cost several times an Envoy's share
 * of a request, and on two cores that would be most of the figure.
 */

import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../src/demo/ports.ts';

const endOfHeaders = '\r\n\r\n';

export interface RawBackend {
  readonly port: number;
  stop(): void;
}

/** Answers every request with 200, an empty body and `x-version`. */
export async function startRawBackend(version: string): Promise<RawBackend> {
  const answer = `HTTP/1.1 200 OK\r\nx-version: ${version}\r\ncontent-length: 0\r\n\r\n`;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let waiting = '';
    socket.on('data', (data) => {
      waiting += data.toString('latin1');
      const requests = waiting.split(endOfHeaders);
      waiting = requests.pop() ?? '';
      for (const _request of requests) socket.write(answer);
    });
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    port: await listen(server, 0),
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** One request after the other over one connection, through a proxy on the loopback. */
export class RawClient {
  readonly #port: number;
  readonly #request: string;
  #socket: Socket | undefined;
  #answered: ((head: string) => void) | undefined;
  #head = '';

  constructor(port: number, host: string) {
    this.#port = port;
    this.#request = `GET http://${host}/ HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
  }

  /** The `x-version` of the answer; undefined: no answer, or none from a backend of `startRawBackend`. Bodies must be empty. */
  async ask(): Promise<string | undefined> {
    const socket = this.#socket ?? this.#open();
    const head = await new Promise<string>((resolve) => {
      this.#answered = resolve;
      socket.write(this.#request);
    });
    return /\r\nx-version: (\S+)/.exec(head)?.[1];
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const answer = (head: string): void => {
      this.#head = '';
      const resolve = this.#answered;
      this.#answered = undefined;
      resolve?.(head);
    };
    socket.on('data', (data) => {
      this.#head += data.toString('latin1');
      if (this.#head.includes(endOfHeaders)) answer(this.#head);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#socket = undefined;
      answer('');
    });
    this.#socket = socket;
    return socket;
  }
}
