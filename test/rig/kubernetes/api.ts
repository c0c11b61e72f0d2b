/**
 * A real Kubernetes API on loopback: etcd, kube-apiserver and, if wanted, kube-controller-manager. In: a name and a folder; out: a handle.
 *
 * Alone it has no kubelets: Nodes and Pods are objects, and who plays the kubelet writes their status. The controllers that would miss
 * kubelets (node lifecycle, pod garbage collection) stay off, so what a test makes usable stays usable. With `nodesReach` real ones join it.
 * What always holds: everything lies in the folder given, listens on loopback, and ends with this process.
 */

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../ports.ts';
import { type RigProcess, startProcess } from '../process.ts';
import { waitFor } from '../wait.ts';
import { findKubernetes, type KubernetesBinaries } from './binaries.ts';
import { type ApiClient, connectApi, listens, readCertificateAuthority } from './client.ts';
import { controllersAlone, controllersWithNodes } from './controllers.ts';
import { type Kubectl, type KubectlResult, kubectlRunner, writeKubeconfig } from './kubectl.ts';
import { pilotRoles } from './pilot-roles.ts';

export interface KubeApiOptions {
  /** Also the name of the kubeconfig's context. */
  readonly name: string;
  /** An existing folder, its own for this API; removed by the caller. */
  readonly dir: string;
  /** Default true: endpoint slices, namespaces, service accounts and garbage collection are handled. */
  readonly controllers?: boolean;
  /** Default: a free one. */
  readonly port?: number;
  /** Default 10.96.0.0/16. */
  readonly serviceCidr?: string;
  /** What the API calls itself in its certificate; default 127.0.0.1, where it listens in any case. */
  readonly advertise?: string;
  /**
   * For a cluster with real nodes: an address of this host under which they and their pods reach this API (`url` then names it), and
   * all controllers that workloads need. Default: none.
   */
  readonly nodesReach?: string;
}

export interface KubeApi {
  readonly name: string;
  /** `https://127.0.0.1:PORT`, or the same at the address for nodes. */
  readonly url: string;
  readonly port: number;
  /** Of a cluster administrator. */
  readonly token: string;
  /** Of the user `fairway-reader`, who may get, list and watch what a pilot reads, and nothing else. */
  readonly readerToken: string;
  /** Of the user `fairway-pilot`, who may also do what a pilot does in its primary cluster. */
  readonly pilotToken: string;
  /** PEM. */
  readonly certificateAuthority: string;
  /** A file for the administrator, with one context named after this API. */
  readonly kubeconfig: string;
  readonly readerKubeconfig: string;
  readonly pids: { readonly etcd: number; readonly apiserver: number; readonly controllerManager: number | undefined };
  /** As the administrator. Throws when kubectl fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** The same, without throwing. */
  tryKubectl(args: readonly string[], input?: string): Promise<KubectlResult>;
  /** Plain requests as the administrator, over kept connections: cheap for thousands of objects. */
  readonly client: ApiClient;
  /** SIGKILL to kube-apiserver (and its controllers); etcd keeps the data. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Starts kube-apiserver (and controllers) again, on the same port and data, and waits until it is ready. */
  restart(): Promise<void>;
  /** Drops etcd's history up to now, so that a watch that resumes from before gets 410. Returns the revision. */
  compact(): Promise<number>;
  /** Ends everything. */
  stop(): Promise<void>;
}

/** Starts an API and waits until it is ready and holds the namespace `default`: about 5 s. */
export async function startKubeApi(options: KubeApiOptions): Promise<KubeApi> {
  const binaries = await findKubernetes();
  for (let attempt = 1; ; attempt++) {
    const api = new LocalKubeApi(
      options,
      binaries,
      options.port ?? (await freePort()),
      await freePort(),
      await freePort(),
    );
    try {
      await api.start();
      return api;
    } catch (error) {
      await api.stop();
      // Another process may take a port between the look and the use.
      const portTaken = String(error).includes('address already in use');
      if (!portTaken || attempt >= 3 || options.port !== undefined) throw error;
    }
  }
}

class LocalKubeApi implements KubeApi {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly token = randomBytes(16).toString('hex');
  readonly readerToken = randomBytes(16).toString('hex');
  readonly pilotToken = randomBytes(16).toString('hex');
  readonly kubeconfig: string;
  readonly readerKubeconfig: string;
  certificateAuthority = '';
  client!: ApiClient;
  readonly #options: KubeApiOptions;
  readonly #binaries: KubernetesBinaries;
  readonly #dir: string;
  readonly #etcdPort: number;
  readonly #etcdPeerPort: number;
  readonly #kubectl: Kubectl;
  #etcd: RigProcess | undefined;
  #apiserver: RigProcess | undefined;
  #controllers: RigProcess | undefined;

