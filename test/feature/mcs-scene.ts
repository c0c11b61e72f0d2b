/**
 * Clusters of real APIs with the Multi-Cluster Services API, and a pilot that writes imports into them: what tests of exports say and ask. Endpoints
 * are written by the test, as there are no nodes.
 */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { writeKubeconfig } from '../rig/kubernetes/kubectl.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { standardCrds } from '../rig/standards.ts';
import { startAll } from '../rig/started.ts';
import { waitFor } from '../rig/wait.ts';

const root = join(import.meta.dirname, '../..');

export type Plain = Readonly<Record<string, unknown>>;

export interface ImportView {
  readonly metadata: { readonly uid: string; readonly labels?: Plain; readonly annotations?: Plain };
  readonly spec: Plain & {
    readonly type: string;
    readonly ports: readonly Plain[];
    readonly ips?: readonly string[];
    readonly ipFamilies?: readonly string[];
  };
  readonly status?: {
    readonly clusters?: readonly { readonly cluster: string }[];
    readonly conditions?: readonly Plain[];
  };
}

export interface SliceView {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly Plain[];
  };
  readonly endpoints: readonly { readonly addresses: readonly string[]; readonly hostname?: string }[];
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

/** As deploy/ says, for the rig's users instead of the service account. */
export function forUser(file: string, user: string): string {
  return readFileSync(join(root, 'deploy/remote', file), 'utf8').replaceAll(
    '- {kind: ServiceAccount, name: fairway-reader, namespace: fairway-system}',
    `- {kind: User, apiGroup: rbac.authorization.k8s.io, name: ${user}}`,
  );
}

export class McsCluster {
  readonly api: KubeApi;

  constructor(api: KubeApi) {
    this.api = api;
  }

  get name(): string {
    return this.api.name;
  }

  async apply(...objects: readonly Plain[]): Promise<void> {
    await this.api.kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  }

  async delete(kind: string, namespace: string, name: string): Promise<void> {
    await this.api.kubectl(['delete', kind, name, '-n', namespace, '--wait=false']);
  }

  /** undefined: it is not there. */
  async get<T>(path: string): Promise<T | undefined> {
    const { status, body } = await this.api.client.request('GET', path);
    return status === 404 ? undefined : (body as T);
  }

  imported(namespace: string, name: string, version = 'v1beta1'): Promise<ImportView | undefined> {
    return this.get(`/apis/multicluster.x-k8s.io/${version}/namespaces/${namespace}/serviceimports/${name}`);
  }

