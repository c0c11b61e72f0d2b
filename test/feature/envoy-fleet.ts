/**
 * Real Envoys in several places of one mesh: each connects to a real pilot (test/support/pilot.ts) as the sidecar of a workload in its own
 * cluster, namespace and zone. Everything on loopback, on free ports.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { renderBootstrap } from '../../src/envoy/bootstrap.ts';
import { startEnvoyProcess } from '../rig/envoy-process.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { PilotRig, type PilotRigOptions } from '../support/pilot.ts';
import { type Answer, type Ask, askProxy } from './envoy-rig.ts';

export interface Client {
  readonly name: string;
  readonly cluster: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** `eu/eu-a`; left out: what its cluster says of its address. */
  readonly at?: string;
  readonly address: string;
  /** Runtime settings that go before those of Fairway's bootstrap. */
  readonly runtime?: Readonly<Record<string, number>>;
}

export interface FleetMember {
  readonly proxyPort: number;
  ask(host: string, ask?: Ask): Promise<Answer>;
  /** What Envoy's own administration says. */
  admin(path: string): Promise<string>;
}

export interface Fleet {
  readonly pilot: PilotRig;
  member(name: string): FleetMember;
  /** Every Envoy holds what is in force now. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** undefined where there is no Envoy. */
export async function startFleet(
  clients: readonly Client[],
  options: Pick<PilotRigOptions, 'limits'> = {},
): Promise<Fleet | undefined> {
  const found = await lookForEnvoy({ env: process.env, log: () => {} });
  if (found === undefined) return undefined;
  const pilot = await PilotRig.start(options);
  const dir = mkdtempSync(join(tmpdir(), 'fairway-fleet-'));
  const members = new Map<string, FleetMember>();
  const stops: (() => Promise<unknown>)[] = [];
  for (const client of clients) {
    const [proxyPort, adminPort] = [await freePort(), await freePort()];
    const bootstrap = bootstrapOf(client, pilot.port, proxyPort, adminPort);
    const envoy = await startEnvoyProcess({ command: found.path, bootstrap, dir, name: client.name });
    stops.push(() => envoy.stop());
    members.set(client.name, {
      proxyPort,
      ask: (host, ask) => askProxy(proxyPort, host, ask),
      admin: async (path) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text(),
    });
  }
  return {
    pilot,
    member(name) {
      const member = members.get(name);
      if (member === undefined) throw new Error(`no Envoy ${name}`);
      return member;
    },
    async settled() {
      pilot.engine.flush();
      await waitFor(`${clients.length} Envoys to hold the mesh`, () => isSettled(pilot, clients.length), {
        intervalMs: 10,
      });
    },
    async stop() {
      await Promise.all(stops.map((stop) => stop()));
      await pilot.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

function isSettled({ engine }: PilotRig, count: number): boolean {
  const proxies = [...engine.proxies.all()];
  const { revision } = engine.mesh;
  return (
    proxies.length === count &&
    proxies.every(({ streams, next }) => {
      const statuses = [...streams].flatMap((stream) => [...engine.streamStatus(stream).values()]);
      const rejected = statuses.find(({ state }) => state === 'rejected');
      if (rejected !== undefined) throw new Error(rejected.error);
      return (
        next === undefined &&
        statuses.length >= 4 &&
        statuses.every(({ state, ackedRevision }) => state === 'synced' && ackedRevision >= revision)
      );
    })
  );
}

function bootstrapOf(client: Client, pilotPort: number, proxyPort: number, adminPort: number): object {
  const { name, cluster, namespace = 'shop', labels = {}, at, address, runtime } = client;
  const [region = '', zone = ''] = at?.split('/') ?? [];
  const bootstrap = renderBootstrap({
    mode: 'explicit',
    xds: [`127.0.0.1:${pilotPort}`],
    cluster,
    namespace,
    workload: name,
    serviceAccount: name,
    addresses: [address],
    labels,
    ...(at === undefined ? {} : { locality: { region, zone, subzone: '' } }),
    adminPort,
    outbound: `127.0.0.1:${proxyPort}`,
    inboundAddress: '127.0.0.1',
  });
  if (runtime === undefined) return bootstrap;
  const { layers } = bootstrap['layered_runtime'] as { readonly layers: readonly object[] };
  return { ...bootstrap, layered_runtime: { layers: [...layers, { name: 'test', static_layer: runtime }] } };
}
