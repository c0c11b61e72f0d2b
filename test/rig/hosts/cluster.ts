/**
 * A cluster as the rig plays it: a real Kubernetes API with its controllers, and this as its kubelets. In: what should run; out: objects in
 * the API, and for each Pod a host with a real workload and, if wanted, a real sidecar.
 *
 * What always holds: a Pod is Ready in the API only while its workload takes requests; one that is deleted goes the way of kubelets: the API
 * marks it terminating, the workload gets SIGTERM and drains, the sidecar ends after it, and then the object goes.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeApi } from '../kubernetes/api.ts';
import { mergePatch } from '../kubernetes/client.ts';
import { type RigProcess, startProcess } from '../process.ts';
import { startedOnce } from '../started.ts';
import { waitFor } from '../wait.ts';
import { type Sidecar, startSidecar } from './envoy.ts';
import type { Host, Network } from './network.ts';

const workloadProgram = join(import.meta.dirname, 'workload.ts');

/** Where workloads listen: the pod's ports, as Services target them. In explicit mode the sidecar has these and the workload +10000. */
export const podPorts = { http: 8080, h2c: 8081, tcp: 9000 } as const;
const explicitShift = 10_000;

export interface ClusterOptions {
  readonly name: string;
  readonly api: KubeApi;
  readonly network: Network;
  /** `10.10`: pods get 10.10.0.1, 10.10.0.2, … */
  readonly podPrefix: string;
  readonly dir: string;
  /** `host:port` of the pilot's xDS, as hosts reach it. */
  readonly xds: string;
}

export interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** One of `addNode`. */
  readonly node: string;
  readonly sidecar: 'captured' | 'explicit' | 'none';
  /** Default true; a client has nothing to serve. */
  readonly serves?: boolean;
  /** How long the workload goes on serving after SIGTERM; default 2000. */
  readonly drainMs?: number;
}

export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly host: Host;
  readonly sidecar: Sidecar | undefined;
  /** As `kubectl delete pod` and a kubelet together do; resolves when the object is gone. */
  delete(): Promise<void>;
  /** Ends its processes at once and leaves the object. */
  kill(): Promise<void>;
}

export interface Cluster {
  readonly name: string;
  readonly api: KubeApi;
  readonly pods: ReadonlyMap<string, Pod>;
  addNode(name: string, locality: { readonly region: string; readonly zone: string }): Promise<void>;
  addNamespace(name: string): Promise<void>;
  /** A ClusterIP service with `podPorts` under 80 (http), 81 (grpc) and 9000 (tcp). Returns its cluster IP. */
  addService(namespace: string, name: string): Promise<string>;
  runPod(options: PodOptions): Promise<Pod>;
  stop(): Promise<void>;
}