  async slices(namespace: string, name: string): Promise<readonly SliceView[]> {
    const selector = encodeURIComponent(`multicluster.kubernetes.io/service-name=${name}`);
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${selector}`;
    return (await this.get<{ items: readonly SliceView[] }>(path))?.items ?? [];
  }

  /** `source address…` of each imported slice, sorted. */
  async sources(namespace: string, name: string): Promise<readonly string[]> {
    return (await this.slices(namespace, name))
      .flatMap(({ metadata, endpoints }) =>
        endpoints.map(
          ({ addresses }) => `${metadata.labels['multicluster.kubernetes.io/source-cluster']} ${addresses[0]}`,
        ),
      )
      .sort();
  }

  async derived(namespace: string): Promise<readonly { readonly metadata: Plain; readonly spec: Plain }[]> {
    const selector = encodeURIComponent('app.kubernetes.io/managed-by=fairway-mcs');
    const path = `/api/v1/namespaces/${namespace}/services?labelSelector=${selector}`;
    return (await this.get<{ items: readonly { metadata: Plain; spec: Plain }[] }>(path))?.items ?? [];
  }

  /** `Valid=True Valid`, in the order of their types. */
  async conditions(namespace: string, name: string, version = 'v1beta1'): Promise<readonly string[]> {
    const path = `/apis/multicluster.x-k8s.io/${version}/namespaces/${namespace}/serviceexports/${name}`;
    const object = await this.get<{ status?: { conditions?: readonly Plain[] } }>(path);
    return (object?.status?.conditions ?? [])
      .map(({ type, status, reason }) => `${String(type)}=${String(status)} ${String(reason)}`)
      .sort();
  }
}

/** As the conformance suite of the standard has it. */
export function helloService(namespace: string, spec: Plain = {}, metadata: Plain = {}): Plain {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name: 'hello', labels: { own: 'label' }, annotations: { own: 'annotation' }, ...metadata },
    spec: {
      ports: [
        { name: 'tcp', port: 42, protocol: 'TCP' },
        { name: 'udp', port: 42, protocol: 'UDP' },
      ],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
      ...spec,
    },
  };
}

export function helloExport(namespace: string, spec: Plain = {}, version = 'v1beta1'): Plain {
  return {
    apiVersion: `multicluster.x-k8s.io/${version}`,
    kind: 'ServiceExport',
    metadata: { namespace, name: 'hello' },
    spec,
  };
}

export function helloSlice(namespace: string, addresses: readonly string[], more: Plain = {}): Plain {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: 'hello-own', labels: { 'kubernetes.io/service-name': 'hello' } },
    addressType: 'IPv4',
    ports: [
      { name: 'tcp', port: 8042, protocol: 'TCP' },
      { name: 'udp', port: 8042, protocol: 'UDP' },
    ],
    endpoints: addresses.map((address, index) => ({
      addresses: [address],
      conditions: { ready: true },
      hostname: `hello-${index}`,
    })),
    ...more,
  };
}

export interface McsSceneOptions {
  readonly dir: string;
  readonly clusters?: readonly string[];
  readonly controllers?: boolean;
  /** More of `fairway serve`. */
  readonly args?: readonly string[];
  /** Those that get the standard's CRDs; left out: all. */
  readonly withCrds?: readonly string[];
}

export class McsScene {
  readonly #options: McsSceneOptions;
  clusters: readonly McsCluster[] = [];
  #pilot: Pilot | undefined;
  #namespaces = 0;

  constructor(options: McsSceneOptions) {
    this.#options = options;
  }

  get pilot(): Pilot {
    if (this.#pilot === undefined) throw new Error('no pilot runs');
    return this.#pilot;
  }

  cluster(name: string): McsCluster {
    const found = this.clusters.find((cluster) => cluster.name === name);
    if (found === undefined) throw new Error(`no cluster ${name}`);
    return found;
  }

  async start(): Promise<void> {
    const { dir, clusters = ['east', 'west'], controllers = false, withCrds = clusters } = this.#options;
    const apis = await startAll(
      clusters.map((name, index) => {
        const own = join(dir, name);
        mkdirSync(own, { recursive: true });
        return startKubeApi({ name, dir: own, controllers, serviceCidr: `10.${96 + index}.0.0/16` });
      }),
    );
    this.clusters = apis.map((api) => new McsCluster(api));
    const crds = standardCrds('mcs');
    await Promise.all(
      apis.map(async (api, index) => {
        const own = index === 0 ? ['-f', join(root, 'deploy/crds')] : [];
        const standard = withCrds.includes(api.name) ? ['-f', crds] : [];
        if (standard.length + own.length > 0) await installCrds(api, [...standard, ...own]);
        await api.kubectl(['apply', '-f', '-'], forUser('mcs.yaml', index === 0 ? 'fairway-pilot' : 'fairway-reader'));
      }),
    );
    await this.startPilot();
  }

  /** `clusters`: those that are registered. */
  async startPilot(more: readonly string[] = ['--mcs'], clusters = this.clusters): Promise<void> {
    const { dir } = this.#options;
    const kubeconfig = join(dir, 'pilot.kubeconfig');
    const users = this.clusters.map(({ api }, index) => ({
      context: api.name,
      url: api.url,
      certificateAuthority: api.certificateAuthority,
      token: index === 0 ? api.pilotToken : api.readerToken,
    }));
    writeKubeconfig(kubeconfig, ...users);
    this.#pilot = await this.#start(kubeconfig, 'pilot.log', more, clusters);
  }

  /** Beside the first, with the same rights; stopped by the caller. */
  secondPilot(): Promise<Pilot> {
    return this.#start(join(this.#options.dir, 'pilot.kubeconfig'), 'second.log', ['--mcs']);
  }

  async #start(kubeconfig: string, log: string, more: readonly string[], clusters = this.clusters): Promise<Pilot> {
    const { dir, args = [] } = this.#options;
    return startPilot({
      xds: `127.0.0.1:${await freePort()}`,
      admin: `127.0.0.1:${await freePort()}`,
      args: ['--kubeconfig', kubeconfig, ...clusters.flatMap(({ name }) => ['--context', name]), ...args, ...more],
      logFile: join(dir, log),
    });
  }

  async stopPilot(): Promise<void> {
    await this.#pilot?.stop();
    this.#pilot = undefined;
  }

  /** A namespace of its own in every cluster. */
  async namespace(clusters: readonly McsCluster[] = this.clusters): Promise<string> {
    this.#namespaces += 1;
    const name = `mcs-${this.#namespaces}`;
    for (const { api } of clusters) await api.kubectl(['create', 'namespace', name]);
    return name;
  }

  /** Waits for a condition; on the way out the log's end tells why not. */
  async until(what: string, condition: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
    await waitFor(what, condition, { timeoutMs }, () => this.#pilot?.process.logTail(12) ?? '');
  }

  /** Findings of a cluster, by code. */
  async findings(cluster: string): Promise<readonly string[]> {
    const report = (await this.pilot.clusters()).find(({ name }) => name === cluster);
    return (report?.findings ?? []).map(({ code }) => code);
  }

  metric(name: string, outcome: string): Promise<number> {
    return metricOf(this.pilot, name, outcome);
  }

  async stop(): Promise<void> {
    await this.stopPilot();
    await Promise.all(this.clusters.map(({ api }) => api.stop()));
  }
}

export async function metricOf(pilot: Pilot, name: string, outcome: string): Promise<number> {
  const { admin } = pilot.ready as { readonly admin: string };
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name}{outcome="${outcome}"}`));
  return line === undefined ? 0 : Number(line.split(' ').at(-1));
}
