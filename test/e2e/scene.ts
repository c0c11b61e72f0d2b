/**
 * The scene that all end-to-end tests play on: clusters east (the primary) and west, each with `reviews` in v1 and v2 behind sidecars, clients in
 * both, and a pilot that is a process of its own. In: nothing; out: one scene, made at its first use and taken away after the last test.
 *
 * What always holds: a test leaves the scene as it found it (four reviews, no rules, a running pilot, both clusters fresh), and `checkLoads`
 * fails it for every single request that did not get its answer.
 */

import { join } from 'node:path';
import { type FaultProxy, startFaultProxy } from '../rig/fault-proxy.ts';
import { type Cluster, type Pod, playCluster } from '../rig/hosts/cluster.ts';
import { isolation } from '../rig/hosts/isolation.ts';
import { type Load, startLoad } from '../rig/hosts/load-client.ts';
import { createNetwork, type Network } from '../rig/hosts/network.ts';
import { startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { writeKubeconfig } from '../rig/kubernetes/kubectl.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { startAll } from '../rig/started.ts';
import { waitFor } from '../rig/wait.ts';

const crdFile = join(import.meta.dirname, '../../deploy/crds/trafficrules.fairway.dev.yaml');
const xdsPort = 15_010;
const adminAddress = '127.0.0.1:15014';
export const namespace = 'shop';

export interface Scene {
  readonly dir: string;
  readonly network: Network;
  readonly xds: string;
  readonly east: Cluster;
  readonly west: Cluster;
  /** Stands between the pilot (and only the pilot) and west's API. */
  readonly westLine: FaultProxy;
  /** `reviews` in each cluster, as captured clients of that cluster connect to it. */
  readonly vip: { readonly east: string; readonly west: string };
  readonly clients: { readonly east: Pod; readonly west: Pod; readonly explicit: Pod };
  /** The pilot of now; tests may stop it and start another. */
  pilot: Pilot;
  startPilot(extraArgs?: readonly string[]): Promise<void>;
  /** Load from the clients of both clusters, half of the rate each. */
  startLoads(ratePerS: number, headers?: readonly string[]): Promise<Load[]>;
  applyRule(routes: unknown, name?: string): Promise<void>;
  deleteRule(name?: string): Promise<void>;
}

const loads: Load[] = [];
let making: Promise<Scene> | undefined;
let endings: (() => unknown)[] = [];
let loadCount = 0;

/** The scene; made at the first call, about 20 s. */
export function theScene(): Promise<Scene> {
  making ??= make();
  return making;
}

/** Stops the loads that a test started and throws with every failed request. */
export async function checkLoads(): Promise<void> {
  const ended = loads.splice(0);
  const totals = await Promise.all(ended.map((load) => load.stop()));
  const failures = ended.flatMap((load) => load.failures());
  const started = totals.reduce((sum, total) => sum + total.started, 0);
  const unaccounted = totals.reduce((sum, total) => sum + total.started - total.answered - total.failed, 0);
  if (failures.length === 0 && unaccounted === 0) return;
  const shown = failures.slice(0, 20).join('\n');
  throw new Error(`${failures.length} of ${started} requests failed, ${unaccounted} never ended:\n${shown}`);
}

/** To be called in each file's `describe`: each test has a pilot; a failed one leaves no load running, and shows what the pilot said. */
export function guardEachTest(): void {
  beforeEach(async () => {
    const scene = await theScene();
    if (!scene.pilot.process.running()) await scene.startPilot();
  });
  afterEach(async function () {
    for (const load of loads.splice(0)) await load.stop();
    if (this.currentTest?.state !== 'failed' || making === undefined) return;
    const scene = await making;
    process.stdout.write(
      `--- the pilot’s last lines (${scene.pilot.process.logFile})\n${scene.pilot.process.logTail(25)}\n---\n`,
    );
  });
}

async function make(): Promise<Scene> {
  if (isolation() === undefined || process.env['FAIRWAY_E2E_DIR'] === undefined)
    throw new Error('these tests run in namespaces of their own: start them with `npm run e2e`');
  const dir = process.env['FAIRWAY_E2E_DIR'] ?? '';
  const network = createNetwork();
  endings.push(() => network.removeAll());
  const [eastApi, westApi] = await startAll([
    startKubeApi({ name: 'east', dir, serviceCidr: '10.96.0.0/16' }),
    startKubeApi({ name: 'west', dir, serviceCidr: '10.97.0.0/16' }),
  ]);
  endings.push(() => Promise.all([eastApi.stop(), westApi.stop()]));
  const westLine = await startFaultProxy({ targetPort: westApi.port });
  endings.push(() => westLine.stop());

  await installCrds(eastApi, ['-f', crdFile]);
  const kubeconfig = join(dir, 'pilot.kubeconfig');
  writeKubeconfig(
    kubeconfig,
    {
      context: 'east',
      url: eastApi.url,
      certificateAuthority: eastApi.certificateAuthority,
      token: eastApi.pilotToken,
    },
    {
      context: 'west',
      url: `https://127.0.0.1:${westLine.port}`,
      certificateAuthority: westApi.certificateAuthority,
      token: westApi.readerToken,
    },
  );

  const xds = `${network.gateway}:${xdsPort}`;
  const east = playCluster({ name: 'east', api: eastApi, network, podPrefix: '10.10', dir, xds });
  const west = playCluster({ name: 'west', api: westApi, network, podPrefix: '10.20', dir, xds });
  endings.push(() => Promise.all([east.stop(), west.stop()]));
  const vips = await Promise.all([furnish(east), furnish(west)]);

  const launch = (extraArgs: readonly string[] = []): Promise<Pilot> => {
    const clusters = [
      '--kubeconfig',
      kubeconfig,
      '--context',
      'east',
      '--context',
      'west',
      '--namespace',
      'fairway-system',
    ];
    const args = [...clusters, '--state', join(dir, 'state'), ...extraArgs];
    return startPilot({ xds, admin: adminAddress, args, logFile: join(dir, 'pilot.log') });
  };
  const pilot = await launch();
  let current = pilot;
  endings.push(() => current.stop());

  const client = { namespace, labels: { app: 'client' }, serves: false } as const;
  const [clientEast, clientWest, clientExplicit] = await Promise.all([
    east.runPod({ ...client, name: 'client', node: 'east-1', sidecar: 'captured' }),
    west.runPod({ ...client, name: 'client', node: 'west-1', sidecar: 'captured' }),
    east.runPod({ ...client, name: 'client-explicit', node: 'east-1', sidecar: 'explicit' }),
    runReviews(east, 'v1'),
    runReviews(east, 'v2'),
    // One of them without privileges, so that both kinds of inbound are on every test's way.
    runReviews(west, 'v1', 'explicit'),
    runReviews(west, 'v2'),
  ]);

  const scene: Scene = {
    dir,
    network,
    xds,
    east,
    west,
    westLine,
    vip: { east: vips[0], west: vips[1] },
    clients: { east: clientEast, west: clientWest, explicit: clientExplicit },
    pilot,
    async startPilot(extraArgs) {
      current = await launch(extraArgs);
      scene.pilot = current;
    },
    async startLoads(ratePerS, headers = []) {
      const logFile = join(dir, `load-${loadCount++}.log`);
      const common = { ratePerS: ratePerS / 2, authority: 'reviews.shop', headers, logFile };
      const started = await Promise.all([
        startLoad({ ...common, host: scene.clients.east.host, target: `${vips[0]}:80` }),
        startLoad({ ...common, host: scene.clients.west.host, target: `${vips[1]}:80` }),
      ]);
      loads.push(...started);
      return started;
    },
    async applyRule(routes, name = 'reviews') {
      await eastApi.kubectl(['apply', '-f', '-'], JSON.stringify(trafficRule(name, routes)));
    },
    async deleteRule(name = 'reviews') {
      await eastApi.kubectl(['delete', 'trafficrule', name, '-n', namespace, '--ignore-not-found']);
    },
  };
  return scene;
}

export function runReviews(
  cluster: Cluster,
  version: string,
  sidecar: 'captured' | 'explicit' = 'captured',
  name = `reviews-${version}`,
): Promise<Pod> {
  const labels = { app: 'reviews', version };
  return cluster.runPod({ namespace, name, labels, node: `${cluster.name}-1`, sidecar });
}

export function trafficRule(name: string, routes: unknown, service = 'reviews'): unknown {
  return {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'TrafficRule',
    metadata: { name, namespace },
    spec: { service, routes },
  };
}

/** All four, as a load names them. */
export const everywhere = ['200 v1 east', '200 v2 east', '200 v1 west', '200 v2 west'];

/** Waits until each load's newest answers come from exactly these. */
export async function untilAnswersAre(
  loadsNow: readonly Load[],
  wanted: readonly string[],
  timeoutMs?: number,
): Promise<void> {
  const exactly = (answers: ReadonlyMap<string, number>): boolean =>
    answers.size === wanted.length && wanted.every((one) => answers.has(one));
  await Promise.all(loadsNow.map((load) => load.until(`answers from ${wanted.join(', ')} alone`, exactly, timeoutMs)));
}

/** Waits until the pilot says that a cluster is in a phase. */
export async function untilPhase(scene: Scene, cluster: string, phase: string, timeoutMs = 60_000): Promise<void> {
  let seen = '';
  await waitFor(
    `cluster ${cluster} to be ${phase}`,
    async () => {
      // One name may stand there twice: as it is in force, and as it was refused.
      const reports = (await scene.pilot.clusters()).filter(({ name }) => name === cluster);
      seen = JSON.stringify(reports);
      return reports.some((report) => report.phase === phase);
    },
    { timeoutMs },
    () => seen,
  );
}

async function furnish(cluster: Cluster): Promise<string> {
  await cluster.addNode(`${cluster.name}-1`, { region: `eu-${cluster.name}`, zone: `eu-${cluster.name}-a` });
  await cluster.addNamespace(namespace);
  return cluster.addService(namespace, 'reviews');
}

after(async function () {
  this.timeout(60_000);
  await making?.catch(() => undefined);
  for (const load of loads.splice(0)) await load.stop();
  for (const end of endings.reverse()) await end();
  endings = [];
});
