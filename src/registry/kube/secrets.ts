/**
 * Clusters from Secrets in one namespace of the primary cluster: each key of a labelled Secret's data is a cluster's name, its value a
 * kubeconfig. (`istioctl create-remote-secret` writes such Secrets, too.)
 *
 * What always holds: a Secret that cannot be used is shown and changes nothing; of several updates the last one wins; a cluster goes when
 * its Secret, its label or its key goes, and never because the primary cannot be read; a kubeconfig gets no more than the operator allows.
 */

import type { Clock } from '../../core/clock.ts';
import { errorMessage, FairwayError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { type ClusterState, clusterNamePattern, unknownLocality } from '../../model/cluster.ts';
import type { OpenMember } from '../member-host.ts';
import { type Access, readKubeconfig, type Trust, trustNothing } from './access.ts';
import { ApiClient } from './api-client.ts';
import { type KubeSourceOptions, type KubeSourceSettings, kubeSource } from './cluster-source.ts';
import { FirstLook } from './first-look.ts';
import { heldTarget } from './held-target.ts';
import { defaultWatchSettings, ListerWatcher, type WatchSettings } from './lister-watcher.ts';
import type { ClusterRegistrar, Discovery, RegisteredPlace } from './registrar.ts';
import { RequestBudget } from './request-budget.ts';

/** Fairway's own label, and Istio's. */
export const secretLabels: readonly string[] = ['fairway.dev/cluster', 'istio/multiCluster'];

type Problem = NonNullable<ClusterState['problem']>;

export interface SecretDiscoveryOptions {
  /** The primary's API. */
  readonly access: Access;
  readonly namespace: string;
  readonly registrar: ClusterRegistrar;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What kubeconfigs in Secrets may ask for; nothing by default. */
  readonly trust?: Trust;
  readonly watch?: WatchSettings;
  readonly settings?: KubeSourceSettings;
  readonly observe?: (name: string, stats: Parameters<NonNullable<KubeSourceOptions['observe']>>[0]) => void;
  /** Takes the rules that clusters hold of their own. */
  readonly openMember?: OpenMember;
  /** What is wrong with looking itself, or undefined when it is cured. */
  readonly problem?: (problem: Problem | undefined) => void;
}

interface Kubeconfig {
  /** Base64, as in the Secret. */
  readonly value: string;
}

interface SecretObject {
  readonly name: string;
  /** By key. */
  readonly kubeconfigs: ReadonlyMap<string, Kubeconfig>;
  readonly place: RegisteredPlace;
}

export function secretOrigin(namespace: string, name: string): string {
  return `secret ${namespace}/${name}`;
}

export interface SecretsDiscovery extends Discovery {
  /** The primary's credential (or address) is another from now on. Registered clusters stay. */
  rotate(access: Access): void;
}

export function discoverSecrets(options: SecretDiscoveryOptions): SecretsDiscovery {
  return new SecretDiscovery(options);
}

class SecretDiscovery implements SecretsDiscovery {
  readonly #options: SecretDiscoveryOptions;
  readonly #api: ApiClient;
  readonly #watchers: readonly ListerWatcher<SecretObject>[];
  /** Secrets by label, then by name: one may carry both labels. */
  readonly #held = new Map<string, Map<string, SecretObject>>();
  /** Fingerprints of what is registered, by Secret, then by cluster; '' after a refusal. */
  readonly #registered = new Map<string, Map<string, string>>();
  readonly #firstLook: FirstLook;
  #problem: string | undefined;

  constructor(options: SecretDiscoveryOptions) {
    this.#options = options;
    const { clock, namespace } = options;
    this.#api = new ApiClient(options.access, clock);
    this.#firstLook = new FirstLook({
      registrar: options.registrar,
      what: `secrets in ${namespace}`,
      originPrefix: secretOrigin(namespace, ''),
      registers: (secret, cluster) => this.#registered.get(secret)?.has(cluster) === true,
    });
    const budget = new RequestBudget(clock);
    this.#watchers = secretLabels.map((label) => {
      const held = new Map<string, SecretObject>();
      this.#held.set(label, held);
      return new ListerWatcher<SecretObject>({
        api: this.#api,
        resource: {
          name: 'secrets',
          group: '',
          path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`,
          labelSelector: `${label}=true`,
        },
        target: heldTarget(
          held,
          (raw) => {
            const value = readSecret(raw);
            return { key: value.name, value };
          },
          (name) => this.#settle(name),
        ),
        settings: options.watch ?? defaultWatchSettings,
        clock,
        budget,
        empty: 'possible',
        verify: () => Promise.resolve(),
        heard: () => undefined,
        changed: () => this.#checkHealth(),
        updated: () => undefined,
      });
    });
  }

  rotate(access: Access): void {
    this.#api.rotate(access);
    for (const watcher of this.#watchers) watcher.kick(this.#options.clock.monotonic());
  }

  async stop(): Promise<void> {
    this.#api.close();
    await Promise.all(this.#watchers.map((watcher) => watcher.stop()));
  }

  #checkHealth(): void {
    const watches = this.#watchers.map(({ health }) => health);
    this.#say(watches.find(({ error }) => error !== undefined)?.error);
    this.#firstLook.heard(watches);
  }

  /** Brings one Secret's registrations in line with it. */
  #settle(secretName: string): void {
    const { namespace, registrar } = this.#options;
    const secret = secretLabels
      .map((label) => this.#held.get(label)?.get(secretName))
      .find((held) => held !== undefined);
    const registered = this.#registered.get(secretName) ?? new Map<string, string>();
    const origin = secretOrigin(namespace, secretName);
    if (secret !== undefined && secret.kubeconfigs.size === 0) {
      // Emptied, not deleted: whoever means to unregister a cluster deletes the Secret.
      const names = registered.size === 0 ? [secretName] : [...registered.keys()];
      for (const name of names) {
        registrar.refuse(name, origin, {
          code: 'FW-KUBE-013',
          message: `the Secret ${namespace}/${secretName} holds no kubeconfig`,
          hint: 'Put a kubeconfig under the cluster’s name into its data, or delete the Secret to unregister the cluster.',
        });
        registered.set(name, '');
      }
      this.#registered.set(secretName, registered);
      return;
    }
    for (const name of [...registered.keys()]) {
      if (secret?.kubeconfigs.has(name) === true) continue;
      registered.delete(name);
      registrar.remove(name, origin);
    }
    for (const [name, kubeconfig] of secret?.kubeconfigs ?? []) {
      try {
        const access = this.#read(name, origin, kubeconfig);
        if (registered.get(name) === access.fingerprint) continue;
        registered.set(name, access.fingerprint);
        this.#register(name, origin, access, secret?.place);
      } catch (error) {
        registered.set(name, '');
        registrar.refuse(name, origin, problemOf(error));
      }
    }
    if (registered.size === 0) this.#registered.delete(secretName);
    else this.#registered.set(secretName, registered);
  }

  #read(name: string, origin: string, { value }: Kubeconfig): Access {
    const where = { cluster: name, object: origin };
    if (!clusterNamePattern.test(name)) {
      throw new FairwayError({
        code: 'FW-KUBE-013',
        message: `the key ${JSON.stringify(name)} cannot be a cluster's name`,
        where,
        hint: 'Name the key with letters, digits, - and _ alone, at most 63.',
      });
    }
    return readKubeconfig(Buffer.from(value, 'base64').toString('utf8'), {
      trust: this.#options.trust ?? trustNothing,
      where,
    });
  }

  #register(name: string, origin: string, access: Access, place: RegisteredPlace | undefined): void {
    const { clock, logger, registrar, settings, observe, openMember } = this.#options;
    const at = place ?? unknownPlace;
    registrar.add(
      name,
      origin,
      kubeSource({
        access,
        ...(openMember === undefined ? {} : { openMember }),
        place: { name, network: at.network, locality: at.locality, origin },
        clock,
        logger,
        ...(settings === undefined ? {} : { settings }),
        ...(observe === undefined ? {} : { observe: (stats) => observe(name, stats) }),
      }),
    );
  }

  #say(error: Error | undefined): void {
    if (error?.message === this.#problem) return;
    this.#problem = error?.message;
    const { namespace, logger, problem } = this.#options;
    if (error === undefined) {
      logger.info('clusters are read from secrets again', { namespace });
      problem?.(undefined);
      return;
    }
    const said: Problem = {
      code: 'FW-KUBE-015',
      message: `the Secrets in ${namespace} that register clusters cannot be read: ${error.message}; registered clusters stay`,
      hint: `Give the pilot a Role with get, list and watch on secrets in ${namespace}, and check that the primary's API is up.`,
    };
    logger.warn(said.message, { code: said.code, hint: said.hint });
    problem?.(said);
  }
}

const unknownPlace: RegisteredPlace = { network: '', locality: unknownLocality };

function problemOf(error: unknown): Problem {
  if (error instanceof FairwayError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'FW-KUBE-013', message: errorMessage(error), hint: 'Put a kubeconfig into the Secret.' };
}

/** Keeps data and where the cluster stands; labels and annotations may say the latter. */
function readSecret(raw: unknown): SecretObject {
  const fields = (value: unknown): Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const metadata = fields(fields(raw)['metadata']);
  const said = { ...fields(metadata['labels']), ...fields(metadata['annotations']) };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const data = Object.entries(fields(fields(raw)['data'])).map(([key, value]): [string, Kubeconfig] => [
    key,
    { value: text(value) },
  ]);
  return {
    name: text(metadata['name']),
    kubeconfigs: new Map(data),
    place: {
      network: text(said['topology.istio.io/network']),
      locality: {
        region: text(said['topology.kubernetes.io/region']),
        zone: text(said['topology.kubernetes.io/zone']),
        subzone: text(said['topology.istio.io/subzone']),
      },
    },
  };
}
