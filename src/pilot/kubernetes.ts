/**
 * A pilot's Kubernetes side: clusters from kubeconfig contexts, from the pod's own service account and from Secrets; rules from the primary
 * cluster, and their statuses back to it. Loaded only where Kubernetes is used.
 */

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Metrics } from '../api/metrics.ts';
import { type Clock, sleep } from '../core/clock.ts';
import { FairwayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { unknownLocality } from '../model/cluster.ts';
import type { RawObject } from '../model/object.ts';
import type { Inventory } from '../registry/inventory.ts';
import { type Access, inClusterAccess, readKubeconfig, trustAll, trustNothing } from '../registry/kube/access.ts';
import type { AccessProvider } from '../registry/kube/access-providers.ts';
import { kubeSource } from '../registry/kube/cluster-source.ts';
import { discoverContexts } from '../registry/kube/contexts.ts';
import type { RuleView } from '../registry/kube/held-rule.ts';
import type { KindReading } from '../registry/kube/kind-reading.ts';
import { Lease } from '../registry/kube/lease.ts';
import { Presence } from '../registry/kube/presence.ts';
import { KubeRuleSource } from '../registry/kube/rule-source.ts';
import { RuleStatusWriter } from '../registry/kube/rule-status.ts';
import { discoverSecrets } from '../registry/kube/secrets.ts';
import type { OpenMember } from '../registry/member-host.ts';
import { ownKinds } from '../rules/kinds.ts';
import type { ForeignKind } from '../rules/objects/kind-types.ts';
import { uidOf } from '../rules/objects/object-generation.ts';
import { statusBody } from '../rules/status/object-status.ts';
import { accessProviders, attachClusterProfiles } from './cluster-profiles.ts';
import type { PilotConfig } from './config.ts';
import { primaryOf } from './primary.ts';
import { recordInPrimary } from './primary-records.ts';
import type { RuleInputs } from './rules/rule-inputs.ts';
import { defaultStandards, kindsRead } from './standards/standards.ts';
import type { FleetProgress } from './status/fleet-progress.ts';
import type { ObjectStage } from './status/object-stage.ts';
import type { RuleStatus } from './status/rule-status.ts';

export interface KubernetesInputs {
  readonly config: PilotConfig;
  readonly inventory: Inventory;
  readonly inputs: RuleInputs;
  readonly ruleStatus: RuleStatus;
  /** What replicas tell each other. */
  readonly fleet: FleetProgress;
  /** The other kinds of objects. */
  readonly stages: readonly ObjectStage[];
  /** Takes the rules that clusters hold of their own. */
  readonly openMember: OpenMember;
  /** Told who may write statuses. */
  readonly leadBy: (isLeader: () => boolean) => void;
  readonly metrics: Pick<Metrics, 'kubernetesEvent'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Stoppable {
  stop(): Promise<void>;
}

export interface KubernetesLink extends Stoppable {
  /** Another replica may write statuses from now on, and nobody counts on this one; everything else goes on. */
  resign(): Promise<void>;
  /** How each kind of the primary is read. */
  readings(): readonly KindReading[];
}

/** How often the kubeconfig is looked at for a rotated credential of the primary. */
const lookMs = 10_000;

const leaseName = 'fairway-status';

/** Throws FW-PILOT-005 when the primary is none of the clusters, and what reading its kubeconfig throws (FW-KUBE-001 … 003). */
export async function attachKubernetes(inputs: KubernetesInputs): Promise<KubernetesLink> {
  const { config, inventory, clock, logger, openMember } = inputs;
  const parts: Stoppable[] = [];
  const kubeconfig = config.kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config');
  const { primary, read } = await findPrimary(config, kubeconfig);
  if (config.contexts.length > 0) {
    const contexts = config.contexts.map(({ cluster, context }) => ({ name: cluster, context }));
    parts.push(discoverContexts({ file: kubeconfig, contexts, registrar: inventory, clock, logger, openMember }));
  }
  if (config.inCluster) {
    const origin = 'the pilot’s own cluster';
    const place = { name: config.inClusterName, network: '', locality: unknownLocality, origin };
    const found = inventory.beginDiscovery(origin);
    inventory.add(
      config.inClusterName,
      origin,
      kubeSource({ access: inClusterAccess(), place, clock, logger, openMember }),
    );
    found();
  }
  const link = new PrimaryLink(inputs, primary, read, await read(), await accessProviders(config));
  parts.push(link);
  return {
    resign: () => link.resign(),
    readings: () => link.readings(),
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}

async function findPrimary(
  config: PilotConfig,
  kubeconfig: string,
): Promise<{ primary: string; read: () => Promise<Access> }> {
  const primary = primaryOf(config) ?? '';
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

/** '' where there is none. */
function uidText(raw: RawObject): string {
  const uid = uidOf(raw);
  return typeof uid === 'string' ? uid : '';
}

/** Our own kinds, and of those that others define such as have a status of ours and are read. */
function isWritten({ head }: ObjectStage, foreign: readonly ForeignKind[]): boolean {
  if (head.statusShape === undefined) return true;
  return head.statusShape !== 'none' && foreign.some(({ kind }) => kind === head.kind);
}

interface Rotatable extends Stoppable {
  rotate(access: Access): void;
}

/** What is read from and written to the primary: rules, Secrets with clusters, statuses. */
class PrimaryLink implements Stoppable {
  readonly #inputs: KubernetesInputs;
  readonly #primary: string;
  readonly #stop = new AbortController();
  readonly #lease: Lease;
  readonly #rules: KubeRuleSource;
  readonly #presence: Presence;
  readonly #parts: readonly Rotatable[];
  readonly #done: Promise<void>;

  constructor(
    inputs: KubernetesInputs,
    primary: string,
    read: () => Promise<Access>,
    access: Access,
    providers: readonly AccessProvider[] | undefined,
  ) {
    this.#inputs = inputs;
    this.#primary = primary;
    const { config, inventory, clock } = inputs;
    const logger = inputs.logger.with({ cluster: primary });
    const source = `cluster ${primary}`;
    const foreign = kindsRead(config.standards ?? defaultStandards);
    const kinds = [...ownKinds.rows, ...foreign];
    const statusChanged = (id: string): void => {
      for (const each of [writer, ...writers]) each.noticed(id);
    };
    const rules = inputs.inputs.attach(
      source,
      (sink) => new KubeRuleSource({ access, cluster: primary, sink, clock, logger, kinds, statusChanged }),
    );
    const secrets = discoverSecrets({
      access,
      namespace: config.namespace,
      registrar: inventory,
      openMember: inputs.openMember,
      clock,
      logger,
      trust: config.allowExecCredentials ? trustAll : trustNothing,
    });
    const { fleet } = inputs;
    const identity = fleet.name;
    const lease = new Lease({ access, namespace: config.namespace, name: leaseName, identity, clock, logger });
    inputs.leadBy(() => this.#lease.isLeader());
    const presence = new Presence({
      access,
      namespace: config.namespace,
      identity,
      isLeader: () => lease.isLeader(),
      changed: (peers) => fleet.heard(peers),
      clock,
      logger,
    });
    fleet.share(
      (text) => presence.say(text),
      () => {
        inputs.ruleStatus.touch();
        for (const stage of inputs.stages) stage.touch();
      },
    );
    this.#lease = lease;
    this.#presence = presence;
    const writer = new RuleStatusWriter({
      access,
      clock,
      logger,
      view: (id) => rules.view(id),
      isRead: () => rules.isSynced,
      isLeader: () => lease.isLeader(),
    });
    inputs.ruleStatus.listen((record, status) => {
      if (record.source !== source) return;
      writer.put({ namespace: record.namespace, name: record.name, uid: uidText(record.raw) }, status);
    });
    const writers = inputs.stages
      .filter((stage) => isWritten(stage, foreign))
      .map((stage) => {
        const view = (id: string): RuleView | undefined => rules.view(id);
        const ofKind = new RuleStatusWriter({
          access,
          clock,
          logger,
          view,
          isRead: () => rules.isSynced,
          isLeader: () => lease.isLeader(),
          kind: stage.head,
        });
        stage.listen((subject, status) => {
          const body = statusBody(status, stage.head.statusShape);
          if (subject.source === source && body !== undefined)
            ofKind.put({ ...subject, uid: uidText(subject.raw) }, body);
        });
        return ofKind;
      });
    const { events, revisions } = recordInPrimary({
      ...inputs,
      access,
      logger,
      namespace: config.namespace,
      leaseName,
      identity,
      isLeader: () => lease.isLeader(),
      source,
      view: (id) => rules.view(id),
      countEvent: inputs.metrics.kubernetesEvent,
    });
    this.#rules = rules;
    const isLeader = (): boolean => lease.isLeader();
    const profiles = attachClusterProfiles({ ...inputs, access, providers, isLeader, logger });
    this.#parts = [rules, secrets, ...profiles, lease, presence, writer, ...writers, events, revisions];
    this.#done = this.#follow(read, access.fingerprint);
  }

  readings(): readonly KindReading[] {
    return this.#rules.readings();
  }

  /** Leaves the statuses to another replica. */
  async resign(): Promise<void> {
    await Promise.all([this.#lease.stop(), this.#presence.stop()]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await Promise.all(this.#parts.map((part) => part.stop()));
  }

  /** Hands a rotated credential on. */
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
      for (const part of this.#parts) part.rotate(access);
    }
  }
}
