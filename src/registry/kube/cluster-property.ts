/**
 * What an API says of its cluster's id in the clusterset: the ClusterProperty `cluster.clusterset.k8s.io` (about.k8s.io, KEP-2149), watched where
 * that is let, else read now and then. An API without it says nothing.
 *
 * What always holds: what was said stays while it cannot be read; an API that has no such kind costs a question now and then, and is no error; a
 * kind that was there is believed gone only after several answers that say so.
 */

import type { Clock } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import { fields, text } from '../object-fields.ts';
import type { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';
import { heldTarget } from './held-target.ts';
import { ListerWatcher, type WatchSettings } from './lister-watcher.ts';
import { servedVersion } from './mcs-group.ts';
import { followOptionalKind } from './optional-kind.ts';
import type { RequestBudget } from './request-budget.ts';

const property = 'cluster.clusterset.k8s.io';
const group = 'about.k8s.io';
/** The best first. */
const versions = ['v1', 'v1beta1', 'v1alpha1'] as const;

export interface ClusterIdWatchOptions {
  readonly api: ApiClient;
  readonly settings: WatchSettings;
  readonly clock: Clock;
  readonly budget: RequestBudget;
  readonly verify: (signal: AbortSignal) => Promise<void>;
  /** Anything that is shown here is another. */
  readonly updated: () => void;
}

export class ClusterIdWatch {
  readonly #options: ClusterIdWatchOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #watcher: ListerWatcher<string> | undefined;
  #isKnown = false;
  #id: string | undefined;
  /** The first that was said, and whether another has been since. */
  #first: string | undefined;

  constructor(options: ClusterIdWatchOptions) {
    this.#options = options;
    const { api, settings, clock, budget } = options;
    this.#done = followOptionalKind({
      settings,
      clock,
      budget,
      signal: this.#stop.signal,
      served: (signal) => servedVersion(api, group, versions, 'clusterproperties', signal),
      watch: async (apiVersion) => {
        const end = await this.#watch(apiVersion);
        if (end === 'refused') await this.#readOnce(apiVersion);
        return end === 'gone';
      },
      holds: () => this.#id !== undefined,
      none: () => this.#say(undefined),
      forbidden: () => this.#say(this.#id),
    });
  }

  /** It has been read, or cannot be. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** undefined: nothing is said. */
  get id(): string | undefined {
    return this.#id;
  }

  findings(cluster: string): readonly Finding[] {
    if (this.#first === undefined || this.#id === this.#first) return [];
    const now = this.#id === undefined ? 'there is none any more' : `it is ${this.#id.slice(0, 80)} now`;
    return [
      {
        code: 'FW-MCS-016',
        severity: 'warning',
        message: `its ClusterProperty ${property} was ${this.#first.slice(0, 80)}, and ${now}: names of single workloads and the labels of what is imported of it follow`,
        where: { cluster },
        hint: 'Put the former value back; the standard lets no id change while a cluster is a member. A cluster that is meant to be another is unregistered and registered again.',
      },
    ];
  }

  /** As ListerWatcher's. */
  kick(sinceMs: number): void {
    this.#watcher?.kick(sinceMs);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** Until the API does not have the kind any more, or does not let it be watched. */
  async #watch(apiVersion: string): Promise<'gone' | 'refused' | 'stopped'> {
    const { api, settings, clock, budget, verify } = this.#options;
    const { promise, resolve } = Promise.withResolvers<'gone' | 'refused' | 'stopped'>();
    const stopped = (): void => resolve('stopped');
    this.#stop.signal.addEventListener('abort', stopped, { once: true });
    if (this.#stop.signal.aborted) stopped();
    const held = new Map<string, string>();
    const show = (): void => {
      if (watcher.health.listed) this.#say(held.get(property));
    };
    const watcher = new ListerWatcher<string>({
      api,
      resource: {
        name: 'clusterproperties',
        group,
        path: `/apis/${apiVersion}/clusterproperties`,
        fieldSelector: `metadata.name=${property}`,
      },
      target: heldTarget(held, readProperty, () => undefined),
      settings,
      clock,
      budget,
      empty: 'possible',
      verify,
      heard: () => undefined,
      changed: () => {
        const kind = watcher.health.error?.kind;
        if (kind === 'not-found') resolve('gone');
        if (kind === 'forbidden' || kind === 'unauthorized' || kind === 'invalid') resolve('refused');
        show();
      },
      updated: show,
    });
    this.#watcher = watcher;
    const end = await promise;
    this.#watcher = undefined;
    this.#stop.signal.removeEventListener('abort', stopped);
    await watcher.stop();
    return end;
  }

  /** Where the right to get it is all that is given. */
  async #readOnce(apiVersion: string): Promise<void> {
    const { api } = this.#options;
    const path = `/apis/${apiVersion}/clusterproperties/${property}`;
    try {
      this.#say(readProperty(await api.json({ path, signal: this.#stop.signal })).value || undefined);
    } catch (thrown) {
      const { kind } = networkError(thrown);
      if (kind === 'not-found') this.#say(undefined);
      else if (kind === 'forbidden') this.#say(this.#id);
      else throw thrown;
    }
  }

  #say(id: string | undefined): void {
    if (this.#isKnown && id === this.#id) return;
    this.#isKnown = true;
    this.#id = id === '' ? undefined : id;
    this.#first ??= this.#id;
    this.#options.updated();
  }
}

function readProperty(raw: unknown): { readonly key: string; readonly value: string } {
  return { key: text(fields(fields(raw)['metadata'])['name']), value: text(fields(fields(raw)['spec'])['value']) };
}
