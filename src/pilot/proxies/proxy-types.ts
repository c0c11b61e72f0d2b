/**
 * How a proxy stands with each type of configuration, over all its streams: clients of gRPC in C++ and Java open one for each target, and
 * they are one proxy. In: the status of each stream. Out: by type, the worst state among them, and the count of all that they hold.
 */

import { shortTypeName, type TypeUrl } from '../../core/type-urls.ts';
import type { ProxyReport } from '../../model/report.ts';
import type { StreamTypeStatus } from '../../xds/view.ts';

type Stood = Pick<StreamTypeStatus, 'state' | 'sinceMs' | 'resources' | 'error'>;

const badness = { synced: 0, pending: 1, rejected: 2 } as const;

export function proxyTypes(streams: Iterable<ReadonlyMap<string, Stood>>): ProxyReport['types'] {
  const byType = new Map<string, Stood>();
  for (const statuses of streams)
    for (const [typeUrl, status] of statuses) {
      const other = byType.get(typeUrl);
      byType.set(typeUrl, other === undefined ? status : together(other, status));
    }
  return Object.fromEntries(
    [...byType].map(([typeUrl, { state, sinceMs, resources, error }]) => [
      shortTypeName[typeUrl as TypeUrl] ?? typeUrl,
      { state, since: new Date(sinceMs).toISOString(), resources, error },
    ]),
  );
}

/** Trouble is as old as where it is oldest; well is all only since the last of them was. */
function together(a: Stood, b: Stood): Stood {
  const resources = a.resources + b.resources;
  if (a.state !== b.state) return { ...(badness[a.state] > badness[b.state] ? a : b), resources };
  const older = a.sinceMs <= b.sinceMs ? a : b;
  const newer = older === a ? b : a;
  return { ...(a.state === 'synced' ? newer : older), resources };
}
