/**
 * A process with many sidecars on one control plane (`ClientSettings` as its argument). Told over IPC to connect; tells when all of them hold
 * everything, when all of them have got a numbered change, and on request what they hold and what it cost. It measures with the machine's
 * monotonic clock, at the moment at which a message is complete.
 */

import { Ledger } from './load/ledger.ts';
import { machineMs } from './load/marks.ts';
import type { ClientCommand, ClientReply, ClientReport, ClientSettings } from './load/messages.ts';
import { hostOf, usedServices } from './load/shape.ts';
import { Sidecar, type SidecarOptions } from './load/sidecar.ts';
import { clusterOfProxy, namespace } from './load/synthetic-mesh.ts';

interface Arrival {
  /** By proxy; NaN: not yet. */
  readonly atMs: Float64Array;
  left: number;
}

const settings = JSON.parse(process.argv[2] ?? '') as ClientSettings;
const ledger = new Ledger(settings.transport);
const syncedAtMs = new Map<number, number>();
const arrivals = new Map<number, Arrival>();
let bytes = 0;
let messages = 0;
let ended = 0;
let lastEnd = '';

const options: Omit<SidecarOptions, 'index' | 'cluster' | 'calls' | 'isStuck'> = {
  address: settings.address,
  transport: settings.transport,
  shape: settings.shape,
  namespace,
  ledger,
  message(sidecar, message) {
    bytes += message.bytes.length;
    messages += 1;
    for (const n of message.marks) arrived(sidecar, n);
  },
  synced(sidecar) {
    const { size } = syncedAtMs;
    if (!syncedAtMs.has(sidecar.index)) syncedAtMs.set(sidecar.index, machineMs());
    if (syncedAtMs.size === settings.count && size < settings.count)
      reply({ kind: 'synced', atMs: [...syncedAtMs.values()] });
  },
  ended(_sidecar, why) {
    ended += 1;
    lastEnd = why;
  },
};
const uses = (index: number): readonly number[] =>
  settings.shape === 'on-demand' ? usedServices(index, settings.services, settings.uses) : [];
const place = (index: number): Pick<SidecarOptions, 'index' | 'cluster' | 'calls'> => ({
  index,
  cluster: clusterOfProxy(index, settings.clusters),
  calls: uses(index).map(hostOf),
});
const sidecars = Array.from(
  { length: settings.count },
  (_, at) => new Sidecar({ ...options, ...place(settings.first + at), isStuck: false }),
);
let stuck: readonly Sidecar[] = [];

function openStuck(): void {
  stuck = Array.from(
    { length: settings.stuck },
    (_, at) => new Sidecar({ ...options, ...place(1_000_000 + settings.first + at), isStuck: true, ended() {} }),
  );
  for (const sidecar of stuck) sidecar.open();
}

function arrived({ index }: Sidecar, n: number): void {
  const arrival = arrivals.get(n) ?? awaited(n, settings.count);
  const at = index - settings.first;
  if (!Number.isNaN(arrival.atMs[at])) return;
  arrival.atMs[at] = machineMs();
  arrival.left -= 1;
  if (arrival.left === 0) seen(n, arrival.atMs);
}

/** `left`: how many proxies are to get it; some may have it already. */
function awaited(n: number, left: number): Arrival {
  const arrival = arrivals.get(n) ?? { atMs: new Float64Array(settings.count).fill(Number.NaN), left: settings.count };
  arrivals.set(n, arrival);
  arrival.left -= settings.count - left;
  if (arrival.left === 0) seen(n, arrival.atMs);
  return arrival;
}

function seen(n: number, atMs: Float64Array): void {
  reply({ kind: 'seen', n, atMs: atMs.filter((ms) => !Number.isNaN(ms)) });
}

function report(): ClientReport {
  const states = new Map<string, number>();
  for (const sidecar of sidecars) {
    const state = `${clusterOfProxy(sidecar.index, settings.clusters)} ${ledger.hash(sidecar.held())}`;
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  const { user, system } = process.cpuUsage();
  return { states, bytes, messages, ended, lastEnd, cpuMs: (user + system) / 1000 };
}

function holdings(): Extract<ClientReply, { readonly kind: 'holdings' }>['proxies'] {
  return sidecars.map((sidecar) => ({
    cluster: clusterOfProxy(sidecar.index, settings.clusters),
    calls: uses(sidecar.index).map(hostOf),
    clusters: sidecar.ownClusters,
    state: ledger.hash(sidecar.held()),
  }));
}

function reply(message: ClientReply): void {
  process.send?.(message);
}

process.on('message', (command: ClientCommand) => {
  switch (command.kind) {
    case 'connect':
      for (const sidecar of sidecars) sidecar.open();
      openStuck();
      break;
    case 'stick':
      openStuck();
      break;
    case 'unstick':
      for (const sidecar of stuck) sidecar.close();
      stuck = [];
      break;
    case 'await':
      awaited(command.n, sidecars.filter(({ index }) => uses(index).includes(command.service)).length);
      break;
    case 'holdings':
      reply({ kind: 'holdings', proxies: holdings() });
      break;
    case 'report':
      reply({ kind: 'report', ...report() });
      break;
  }
});
process.on('disconnect', () => process.exit());
reply({ kind: 'started' });