export function playCluster(options: ClusterOptions): Cluster {
  const { client } = options.api;
  const pods = new Map<string, Pod>();
  let lastAddress = 0;
  return {
    name: options.name,
    api: options.api,
    pods,
    async addNode(name, { region, zone }) {
      const labels = {
        'topology.kubernetes.io/region': region,
        'topology.kubernetes.io/zone': zone,
        'kubernetes.io/hostname': name,
      };
      await client.must('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
      await client.must(
        'PATCH',
        `/api/v1/nodes/${name}/status`,
        { status: { conditions: [condition('Ready')] } },
        mergePatch,
      );
    },
    async addNamespace(name) {
      await client.must('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      // Pods are refused until the controller has made it.
      await waitFor(`service account ${name}/default in ${options.name}`, async () => {
        return (await client.request('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`)).status === 200;
      });
    },
    async addService(namespace, name) {
      const ports = [
        { name: 'http', port: 80, targetPort: podPorts.http },
        { name: 'grpc', port: 81, targetPort: podPorts.h2c, appProtocol: 'kubernetes.io/h2c' },
        { name: 'tcp', port: 9000, targetPort: podPorts.tcp },
      ];
      const service = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector: { app: name }, ports },
      };
      const made = await client.must<{ readonly spec: { readonly clusterIP: string } }>(
        'POST',
        `/api/v1/namespaces/${namespace}/services`,
        service,
      );
      return made.spec.clusterIP;
    },
    async runPod(podOptions) {
      lastAddress++;
      const address = `${options.podPrefix}.${lastAddress >> 8}.${lastAddress & 255}`;
      const pod = await runPod(options, podOptions, address, (gone) => {
        if (pods.get(podOptions.name) === gone) pods.delete(podOptions.name);
      });
      pods.set(podOptions.name, pod);
      return pod;
    },
    async stop() {
      await Promise.all([...pods.values()].map((pod) => pod.kill()));
      pods.clear();
    },
  };
}

async function runPod(
  cluster: ClusterOptions,
  options: PodOptions,
  address: string,
  onGone: (pod: Pod) => void,
): Promise<Pod> {
  const { namespace, name } = options;
  const { client } = cluster.api;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const dir = join(cluster.dir, `${cluster.name}-${name}`);
  mkdirSync(dir, { recursive: true });
  await client.must('POST', `/api/v1/namespaces/${namespace}/pods`, podObject(options));
  const host = cluster.network.addHost(`${cluster.name}-${name}`, address);
  const patchStatus = async (ready: boolean): Promise<void> => {
    await client.must('PATCH', `${path}/status`, { status: podStatus(address, ready) }, mergePatch);
  };
  await patchStatus(false);

  if (options.sidecar === 'captured') host.capture();
  const workload = options.serves === false ? undefined : await startWorkload(cluster, options, host, dir);
  let sidecar: Sidecar | undefined;
  try {
    sidecar = options.sidecar === 'none' ? undefined : await startPodSidecar(cluster, options, host, dir);
    await sidecar?.waitReady();
    await patchStatus(true);
  } catch (error) {
    await Promise.all([workload?.kill(), sidecar?.process.kill()]);
    throw error;
  }

  const end = async (): Promise<void> => {
    host.remove();
    onGone(pod);
  };
  const pod: Pod = {
    name,
    namespace,
    host,
    sidecar,
    async delete() {
      await client.must('DELETE', path, { gracePeriodSeconds: 30 });
      await workload?.stop(20_000);
      await sidecar?.stop();
      await client.must('DELETE', path, { gracePeriodSeconds: 0 });
      await end();
    },
    async kill() {
      await Promise.all([workload?.kill(), sidecar?.process.kill()]);
      await end();
    },
  };
  return pod;
}

async function startWorkload(
  cluster: ClusterOptions,
  options: PodOptions,
  host: Host,
  dir: string,
): Promise<RigProcess> {
  const behindSidecar = options.sidecar === 'explicit';
  const shift = behindSidecar ? explicitShift : 0;
  const args = [workloadProgram, '--address', behindSidecar ? '127.0.0.1' : '0.0.0.0'];
  args.push(
    '--http',
    String(podPorts.http + shift),
    '--h2c',
    String(podPorts.h2c + shift),
    '--tcp',
    String(podPorts.tcp + shift),
  );
  args.push('--version-label', options.labels['version'] ?? '', '--cluster', cluster.name, '--pod', options.name);
  args.push('--drain-ms', String(options.drainMs ?? 2000));
  let listening = false;
  const child = await startProcess({
    name: `workload ${options.name} in ${cluster.name}`,
    command: process.execPath,
    args,
    wrapper: host.enter,
    logFile: join(dir, 'workload.log'),
    onLine: (line) => {
      listening ||= line.startsWith('{"listening":true');
    },
  });
  await startedOnce(
    child,
    waitFor(
      child.name,
      () => listening,
      {},
      () => child.logTail(),
    ),
  );
  return child;
}

function startPodSidecar(cluster: ClusterOptions, options: PodOptions, host: Host, dir: string): Promise<Sidecar> {
  const inbound = (Object.entries({ http: 'http', h2c: 'http2', tcp: 'tcp' }) as [keyof typeof podPorts, string][]).map(
    ([port, protocol]) => `${podPorts[port]}:${podPorts[port] + explicitShift}:${protocol}`,
  );
  const explicit = options.sidecar === 'explicit';
  return startSidecar({
    host,
    dir,
    bootstrap: {
      mode: explicit ? 'explicit' : 'captured',
      xds: [cluster.xds],
      cluster: cluster.name,
      namespace: options.namespace,
      workload: options.name,
      serviceAccount: 'default',
      addresses: [host.address],
      ...(explicit && options.serves !== false ? { inbound } : {}),
    },
  });
}

function podObject(options: PodOptions): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: options.name, labels: options.labels },
    spec: {
      nodeName: options.node,
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: 'workload',
          image: 'rig/workload',
          ports: Object.values(podPorts).map((containerPort) => ({ containerPort })),
        },
      ],
    },
  };
}

/** What a kubelet writes; https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions */
function podStatus(address: string, ready: boolean): unknown {
  const conditions = ['PodScheduled', 'Initialized'].map((type) => condition(type));
  const state = { running: { startedAt: new Date().toISOString() } };
  const container = {
    name: 'workload',
    ready,
    started: true,
    restartCount: 0,
    image: 'rig/workload',
    imageID: 'rig/workload',
    state,
  };
  return {
    phase: 'Running',
    hostIP: '10.0.0.1',
    podIP: address,
    podIPs: [{ ip: address }],
    conditions: [...conditions, condition('ContainersReady', ready), condition('Ready', ready)],
    containerStatuses: [container],
  };
}

function condition(type: string, holds = true): unknown {
  return { type, status: holds ? 'True' : 'False', lastTransitionTime: new Date().toISOString() };
}
