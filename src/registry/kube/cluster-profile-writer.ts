/**
 * Tells others of the registered clusters: a ClusterProfile for each that is registered by other means, in one namespace of the primary.
 *
 * In: the registered clusters, as often as anybody likes. Out: server-side applies and deletions, one at a time and not too fast, of what
 * differs from what the API holds. What always holds: only the leader writes; an unchanged profile is not written; a profile of another
 * cluster manager is never touched, whatever its name; nothing is deleted before the registrations and the profiles have been read.
 */

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Backoff } from '../../core/backoff.ts';
import { type Clock, sleep } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ClusterInfo, ClusterState } from '../../model/cluster.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';
import { clusterIdProperty, managerLabel, ownManager, profileApi, profilesPath } from './cluster-profile.ts';
import { profileOrigin } from './cluster-profiles.ts';
import { LeaderLoop } from './leader-loop.ts';
import { listAll } from './list.ts';
import { keepTransitionTimes } from './transition-times.ts';

/** A registered cluster, as others are told of it. */
export interface PublishedCluster {
  readonly info: ClusterInfo;
  readonly state: ClusterState;
  /** '' where it is not known. */
  readonly version: string;
}

export interface ProfileWriterOptions {
  readonly access: Access;
  readonly namespace: string;
  readonly clusters: () => Iterable<PublishedCluster>;
  /** All registrations have been looked for. */
  readonly isComplete: () => boolean;
  /** All of them could be read: what is not registered now was unregistered. Default: that is so. */
  readonly isWhole?: () => boolean;
  readonly isLeader: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often it looks at what there is, ms. */
  readonly lookMs?: number;
  /** Pause after each write, ms. */
  readonly pauseMs?: number;
}

interface Held {
  readonly manager: string;
  readonly spec: unknown;
  readonly status: unknown;
}

interface Wanted {
  readonly spec: unknown;
  readonly status: unknown;
}

const fieldManager = 'fairway-cluster-profiles';

export class ProfileWriter {
  readonly #options: ProfileWriterOptions;
  readonly #api: ApiClient;
  readonly #backoff = new Backoff({ firstMs: 500, maxMs: 60_000 });
  readonly #loop: LeaderLoop;
  #written = 0;
  #looks = 0;
  /** Said already. */
  #problem: string | undefined;
  #taken = new Set<string>();

  constructor(options: ProfileWriterOptions) {
    this.#options = options;
    this.#api = new ApiClient(options.access, options.clock);
    const { clock, isLeader } = options;
    this.#loop = new LeaderLoop({ clock, isLeader, step: (signal) => this.#step(signal) });
  }

  /** Requests that changed something. */
  get written(): number {
    return this.#written;
  }

  /** How often what the API holds was brought in line with what is wanted. */
  get looks(): number {
    return this.#looks;
  }

