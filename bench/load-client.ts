/**
 * A process with many sidecars on one control plane (`ClientSettings` as its argument). Told over IPC to connect; tells when all of them hold
 * everything, when all of them have got a numbered change, and on request what they hold and what it cost. It measures with the machine's
 * monotonic clock, at the moment at which a message is complete.
 */

import { Ledger } from './load/ledger.ts';
import { machineMs } from './load/marks.ts';
import type { ClientCommand, ClientReply, ClientReport, ClientSettings } from './load/messages.ts';
import { Sidecar, type SidecarOptions } from './load/sidecar.ts';
import { clusterName, namespace } from './load/synthetic-mesh.ts';

const settings = JSON.parse(process.argv[2] ?? '') as ClientSettings;
const ledger = new Ledger(settings.transport);
const syncedAtMs = new Map<number, number>();
const arrivals = new Map<number, { readonly atMs: Float64Array; left: number }>();
let bytes = 0;
let messages = 0;
let ended = 0;
let lastEnd = '';

const options: Omit<SidecarOptions, 'index' | 'isStuck'> = {
  address: settings.address,
  transport: settings.transport,
  cluster: clusterName,
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
const sidecars = Array.from(
  { length: settings.count },
  (_, at) => new Sidecar({ ...options, index: settings.first + at, isStuck: false }),
);
const stuck = Array.from(
  { length: settings.stuck },
  (_, at) => new Sidecar({ ...options, index: 1_000_000 + settings.first + at, isStuck: true, ended() {} }),
);

function arrived({ index }: Sidecar, n: number): void {
  let arrival = arrivals.get(n);
  if (arrival === undefined) {
    arrival = { atMs: new Float64Array(settings.count).fill(Number.NaN), left: settings.count };
    arrivals.set(n, arrival);
  }
  const at = index - settings.first;
  if (!Number.isNaN(arrival.atMs[at])) return;
  arrival.atMs[at] = machineMs();
  arrival.left -= 1;
  if (arrival.left === 0) reply({ kind: 'seen', n, atMs: arrival.atMs });
}

function report(): ClientReport {
  const states = new Map<string, number>();
  for (const sidecar of sidecars) {
    const hash = ledger.hash(sidecar.held());
    states.set(hash, (states.get(hash) ?? 0) + 1);
  }
  const { user, system } = process.cpuUsage();
  return { states, bytes, messages, ended, lastEnd, cpuMs: (user + system) / 1000 };
}

function reply(message: ClientReply): void {
  process.send?.(message);
}

process.on('message', (command: ClientCommand) => {
  switch (command.kind) {
    case 'connect':
      for (const sidecar of [...sidecars, ...stuck]) sidecar.open();
      break;
    case 'unstick':
      for (const sidecar of stuck) sidecar.close();
      break;
    case 'report':
      reply({ kind: 'report', ...report() });
      break;
  }
});
process.on('disconnect', () => process.exit());
reply({ kind: 'started' });
