/**
 * A TCP proxy in front of something, that can be made to fail as networks do. In: a target port; out: a port and switches.
 * What always holds: bytes are carried unchanged or not at all; a switch acts on open connections too.
 */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * - `carry`: bytes pass, each chunk after `delayMs`.
 * - `silent`: connections are accepted and stay open, and nothing passes in either direction (a half-open line).
 * - `refuse`: open connections are reset and new ones too.
 */
export type FaultMode = 'carry' | 'silent' | 'refuse';

export interface FaultProxy {
  readonly port: number;
  /** What was held back while `silent` is not delivered later: `carry` resets the connections that lost bytes. */
  set(mode: FaultMode, delayMs?: number): void;
  /** Resets all open connections once; new ones are as the mode says. */
  cut(): void;
  connections(): number;
  stop(): Promise<void>;
}

export interface FaultProxyOptions {
  readonly targetPort: number;
  /** Default 127.0.0.1. */
  readonly targetHost?: string;
  readonly listenHost?: string;
  /** Default: a free one. */
  readonly port?: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  lostBytes: boolean;
}

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  let mode: FaultMode = 'carry';
  let delayMs = 0;
  const pairs = new Set<Pair>();

  const carry = (pair: Pair, from: Socket, to: Socket): void => {
    from.on('data', (chunk) => {
      if (mode === 'silent') {
        pair.lostBytes = true;
        return;
      }
      const pass = (): void => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => from.resume());
      };
      if (delayMs === 0) pass();
      else setTimeout(pass, delayMs);
    });
    from.on('end', () => setTimeout(() => to.end(), delayMs));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      pairs.delete(pair);
      if (mode !== 'silent') setTimeout(() => to.destroy(), delayMs);
    });
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const server = connect({
      port: options.targetPort,
      host: options.targetHost ?? '127.0.0.1',
      allowHalfOpen: true,
      noDelay: true,
    });
    const pair: Pair = { client, server, lostBytes: false };
    pairs.add(pair);
    carry(pair, client, server);
    carry(pair, server, client);
  });
  const cutWhere = (which: (pair: Pair) => boolean): void => {
    for (const pair of pairs) {
      if (!which(pair)) continue;
      pairs.delete(pair);
      pair.client.resetAndDestroy();
      pair.server.destroy();
    }
  };
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(options.port ?? 0, options.listenHost ?? '127.0.0.1', resolve);
  });

  return {
    port: (listener.address() as AddressInfo).port,
    set(newMode, newDelayMs = 0) {
      mode = newMode;
      delayMs = newDelayMs;
      if (mode === 'refuse') cutWhere(() => true);
      if (mode === 'carry') cutWhere((pair) => pair.lostBytes);
    },
    cut: () => cutWhere(() => true),
    connections: () => pairs.size,
    async stop() {
      cutWhere(() => true);
      await new Promise<void>((resolve) => {
        listener.close(() => resolve());
      });
    },
  };
}
