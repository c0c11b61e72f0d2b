/** For the tests of the Kubernetes registry: a sink that keeps what it is told, objects, and quick settings. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { Finding } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { ClusterState } from '../../src/model/cluster.ts';
import type { ClusterSnapshot, NamespaceShard, ServiceKey, ServiceShard } from '../../src/model/service.ts';
import { readKubeconfig, trustAll } from '../../src/registry/kube/access.ts';
import {
  defaultKubeSourceSettings,
  type KubeSourceSettings,
  type KubeSourceStats,
  kubeSource,
} from '../../src/registry/kube/cluster-source.ts';
import type { ClusterSink, ClusterSource } from '../../src/registry/source.ts';
import type { KubeApi } from '../rig/kubernetes/api.ts';

/** The same as the defaults, in a hurry. */
export const quickSettings: KubeSourceSettings = {
  ...defaultKubeSourceSettings,
  watch: {
    ...defaultKubeSourceSettings.watch,
    list: { page: 3, items: 100_000 },
    backoff: { firstMs: 20, maxMs: 200 },
    refusedRetryMs: 200,
    emptyConfirmMs: 100,
    settleMs: 50,
  },
  probeMs: 200,
  probeAnswerMs: 500,
  graceMs: 200,
};

/** Holds what a source has said, as the inventory would, and all that it said on the way. */
export class RecordingSink implements ClusterSink {
  readonly states: ClusterState[] = [];
  readonly services = new Map<ServiceKey, ServiceShard>();
  readonly namespaces = new Map<string, NamespaceShard>();
  /** Every removal of a service, in order. */
  readonly removed: ServiceKey[] = [];
  lastFindings: readonly Finding[] = [];
  syncs = 0;
  changes = 0;
  snapshot: ClusterSnapshot | undefined;

  state(state: ClusterState): void {
    this.states.push(state);
  }

  sync(snapshot: ClusterSnapshot): void {
    this.syncs += 1;
    this.snapshot = snapshot;
    this.services.clear();
    for (const [key, shard] of snapshot.services) this.services.set(key, shard);
    for (const [name, shard] of snapshot.namespaces) this.namespaces.set(name, shard);
  }

  change(change: Parameters<ClusterSink['change']>[0]): void {
    this.changes += 1;
    for (const [key, shard] of change.services) {
      if (shard !== undefined) this.services.set(key, shard);
      else {
        this.services.delete(key);
        this.removed.push(key);
      }
    }
    for (const [name, shard] of change.namespaces) {
      if (shard === undefined) this.namespaces.delete(name);
      else this.namespaces.set(name, shard);
    }
  }

  findings(findings: readonly Finding[]): void {
    this.lastFindings = findings;
  }

  get phase(): string {
    return this.states.at(-1)?.phase ?? 'none';
  }

  get problem(): ClusterState['problem'] {
    return this.states.at(-1)?.problem;
  }

  addresses(key: ServiceKey): readonly string[] {
    return (this.services.get(key)?.endpoints ?? []).map(({ address }) => address);
  }

  /** For messages of waits. */
  readonly describe = (): string =>
    JSON.stringify({ phase: this.phase, problem: this.problem, services: [...this.services.keys()] });
}

export interface Running {
  readonly sink: RecordingSink;
  readonly source: ClusterSource;
  stats(): KubeSourceStats;
}

/** Starts reading a cluster as its kubeconfig file says. */
export function startSource(
  kubeconfigFile: string,
  name: string,
  settings: KubeSourceSettings = quickSettings,
): Running {
  return startSourceOf(readFileSync(kubeconfigFile, 'utf8'), name, settings);
}

export function startSourceOf(
  kubeconfig: string,
  name: string,
  settings: KubeSourceSettings = quickSettings,
  clock: Clock = systemClock,
): Running {
  const sink = new RecordingSink();
  let stats: () => KubeSourceStats = () => {
    throw new Error('not observed');
  };
  const source = kubeSource({
    access: readKubeconfig(kubeconfig, { trust: trustAll, where: {} }),
    place: { name, network: '', locality: { region: '', zone: '', subzone: '' }, origin: 'test' },
    clock,
    logger: silentLogger,
    settings,
    observe: (given) => {
      stats = given;
    },
  })(sink);
  return { sink, source, stats: () => stats() };
}

/** Made when it is first asked for, so that a suite that is loaded and not run leaves nothing. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  let made: string | undefined;
  return {
    get path() {
      made ??= mkdtempSync(join(tmpdir(), 'fairway-kube-'));
      return made;
    },
    remove() {
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}

export function serviceObject(namespace: string, name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
}

export function sliceObject(
  namespace: string,
  service: string,
  name: string,
  addresses: readonly string[],
  pods = false,
): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true },
      ...(pods ? { targetRef: { kind: 'Pod', namespace, name: `${service}-${address.replaceAll('.', '-')}` } } : {}),
    })),
  };
}

export function podObject(namespace: string, name: string, labels: object, nodeName?: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels },
    spec: { containers: [{ name: 'main', image: 'none' }], ...(nodeName === undefined ? {} : { nodeName }) },
  };
}

export async function ensureNamespace(api: KubeApi, name: string): Promise<void> {
  const { status } = await api.client.request('POST', '/api/v1/namespaces', { metadata: { name } });
  if (status !== 201 && status !== 409) throw new Error(`namespace ${name}: ${status}`);
}
