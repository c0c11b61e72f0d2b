/**
 * A real Kubernetes cluster in which pods run: an API with its controllers, the scheduler, one node, and a DNS server. In: a name and address
 * ranges; out: a handle. It is usable (node Ready, DNS answering) when `startCluster` returns.
 */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KubeApi, startKubeApi } from '../kubernetes/api.ts';
import { untilCrdsServed } from '../kubernetes/crds.ts';
import { type RigProcess, startProcess } from '../process.ts';
import { dnsManifests } from './dns.ts';
import { injectionManifests } from './injection.ts';
import { type NodeOptions, startNode } from './node.ts';
import type { NodeWire, Underlay } from './underlay.ts';

export interface ClusterRanges {
  readonly name: string;
  /** A /16 of IPv4, unlike any other cluster's (`10.10.0.0/16`), and maybe one of IPv6 with 16 bits or more to give. */
  readonly podCidrs: readonly string[];
  /** A /16 of IPv4, likewise (`10.96.0.0/16`), and maybe one of IPv6, a /108 at most. */
  readonly serviceCidrs: readonly string[];
  readonly region: string;
  readonly zone: string;
}

export interface ClusterOptions extends ClusterRanges {
  readonly underlay: Underlay;
  readonly dir: string;
  readonly binaries: NodeOptions['binaries'];
  readonly runtime: string;
  readonly images: string;
  /** Manifests (files or folders) that are there before anything else: CRDs. */
  readonly manifests: readonly string[];
  /** Names in `clusterset.local`; the ServiceImports' CRD must be among the manifests. */
  readonly clusterSetDns: boolean;
  /** `host:port` of the xDS that sidecars are given; without it no pod gets one. */
  readonly pilot?: string;
}

export interface RigCluster {
  readonly name: string;
  readonly api: KubeApi;
  readonly node: NodeWire;
  readonly dnsAddress: string;
  /** Runs a command in a pod's container; throws with all that it said when it fails. */
  exec(namespace: string, pod: string, command: readonly string[], container?: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startCluster(options: ClusterOptions): Promise<RigCluster> {
  const { name, underlay } = options;
  const dir = join(options.dir, name);
  mkdirSync(dir, { recursive: true });
  const stops: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const api = await startKubeApi({
      name,
      dir,
      serviceCidr: options.serviceCidrs.join(','),
      nodesReach: underlay.gateway,
    });
    stops.push(() => api.stop());
    const scheduler = await startScheduler(options.binaries.scheduler, api, dir);
    stops.push(() => scheduler.kill());
    for (const manifest of options.manifests) {
      const kustomized = existsSync(join(manifest, 'kustomization.yaml'));
      await api.kubectl(['apply', '--server-side', kustomized ? '-k' : '-f', manifest]);
    }
    if (options.manifests.length > 0) await untilCrdsServed(api);
    const wire = underlay.addNode(name, options.podCidrs);
    stops.push(() => wire.remove());
    const dnsAddress = (options.serviceCidrs[0] ?? '').replace(/\.0\/16$/, '.10');
    const node = await startNode({
      api,
      wire,
      binaries: options.binaries,
      runtime: options.runtime,
      images: options.images,
      podCidrs: options.podCidrs,
      dnsAddress,
      labels: { 'topology.kubernetes.io/region': options.region, 'topology.kubernetes.io/zone': options.zone },
      dir: join(dir, 'node'),
    });
    stops.push(() => node.kill());
    await api.kubectl(['apply', '-f', '-'], dnsManifests({ address: dnsAddress, clusterSet: options.clusterSetDns }));
    if (options.pilot !== undefined) {
      await api.kubectl(['apply', '-f', '-'], injectionManifests({ cluster: name, pilot: options.pilot }));
    }
    await api.kubectl(['rollout', 'status', '-n', 'kube-system', 'deployment/coredns', '--timeout', '50s']);
    return {
      name,
      api,
      node: wire,
      dnsAddress,
      exec(namespace, pod, command, container) {
        const where = container === undefined ? [] : ['-c', container];
        return api.kubectl(['exec', '-n', namespace, pod, ...where, '--', ...command]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/ */
function startScheduler(scheduler: string, api: KubeApi, dir: string): Promise<RigProcess> {
  const file = join(dir, 'scheduler.json');
  const config = {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    clientConnection: { kubeconfig: api.kubeconfig, qps: 200, burst: 400 },
    leaderElection: { leaderElect: false },
  };
  writeFileSync(file, JSON.stringify(config));
  return startProcess({
    name: `kube-scheduler of ${api.name}`,
    command: scheduler,
    args: [`--config=${file}`, '--secure-port=0', '--v=1'],
    logFile: join(dir, 'scheduler.log'),
  });
}
