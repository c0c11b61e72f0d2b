/**
 * Clusters from the ClusterProfiles of one namespace of the primary cluster: each that offers an access provider for which the operator has
 * named a program is registered.
 *
 * What always holds: a profile that cannot be used is shown and changes nothing; a profile of Fairway's own registers nothing; a cluster goes
 * when its profile goes, and never because the primary cannot be read, nor because its API does not know ClusterProfiles (any more).
 */

import type { Clock } from '../../core/clock.ts';
import { errorMessage, FairwayError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { type ClusterState, clusterNamePattern } from '../../model/cluster.ts';
import type { OpenMember } from '../member-host.ts';
import type { Access } from './access.ts';
import { type AccessProvider, accessOfProfile } from './access-providers.ts';
import { ApiClient } from './api-client.ts';
import { type ClusterProfile, ownManager, profilesPath, readProfile } from './cluster-profile.ts';
import { type KubeSourceSettings, kubeSource } from './cluster-source.ts';
import { FirstLook } from './first-look.ts';
import { heldTarget } from './held-target.ts';
import { defaultWatchSettings, ListerWatcher, type WatchSettings } from './lister-watcher.ts';
import type { ClusterRegistrar, Discovery } from './registrar.ts';
import { RequestBudget } from './request-budget.ts';

type Problem = NonNullable<ClusterState['problem']>;

export interface ProfileDiscoveryOptions {
  /** The primary's API. */
  readonly access: Access;
  readonly namespace: string;
  readonly providers: readonly AccessProvider[];
  readonly registrar: ClusterRegistrar;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly watch?: WatchSettings;
  readonly settings?: KubeSourceSettings;
  /** Takes the rules that clusters hold of their own. */
  readonly openMember?: OpenMember;
}

export function profileOrigin(namespace: string, name: string): string {
  return `clusterprofile ${namespace}/${name}`;
}

interface Registered {
  readonly cluster: string;
  /** '' after a refusal. */
  readonly fingerprint: string;
}

export class ProfileDiscovery implements Discovery {
  readonly #options: ProfileDiscoveryOptions;
  readonly #api: ApiClient;
  readonly #watcher: ListerWatcher<ClusterProfile>;
  readonly #held = new Map<string, ClusterProfile>();
  /** By profile. */
  readonly #registered = new Map<string, Registered>();
  readonly #firstLook: FirstLook;
  #problem: string | undefined;

  constructor(options: ProfileDiscoveryOptions) {
    this.#options = options;
    const { clock, namespace } = options;
    this.#api = new ApiClient(options.access, clock);
    this.#firstLook = new FirstLook({
      registrar: options.registrar,
      what: `ClusterProfiles in ${namespace}`,
      originPrefix: profileOrigin(namespace, ''),
      registers: (profile, cluster) => this.#registered.get(profile)?.cluster === cluster,
    });
    const held = this.#held;
    this.#watcher = new ListerWatcher<ClusterProfile>({
      api: this.#api,
      resource: { name: 'clusterprofiles', group: 'multicluster.x-k8s.io', path: profilesPath(namespace) },
      target: heldTarget(
        held,
        (raw) => {
          const value = readProfile(raw);
          return { key: value.name, value };
        },
        (name) => this.#settle(name),
      ),
      settings: options.watch ?? defaultWatchSettings,
      clock,
      budget: new RequestBudget(clock),
      empty: 'possible',
      verify: () => Promise.resolve(),
      heard: () => undefined,
      changed: () => this.#checkHealth(),
      updated: () => undefined,
    });
  }

  /** The primary's credential (or address) is another from now on. Registered clusters stay. */
  rotate(access: Access): void {
    this.#api.rotate(access);
    this.#watcher.kick(this.#options.clock.monotonic());
  }

  async stop(): Promise<void> {
    this.#api.close();
    await this.#watcher.stop();
  }

  #checkHealth(): void {
    const { health } = this.#watcher;
    this.#say(health.error);
    this.#firstLook.heard([health]);
  }

  /** Brings one profile's registration in line with it. */
  #settle(name: string): void {
    const { namespace, registrar, providers } = this.#options;
    const origin = profileOrigin(namespace, name);
    const profile = this.#held.get(name);
    const before = this.#registered.get(name);
    if (profile === undefined || profile.manager === ownManager) {
      this.#registered.delete(name);
      registrar.note?.(origin, undefined);
      if (before !== undefined) registrar.remove(before.cluster, origin);
      return;
    }
    const { cluster, access: offered, place, said } = profile;
    registrar.note?.(origin, said);
    if (before !== undefined && before.cluster !== cluster) registrar.remove(before.cluster, origin);
    try {
      if (!clusterNamePattern.test(cluster)) throw badName(cluster, origin);
      const access = accessOfProfile(offered, providers, { cluster, object: origin });
      const fingerprint = JSON.stringify([access.fingerprint, place]);
      if (before?.cluster === cluster && before.fingerprint === fingerprint) return;
      this.#registered.set(name, { cluster, fingerprint });
      const { clock, logger, settings, openMember } = this.#options;
      registrar.add(
        cluster,
        origin,
        kubeSource({
          access,
          ...(openMember === undefined ? {} : { openMember }),
          place: { name: cluster, ...place, origin },
          clock,
          logger,
          ...(settings === undefined ? {} : { settings }),
        }),
      );
    } catch (error) {
      this.#registered.set(name, { cluster, fingerprint: '' });
      registrar.refuse(cluster, origin, problemOf(error));
    }
  }

  #say(error: Error | undefined): void {
    if (error?.message === this.#problem) return;
    this.#problem = error?.message;
    const { namespace, logger } = this.#options;
    if (error === undefined) return logger.info(`the ClusterProfiles in ${namespace} are read`);
    logger.warn(`the ClusterProfiles in ${namespace} cannot be read: ${error.message}; registered clusters stay`, {
      code: 'FW-KUBE-027',
      hint: `Install the ClusterProfile CRD, give the pilot get, list and watch on clusterprofiles in ${namespace}, and check that the primary’s API is up.`,
    });
  }
}

function badName(name: string, origin: string): FairwayError {
  return new FairwayError({
    code: 'FW-KUBE-028',
    message: `the ClusterProfile’s name ${JSON.stringify(name)} cannot be a cluster’s name`,
    where: { object: origin },
    hint: 'Give the profile a name, or its property cluster.clusterset.k8s.io a value, of letters, digits, - and _ alone, at most 63.',
  });
}

function problemOf(error: unknown): Problem {
  if (error instanceof FairwayError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'FW-KUBE-028', message: errorMessage(error), hint: 'Look at the status of the ClusterProfile.' };
}
