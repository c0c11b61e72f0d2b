/** Lets all proxies of the clients connect at once. Returns, for each proxy, how long it took until it held everything, ms. */

import type { Child } from './child.ts';
import { machineMs } from './marks.ts';
import type { ClientCommand, ClientReply } from './messages.ts';

export async function connectAll(clients: readonly Child<ClientCommand, ClientReply>[]): Promise<readonly number[]> {
  const beganMs = machineMs();
  for (const client of clients) client.send({ kind: 'connect' });
  const synced = await Promise.all(clients.map((client) => client.next('synced')));
  return synced.flatMap(({ atMs }) => atMs).map((atMs) => atMs - beganMs);
}