  constructor(
    options: KubeApiOptions,
    binaries: KubernetesBinaries,
    port: number,
    etcdPort: number,
    etcdPeerPort: number,
  ) {
    this.#options = options;
    this.#binaries = binaries;
    this.#etcdPort = etcdPort;
    this.#etcdPeerPort = etcdPeerPort;
    this.#dir = join(options.dir, `api-${port}`);
    this.name = options.name;
    this.port = port;
    this.url = `https://${options.nodesReach ?? '127.0.0.1'}:${port}`;
    this.kubeconfig = join(this.#dir, 'admin.kubeconfig');
    this.readerKubeconfig = join(this.#dir, 'reader.kubeconfig');
    this.#kubectl = kubectlRunner(binaries.kubectl, this.kubeconfig, join(this.#dir, 'kubectl-cache'));
  }

  get pids(): KubeApi['pids'] {
    return {
      etcd: this.#etcd?.pid ?? 0,
      apiserver: this.#apiserver?.pid ?? 0,
      controllerManager: this.#controllers?.pid,
    };
  }

  async start(): Promise<void> {
    mkdirSync(this.#dir, { recursive: true });
    this.#writeSecrets();
    await this.#startEtcd();
    await this.#startApiserver();
    this.certificateAuthority = await readCertificateAuthority(join(this.#dir, 'certs', 'apiserver.crt'));
    const reach = { context: this.name, url: this.url, certificateAuthority: this.certificateAuthority };
    writeKubeconfig(this.kubeconfig, { ...reach, token: this.token });
    writeKubeconfig(this.readerKubeconfig, { ...reach, token: this.readerToken });
    this.client = connectApi({ url: this.url, certificateAuthority: this.certificateAuthority, token: this.token });
    await this.#waitReady();
    await this.#startControllers();
    await this.kubectl(
      ['apply', '-f', '-'],
      pilotRoles({ reader: 'fairway-reader', pilot: 'fairway-pilot', namespace: 'fairway-system' }),
    );
    if (this.#options.controllers !== false) {
      await waitFor(`service account default in ${this.name}`, async () => {
        return (await this.client.request('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200;
      });
    }
  }

  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const result = await this.#kubectl(args, input);
    if (result.code !== 0)
      throw new Error(`kubectl --context ${this.name} ${args.join(' ')}: exit ${result.code}\n${result.stderr}`);
    return result.stdout;
  }

  tryKubectl(args: readonly string[], input?: string): Promise<KubectlResult> {
    return this.#kubectl(args, input);
  }

  async kill(): Promise<void> {
    await Promise.all([this.#controllers?.kill(), this.#apiserver?.kill()]);
  }

  pause(): void {
    this.#apiserver?.signal('SIGSTOP');
  }

  resume(): void {
    this.#apiserver?.signal('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.#startApiserver();
    await this.#waitReady();
    await this.#startControllers();
  }

  async compact(): Promise<number> {
    const status = await this.#etcdCall('/v3/maintenance/status', {});
    const revision = Number((status['header'] as { revision: string }).revision);
    await this.#etcdCall('/v3/kv/compaction', { revision, physical: true });
    return revision;
  }

  async stop(): Promise<void> {
    this.client?.close();
    await Promise.all([this.#controllers?.kill(), this.#apiserver?.kill(), this.#etcd?.kill()]);
  }

  async #etcdCall(path: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`http://127.0.0.1:${this.#etcdPort}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`etcd ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }

  #writeSecrets(): void {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(this.#dir, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(join(this.#dir, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const reader = `${this.readerToken},fairway-reader,fairway-reader`;
    const tokens = `${this.token},admin,admin,"system:masters"\n${reader}\n${this.pilotToken},fairway-pilot,fairway-pilot\n`;
    writeFileSync(join(this.#dir, 'tokens.csv'), tokens, { mode: 0o600 });
  }

  async #startEtcd(): Promise<void> {
    const listen = `http://127.0.0.1:${this.#etcdPort}`;
    const peer = `http://127.0.0.1:${this.#etcdPeerPort}`;
    const args = [
      '--name=etcd',
      `--data-dir=${join(this.#dir, 'etcd')}`,
      '--unsafe-no-fsync',
      '--logger=zap',
      '--log-level=warn',
    ];
    args.push(`--listen-client-urls=${listen}`, `--advertise-client-urls=${listen}`, `--listen-peer-urls=${peer}`);
    args.push(
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=etcd=${peer}`,
      '--quota-backend-bytes=4294967296',
    );
    const logFile = join(this.#dir, 'etcd.log');
    this.#etcd = await startProcess({ name: `etcd of ${this.name}`, command: this.#binaries.etcd, args, logFile });
    await this.#waitHttp(this.#etcd, async () => {
      return (await fetch(`${listen}/health`, { signal: AbortSignal.timeout(2000) })).ok;
    });
  }

  async #startApiserver(): Promise<void> {
    const file = (name: string): string => join(this.#dir, name);
    const args = [
      `--etcd-servers=http://127.0.0.1:${this.#etcdPort}`,
      `--bind-address=${this.#options.nodesReach === undefined ? '127.0.0.1' : '0.0.0.0'}`,
      `--secure-port=${this.port}`,
    ];
    args.push(
      `--advertise-address=${this.#options.nodesReach ?? this.#options.advertise ?? '127.0.0.1'}`,
      `--endpoint-reconciler-type=${this.#options.nodesReach === undefined ? 'none' : 'lease'}`,
      `--cert-dir=${file('certs')}`,
    );
    if (this.#options.nodesReach !== undefined) {
      args.push('--kubelet-preferred-address-types=InternalIP', '--allow-privileged=true');
    }
    args.push(`--service-cluster-ip-range=${this.#options.serviceCidr ?? '10.96.0.0/16'}`, '--authorization-mode=RBAC');
    args.push(`--token-auth-file=${file('tokens.csv')}`, '--service-account-issuer=https://kubernetes.default.svc');
    args.push(`--service-account-key-file=${file('sa.pub')}`, `--service-account-signing-key-file=${file('sa.key')}`);
    args.push('--profiling=false', '--enable-priority-and-fairness=false', '--max-requests-inflight=2000', '--v=1');
    // Service accounts are made by a controller; without it, every Pod would be refused.
    if (this.#options.controllers === false) args.push('--disable-admission-plugins=ServiceAccount');
    this.#apiserver = await startProcess({
      name: `kube-apiserver of ${this.name}`,
      command: this.#binaries.apiserver,
      args,
      env: { GOGC: '75' },
      logFile: file('apiserver.log'),
    });
    const process = this.#apiserver;
    await this.#waitHttp(process, () => listens(this.port));
  }

  async #startControllers(): Promise<void> {
    if (this.#options.controllers === false) return;
    const enabled = this.#options.nodesReach === undefined ? controllersAlone : controllersWithNodes;
    const args = [
      `--kubeconfig=${this.kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--v=1',
      `--controllers=${enabled.join(',')}`,
    ];
    if (this.#options.nodesReach !== undefined) {
      const authority = join(this.#dir, 'ca.crt');
      writeFileSync(authority, this.certificateAuthority);
      args.push(`--root-ca-file=${authority}`, `--service-account-private-key-file=${join(this.#dir, 'sa.key')}`);
    }
    args.push('--kube-api-qps=500', '--kube-api-burst=1000', '--concurrent-service-endpoint-syncs=4');
    args.push('--min-resync-period=30m', '--concurrent-gc-syncs=2', '--concurrent-namespace-syncs=2');
    this.#controllers = await startProcess({
      name: `kube-controller-manager of ${this.name}`,
      command: this.#binaries.controllerManager,
      args,
      env: { GOGC: '75' },
      logFile: join(this.#dir, 'controller-manager.log'),
    });
  }

  /** Ready means: its own checks pass, and the objects that it makes at its start are there. */
  async #waitReady(): Promise<void> {
    const apiserver = this.#apiserver;
    if (apiserver === undefined) throw new Error(`${this.name} was not started`);
    await this.#waitHttp(apiserver, async () => {
      const ready = await this.client.request('GET', '/readyz');
      const namespace = await this.client.request('GET', '/api/v1/namespaces/default');
      return ready.status === 200 && namespace.status === 200;
    });
  }

  async #waitHttp(process: RigProcess, probe: () => Promise<boolean>): Promise<void> {
    const ended = process.exited.then((exit) => {
      throw new Error(`${process.name} ended (${exit.code ?? exit.signal}):\n${process.logTail()}`);
    });
    ended.catch(() => {});
    await Promise.race([
      ended,
      waitFor(process.name, probe, { timeoutMs: 90_000, intervalMs: 100 }, () => process.logTail(5)),
    ]);
  }
}