  rotate(access: Access): void {
    this.#api.rotate(access);
  }

  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.#api.close();
    await stopped;
  }

  /** The pause after it; undefined while not all registrations have been read. */
  async #step(signal: AbortSignal): Promise<number | undefined> {
    const { logger, namespace, lookMs = 5_000, isComplete } = this.#options;
    if (!isComplete()) return undefined;
    try {
      await this.#settle(signal);
      this.#looks += 1;
      this.#backoff.reset();
      this.#problem = undefined;
      return lookMs;
    } catch (thrown) {
      if (signal.aborted) return undefined;
      const error = networkError(thrown);
      if (error.message !== this.#problem) {
        this.#problem = error.message;
        logger.warn('ClusterProfiles cannot be written', {
          code: 'FW-KUBE-029',
          err: errorMessage(error),
          hint: `Install the ClusterProfile CRD, and give the pilot get, list, create, patch and delete on clusterprofiles and patch on clusterprofiles/status in ${namespace}.`,
        });
      }
      return error.retryAfterMs ?? this.#backoff.next();
    }
  }

  /** Everything at once: there are as many profiles as clusters, and they seldom change. */
  async #settle(signal: AbortSignal): Promise<void> {
    const { namespace, clock, isLeader, isWhole = () => true, pauseMs = 50 } = this.#options;
    const resource = { name: 'clusterprofiles', group: 'multicluster.x-k8s.io', path: profilesPath(namespace) };
    const { items: held } = await listAll(this.#api, resource, readHeld, { page: 500, items: 10_000 }, signal);
    const wanted = this.#wanted();
    for (const [name, profile] of wanted) {
      if (!isLeader()) return;
      const there = held.get(name);
      if (there !== undefined && there.manager !== ownManager) {
        this.#sayTaken(name, there.manager);
        continue;
      }
      if (await this.#write(name, profile, there, signal)) await sleep(clock, pauseMs, signal);
    }
    for (const [name, { manager }] of held) {
      if (manager !== ownManager || wanted.has(name)) continue;
      if (!isLeader() || !isWhole()) return;
      await this.#api.json({ method: 'DELETE', path: `${resource.path}/${encodeURIComponent(name)}`, signal });
      this.#written += 1;
      await sleep(clock, pauseMs, signal);
    }
  }

  async #write(name: string, wanted: Wanted, held: Held | undefined, signal: AbortSignal): Promise<boolean> {
    const { namespace } = this.#options;
    const path = `${profilesPath(namespace)}/${encodeURIComponent(name)}`;
    const head = { apiVersion: profileApi, kind: 'ClusterProfile' };
    const apply = async (subresource: string, body: object): Promise<void> => {
      await this.#api.json({
        method: 'PATCH',
        path: `${path}${subresource}`,
        query: { fieldManager, force: 'true' },
        contentType: 'application/apply-patch+yaml',
        body: { ...head, ...body },
        signal,
      });
      this.#written += 1;
    };
    const isNew = held === undefined || !isDeepStrictEqual(held.spec, wanted.spec);
    if (isNew) {
      const labels = { [managerLabel]: ownManager };
      await apply('', { metadata: { namespace, name, labels }, spec: wanted.spec });
    }
    const status = keepTransitionTimes(wanted.status, held?.status);
    const isMoved = !isDeepStrictEqual(status, held?.status);
    if (isMoved) await apply('/status', { metadata: { namespace, name }, status });
    return isNew || isMoved;
  }

  /** By the name of the object. */
  #wanted(): ReadonlyMap<string, Wanted> {
    const { clusters, clock, namespace } = this.#options;
    const wanted = new Map<string, Wanted>();
    for (const { info, state, version } of clusters()) {
      if (info.origin.startsWith(profileOrigin(namespace, ''))) continue;
      wanted.set(objectName(info.name), {
        spec: { clusterManager: { name: ownManager }, displayName: info.name },
        status: statusOf(info, state, version, new Date(clock.now()).toISOString()),
      });
    }
    return wanted;
  }

  #sayTaken(name: string, manager: string): void {
    if (this.#taken.has(name)) return;
    this.#taken.add(name);
    this.#options.logger.warn(
      `the ClusterProfile ${name} is another cluster manager’s (${manager}); it is left alone`,
      {
        code: 'FW-KUBE-030',
        hint: 'Register the cluster by that profile, or under another name.',
      },
    );
  }
}

/** Names of objects have no capitals and no `_`; what is changed for that has a hash behind it, so that two clusters never meet. */
function objectName(cluster: string): string {
  const plain = cluster.toLowerCase().replaceAll('_', '-');
  return plain === cluster ? plain : `${plain}-${createHash('sha256').update(cluster).digest('hex').slice(0, 8)}`;
}

/** As the API gives it back, field by field: so that an unchanged one is seen to be. */
function statusOf({ name, network, locality }: ClusterInfo, state: ClusterState, version: string, now: string): object {
  const said = [
    [clusterIdProperty, name],
    ['topology.kubernetes.io/region', locality.region],
    ['topology.kubernetes.io/zone', locality.zone],
    ['topology.istio.io/network', network],
  ] as const;
  const problem = state.problem === undefined ? '' : `${state.problem.code} ${state.problem.message}`;
  const health = {
    fresh: 'True',
    stale: 'False',
    refused: 'Unknown',
    connecting: 'Unknown',
    syncing: 'Unknown',
  } as const;
  const reason = state.phase.charAt(0).toUpperCase() + state.phase.slice(1);
  const condition = (type: string, status: string): object => ({
    type,
    status,
    reason,
    message: problem,
    lastTransitionTime: now.replace(/\.\d+Z$/, 'Z'),
  });
  return {
    conditions: [
      condition('ControlPlaneHealthy', health[state.phase]),
      condition('Joined', state.phase === 'refused' ? 'False' : 'True'),
    ],
    properties: said.filter(([, value]) => value !== '').map(([property, value]) => ({ name: property, value })),
    ...(version === '' ? {} : { version: { kubernetes: version } }),
  };
}

function readHeld(raw: unknown): { readonly key: string; readonly value: Held } {
  const { metadata, spec, status } = raw as {
    readonly metadata?: { readonly name?: string };
    readonly spec?: { readonly clusterManager?: { readonly name?: string } };
    readonly status?: unknown;
  };
  return { key: metadata?.name ?? '', value: { manager: spec?.clusterManager?.name ?? '', spec, status } };
}
