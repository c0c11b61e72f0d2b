/**
 * A node: the real kubelet and the real kube-proxy over the rig's own container runtime (test/rig/node), in a network namespace. In: its API and
 * its wire; out: a process. It is Ready in the API when `startNode` returns.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeApi } from '../kubernetes/api.ts';
import type { NodeBinaries } from '../kubernetes/binaries.ts';
import { findProgram, type RigProcess, startProcess } from '../process.ts';
import { startedOnce } from '../started.ts';
import { waitFor } from '../wait.ts';
import type { NodeWire } from './underlay.ts';

export interface NodeOptions {
  readonly api: KubeApi;
  readonly wire: NodeWire;
  readonly binaries: NodeBinaries;
  /** The rig's runtime, built. */
  readonly runtime: string;
  /** The table of images, a JSON file. */
  readonly images: string;
  /** One for each family of addresses. */
  readonly podCidrs: readonly string[];
  readonly dnsAddress: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Logs and settings, in a folder of its own. */
  readonly dir: string;
}

/** What the kubelet would set on the whole machine; it is shown these values instead. */
const shownSysctls = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

export async function startNode(options: NodeOptions): Promise<RigProcess> {
  const { api, wire, binaries, dir } = options;
  mkdirSync(dir, { recursive: true });
  const file = (name: string): string => join(dir, name);
  const state = `/run/rig/${wire.name}`;
  const socket = `${state}/runtime.sock`;
  writeFileSync(file('kubelet.json'), JSON.stringify(kubeletConfig(options, socket), null, 2));
  writeFileSync(file('kube-proxy.json'), JSON.stringify(proxyConfig(options), null, 2));
  const labels = Object.entries(options.labels).map(([key, value]) => `${key}=${value}`);
  const kubelet = [binaries.kubelet, `--config=${file('kubelet.json')}`, `--kubeconfig=${api.kubeconfig}`];
  kubelet.push(
    `--node-ip=${wire.addresses.join(',')}`,
    `--hostname-override=${wire.name}`,
    `--node-labels=${labels.join(',')}`,
  );
  const config = {
    socket,
    state,
    images: options.images,
    podCIDRs: options.podCidrs,
    sysctls: shownSysctls,
    children: [
      { command: kubelet, log: file('kubelet.log') },
      { command: [binaries.kubeProxy, `--config=${file('kube-proxy.json')}`], log: file('kube-proxy.log') },
    ],
  };
  writeFileSync(file('node.json'), JSON.stringify(config, null, 2));
  const node = await startProcess({
    name: `node ${wire.name}`,
    command: options.runtime,
    args: [file('node.json')],
    wrapper: [...wire.enter, findProgram('unshare') ?? 'unshare', '--mount'],
    logFile: file('node.log'),
  });
  const ready = waitFor(`${node.name} to be Ready`, () => isReady(options), { timeoutMs: 90_000, intervalMs: 200 });
  await startedOnce(node, ready);
  return node;
}

interface NodeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  readonly spec?: { readonly taints?: readonly unknown[] };
}

/** Also without the taint that new nodes have until a controller has seen them ready. */
async function isReady({ api, wire }: NodeOptions): Promise<boolean> {
  const { status, body } = await api.client.request('GET', `/api/v1/nodes/${wire.name}`);
  if (status !== 200) return false;
  const node = body as NodeObject;
  const ready = node.status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True');
  return ready === true && (node.spec?.taints ?? []).length === 0;
}

/** https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
function kubeletConfig({ wire, dnsAddress, dir }: NodeOptions, socket: string): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: wire.addresses[0],
    containerRuntimeEndpoint: `unix://${socket}`,
    // Only what is in these namespaces reaches it.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    resolvConf: '',
    podLogsDir: join(dir, 'pods'),
    volumePluginDir: join(dir, 'volume-plugins'),
    // Nothing is limited, measured or evicted.
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    cgroupDriver: 'cgroupfs',
    localStorageCapacityIsolation: false,
    evictionHard: { 'memory.available': '1Mi' },
    imageGCHighThresholdPercent: 100,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    maxPods: 250,
    registerWithTaints: [],
    serializeImagePulls: false,
    healthzPort: 0,
    nodeStatusUpdateFrequency: '5s',
    syncFrequency: '5s',
    // A crash is seen to be backed off, and still within a test's time.
    crashLoopBackOff: { maxContainerRestartPeriod: '10s' },
    logging: { verbosity: 2 },
  };
}

/** https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/ */
function proxyConfig({ api, wire, podCidrs }: NodeOptions): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: api.kubeconfig },
    hostnameOverride: wire.name,
    clusterCIDR: podCidrs.join(','),
    bindAddress: '0.0.0.0',
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    // The machine's own settings stay.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}
