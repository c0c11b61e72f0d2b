/**
 * A pilot's Kubernetes side: clusters from kubeconfig contexts, from the pod's own service account and from Secrets; rules from the primary
 * cluster, and their statuses back to it. Loaded only where Kubernetes is used.
 */

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { type Clock, sleep } from '../core/clock.ts';
import { FairwayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { unknownLocality } from '../model/cluster.ts';
import type { Inventory } from '../registry/inventory.ts';
import { type Access, inClusterAccess, readKubeconfig, trustAll, trustNothing } from '../registry/kube/access.ts';
import { kubeSource } from '../registry/kube/cluster-source.ts';
import { discoverContexts } from '../registry/kube/contexts.ts';
import { Lease } from '../registry/kube/lease.ts';
import { KubeRuleSource } from '../registry/kube/rule-source.ts';
import { RuleStatusWriter } from '../registry/kube/rule-status.ts';
import { discoverSecrets } from '../registry/kube/secrets.ts';
import type { PilotConfig } from './config.ts';
import type { RuleInputs } from './rule-inputs.ts';
import type { RuleStatus } from './rule-status.ts';

export interface KubernetesInputs {
  readonly config: PilotConfig;
  readonly inventory: Inventory;
  readonly inputs: RuleInputs;
  readonly ruleStatus: RuleStatus;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Stoppable {
  stop(): Promise<void>;
}

/** How often the kubeconfig is looked at for a rotated credential of the primary. */
const lookMs = 10_000;

const leaseName = 'fairway-status';

/** Throws FW-PILOT-005 when the primary is none of the clusters, and what reading its kubeconfig throws (FW-KUBE-001 … 003). */
export async function attachKubernetes(inputs: KubernetesInputs): Promise<Stoppable> {
  const { config, inventory, clock, logger } = inputs;
  const parts: Stoppable[] = [];
  const kubeconfig = config.kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config');
  const { primary, read } = await findPrimary(config, kubeconfig);
  if (config.contexts.length > 0) {
    const contexts = config.contexts.map(({ cluster, context }) => ({ name: cluster, context }));
    parts.push(discoverContexts({ file: kubeconfig, contexts, registrar: inventory, clock, logger }));
  }
  if (config.inCluster) {
    const origin = 'the pilot’s own cluster';
    const place = { name: config.inClusterName, network: '', locality: unknownLocality, origin };
    inventory.add(config.inClusterName, origin, kubeSource({ access: inClusterAccess(), place, clock, logger }));
  }
  parts.push(new PrimaryLink(inputs, primary, read, await read()));
  return {
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}

async function findPrimary(
  config: PilotConfig,
  kubeconfig: string,
): Promise<{ primary: string; read: () => Promise<Access> }> {
  const primary = config.primary ?? (config.inCluster ? config.inClusterName : config.contexts[0]?.cluster) ?? '';
  if (config.inCluster && primary === config.inClusterName) return { primary, read: async () => inClusterAccess() };
  const named = config.contexts.find(({ cluster }) => cluster === primary);
  if (named === undefined) {
    throw new FairwayError({
      code: 'FW-PILOT-005',
      message: `the primary ${primary} is not among the clusters`,
      where: { field: '--primary' },
      hint: `Name one of ${config.contexts.map(({ cluster }) => cluster).join(', ')}`,
    });
  }
  const read = async (): Promise<Access> => {
    const where = { file: kubeconfig, cluster: primary };
    const text = await readFile(kubeconfig, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new FairwayError({
        code: 'FW-PILOT-006',
        message: `the kubeconfig cannot be read: ${error.code ?? error.message}`,
        where,
        hint: 'Give a readable file with --kubeconfig',
      });
    });
    return readKubeconfig(text, { trust: trustAll, context: named.context, baseDir: dirname(kubeconfig), where });
  };
  return { primary, read };
}

/** What is read from and written to the primary: rules, Secrets with clusters, statuses. Begins anew when its credential is rotated. */
class PrimaryLink implements Stoppable {
  readonly #inputs: KubernetesInputs;
  readonly #primary: string;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #parts: readonly Stoppable[];
  #writer: RuleStatusWriter | undefined;

  constructor(inputs: KubernetesInputs, primary: string, read: () => Promise<Access>, access: Access) {
    this.#inputs = inputs;
    this.#primary = primary;
    this.#parts = this.#begin(access);
    inputs.ruleStatus.listen((record, status) => {
      if (record.source !== this.#source) return;
      const uid = (record.raw.object as { readonly metadata?: { readonly uid?: string } } | null)?.metadata?.uid ?? '';
      this.#writer?.put({ namespace: record.namespace, name: record.name, uid }, status);
    });
    this.#done = this.#follow(read, access.fingerprint);
  }

  get #source(): string {
    return `cluster ${this.#primary}`;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await Promise.all(this.#parts.map((part) => part.stop()));
  }

  async #follow(read: () => Promise<Access>, first: string): Promise<void> {
    const { clock, logger } = this.#inputs;
    let fingerprint = first;
    for (;;) {
      await sleep(clock, lookMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      // A file that is broken for a moment changes nothing; the discovery of contexts says what is wrong with it.
      const access = await read().catch(() => undefined);
      if (access === undefined || access.fingerprint === fingerprint) continue;
      fingerprint = access.fingerprint;
      logger.info('the credential of the primary was rotated', { cluster: this.#primary });
      const old = this.#parts;
      this.#parts = this.#begin(access);
      await Promise.all(old.map((part) => part.stop()));
    }
  }

  #begin(access: Access): readonly Stoppable[] {
    const { config, inventory, inputs, clock, logger } = this.#inputs;
    const log = logger.with({ cluster: this.#primary });
    let rules: KubeRuleSource | undefined;
    inputs.attach(this.#source, (sink) => {
      rules = new KubeRuleSource({ access, cluster: this.#primary, sink, clock, logger: log });
      return rules;
    });
    const secrets = discoverSecrets({
      access,
      namespace: config.namespace,
      registrar: inventory,
      clock,
      logger: log,
      trust: config.allowExecCredentials ? trustAll : trustNothing,
    });
    const lease = new Lease({
      access,
      namespace: config.namespace,
      name: leaseName,
      identity: `${hostname()}-${randomUUID().slice(0, 8)}`,
      clock,
      logger: log,
    });
    const writer = new RuleStatusWriter({
      access,
      clock,
      logger: log,
      view: (id) => rules?.view(id),
      isLeader: () => lease.isLeader(),
    });
    this.#writer = writer;
    return [secrets, writer, lease];
  }
}
