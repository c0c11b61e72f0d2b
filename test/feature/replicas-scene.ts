/**
 * Several pilots, each a process of its own, behind one address: rules, leases and statuses in a real kube-apiserver, services in a folder (their
 * workloads are on loopback, which Kubernetes takes for no endpoint), and real Envoys that send requests all the time.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findEnvoy } from '../../src/cli/envoy-binary.ts';
import { renderBootstrap } from '../../src/envoy/bootstrap.ts';
import type { VersionReport } from '../../src/model/report.ts';
import { startEnvoyProcess } from '../rig/envoy-process.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { writeKubeconfig } from '../rig/kubernetes/kubectl.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { type ServiceAddress, startServiceAddress } from '../rig/service-address.ts';
import { pause } from '../rig/wait.ts';
import { askProxy, startHttpWorkload, type Workload } from './envoy-rig.ts';

const root = join(import.meta.dirname, '../..');
export const namespace = 'fairway-system';
const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const rules = '/apis/fairway.dev/v1alpha1/namespaces/shop/trafficrules';

export interface Replica {
  readonly pilot: Pilot;
  readonly xdsPort: number;
  readonly adminPort: number;
  version(): Promise<VersionReport>;
  /** What `fairway_pushes_total` says, in all. */
  pushes(): Promise<number>;
}

export interface Sidecar {
  readonly name: string;
  /** Which version answered, newest last; and every request that got no 200. */
  readonly answers: string[];
  readonly failures: string[];
  /** Envoy's own counters. */
  stats(names: RegExp): Promise<Readonly<Record<string, number>>>;
}

export interface ReplicasScene {
  readonly api: KubeApi;
  readonly address: ServiceAddress;
  readonly sidecars: readonly Sidecar[];
  startReplica(): Promise<Replica>;
  /** Puts `reviews` on one version, and returns once the API has it. */
  applyRule(version: string): Promise<void>;
  rule(): Promise<RuleObject>;
  /** Who writes statuses; '' when nobody does. */
  holder(): Promise<string>;
  /** Of the replicas' own leases. */
  leaseHolders(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface RuleObject {
  readonly metadata: { readonly resourceVersion: string; readonly generation: number };
  readonly status?: {
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly message: string;
      readonly observedGeneration: number;
    }[];
    readonly proxies: { readonly acknowledged: number; readonly total: number };
  };
}

export async function startReplicasScene(dir: string, sidecarCount: number): Promise<ReplicasScene> {
  const endings: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  try {
    return await make(dir, sidecarCount, endings, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function make(
  dir: string,
  sidecarCount: number,
  endings: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<ReplicasScene> {
  const api = await startKubeApi({ name: 'east', dir, controllers: false });
  endings.push(() => api.stop());
  await installCrds(api, ['-f', join(root, 'deploy/crds')]);
  await api.kubectl(['apply', '-f', join(root, 'deploy/pilot/roles.yaml')]);
  await api.kubectl(['apply', '-f', '-'], grantToPilot());
  await api.kubectl(['create', 'namespace', 'shop']);
  const kubeconfig = join(dir, 'pilot.kubeconfig');
  const { url, certificateAuthority, pilotToken: token } = api;
  writeKubeconfig(kubeconfig, { context: 'east', url, certificateAuthority, token });

  const workloads = await Promise.all([startHttpWorkload('v1'), startHttpWorkload('v2')]);
  endings.push(() => Promise.all(workloads.map((workload) => workload.stop())));
  writeCluster(join(dir, 'clusters/west'), workloads);

  const address = await startServiceAddress([]);
  endings.push(() => address.stop());
  const replicas: Replica[] = [];
  endings.push(() => Promise.all(replicas.map(({ pilot }) => pilot.kill())));
  const sidecars: Sidecar[] = [];

  const scene: ReplicasScene = {
    api,
    address,
    sidecars,
    async startReplica() {
      const [xdsPort, adminPort] = [await freePort(), await freePort()];
      const clusters = ['--clusters', join(dir, 'clusters'), '--kubeconfig', kubeconfig, '--context', 'east'];
      const pilot = await startPilot({
        xds: `127.0.0.1:${xdsPort}`,
        admin: `127.0.0.1:${adminPort}`,
        args: [...clusters, '--namespace', namespace],
        logFile: join(dir, `pilot-${xdsPort}.log`),
      });
      const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${adminPort}${path}`);
      const replica: Replica = {
        pilot,
        xdsPort,
        adminPort,
        version: async () => (await (await get('/api/v1/version')).json()) as VersionReport,
        async pushes() {
          const lines = (await (await get('/metrics')).text()).matchAll(/^fairway_pushes_total\{.*\} (\d+)$/gm);
          return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
        },
      };
      replicas.push(replica);
      return replica;
    },
    async applyRule(version) {
      const spec = { service: 'reviews', routes: [{ backends: [{ version }] }] };
      const metadata = { name: 'reviews', namespace: 'shop' };
      const rule = { apiVersion: 'fairway.dev/v1alpha1', kind: 'TrafficRule', metadata, spec };
      await api.kubectl(['apply', '-f', '-'], JSON.stringify(rule));
    },
    rule: () => api.client.must<RuleObject>('GET', `${rules}/reviews`),
    async holder() {
      const { spec } = await api.client.must<{ spec: { holderIdentity?: string } }>('GET', `${leases}/fairway-status`);
      return spec.holderIdentity ?? '';
    },
    async leaseHolders() {
      const query = `${leases}?labelSelector=fairway.dev%2Flease%3Dpilot`;
      const { items } = await api.client.must<{ items: { spec: { holderIdentity: string } }[] }>('GET', query);
      return items.map(({ spec }) => spec.holderIdentity).sort();
    },
    stop,
  };
  for (let index = 0; index < sidecarCount; index++) {
    const { sidecar, stop: stopSidecar } = await startSidecar(`client-${index}`, dir, address.port);
    sidecars.push(sidecar);
    endings.push(stopSidecar);
  }
  return scene;
}

/** The rig's user gets what deploy/pilot/roles.yaml gives the pilot's account, and nothing more of it. */
function grantToPilot(): string {
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'fairway-pilot' }];
  const bind = (kind: 'ClusterRole' | 'Role', metadata: object): object => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: `${kind}Binding`,
    metadata: { name: 'as-deployed', ...metadata },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'fairway' },
    subjects,
  });
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [bind('ClusterRole', {}), bind('Role', { namespace })],
  });
}

function writeCluster(folder: string, workloads: readonly Workload[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cluster.yaml'), 'name: west\n');
  const service =
    'apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: shop}\nspec: {ports: [{name: http, port: 80}]}\n';
  const objects = workloads.map(
    ({ name, port }) => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {version: ${name}}}
status: {phase: Running, podIP: 127.0.0.1}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: ${port}}]
endpoints: [{addresses: [127.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: ${name}, namespace: shop}}]
`,
  );
  writeFileSync(join(folder, 'reviews.yaml'), [service, ...objects].join('---\n'));
}

/** An Envoy, and a client that asks `reviews` through it, one request after the other, from its first answer on. */
async function startSidecar(
  name: string,
  dir: string,
  xdsPort: number,
): Promise<{ readonly sidecar: Sidecar; stop(): Promise<void> }> {
  const { path: command } = await findEnvoy({ env: process.env, log: () => {} });
  const [proxyPort, adminPort] = [await freePort(), await freePort()];
  const bootstrap = renderBootstrap({
    mode: 'explicit',
    xds: [`127.0.0.1:${xdsPort}`],
    cluster: 'west',
    namespace: 'shop',
    workload: name,
    serviceAccount: name,
    addresses: ['127.0.0.1'],
    adminPort,
    outbound: `127.0.0.1:${proxyPort}`,
    inboundAddress: '127.0.0.1',
  });
  const envoy = await startEnvoyProcess({ command, bootstrap, dir, name });
  const answers: string[] = [];
  const failures: string[] = [];
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      await pause(15);
      try {
        const { status, said, body } = await askProxy(proxyPort, 'reviews.shop');
        if (status === 200) answers.push(said.name);
        else if (answers.length > 0) failures.push(`${name}: ${status} ${body}`);
      } catch (error) {
        if (answers.length > 0 && !stopped) failures.push(`${name}: ${String(error)}`);
      }
    }
  })();
  return {
    sidecar: {
      name,
      answers,
      failures,
      async stats(names) {
        const text = await (await fetch(`http://127.0.0.1:${adminPort}/stats`)).text();
        const pairs = [...text.matchAll(/^(\S+): (\d+)$/gm)].filter(([, key = '']) => names.test(key));
        return Object.fromEntries(pairs.map(([, key = '', value]) => [key, Number(value)]));
      },
    },
    async stop() {
      stopped = true;
      await asking;
      await envoy.stop();
    },
  };
}

/** What a replica's log holds, for messages of failed tests. */
export function logOf({ pilot }: Replica): string {
  return readFileSync(pilot.process.logFile, 'utf8').split('\n').slice(-30).join('\n');
}
