/**
 * What one cluster holds of the clusterset, written by the pilot that leads: ServiceImports, derived Services, imported EndpointSlices, and the
 * conditions of the cluster's ServiceExports.
 *
 * In: the host's word on what there is to be. What always holds: nothing is written before everything of this cluster that counts has been listed;
 * what is changed or deleted there by others is put right; what cannot be written is said, and tried again.
 */

import { type Clock, sleep } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import {
  importManager,
  importOfLabel,
  managedByLabel,
  serviceNameLabel,
  sliceManagerLabel,
} from '../../model/import-labels.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { McsHost, McsWriter } from '../mcs-host.ts';
import { own, text } from '../object-fields.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';
import type { Resource } from './list.ts';
import { defaultWatchSettings, ListerWatcher, type WatchSettings } from './lister-watcher.ts';
import { mcsGroup, servedMcsVersion } from './mcs-group.ts';
import { type HeldObject, HeldObjects } from './mcs-held.ts';
import { WorkQueue } from './mcs-queue.ts';
import { type Copies, reconcile } from './mcs-reconcile.ts';
import { McsWrites } from './mcs-writes.ts';
import { RequestBudget } from './request-budget.ts';

export interface McsWriterOptions {
  readonly access: Access;
  readonly cluster: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: McsHost;
  readonly settings?: WatchSettings;
}

/** Services worked on at once. */
const parallel = 4;

export class KubeMcsWriter implements McsWriter {
  readonly #options: McsWriterOptions;
  readonly #settings: WatchSettings;
  readonly #api: ApiClient;
  readonly #stop = new AbortController();
  readonly #queue: WorkQueue<ServiceKey>;
  readonly #copies: Copies;
  readonly #done: Promise<void>;
  #watchers: readonly ListerWatcher<HeldObject>[] = [];
  #apiVersion: string | undefined;
  #isAbsent = false;
  #listed = false;
  /** By service, what went wrong with it last. */
  readonly #failures = new Map<ServiceKey, string>();
  readonly #foreign = new Set<ServiceKey>();
  readonly #heldBack = new Set<ServiceKey>();

  constructor(options: McsWriterOptions) {
    this.#options = options;
    this.#settings = options.settings ?? defaultWatchSettings;
    this.#api = new ApiClient(options.access, options.clock);
    this.#queue = new WorkQueue({
      clock: options.clock,
      parallel,
      work: (key, isRetry) => this.#work(key, isRetry),
    });
    const changed = (key: ServiceKey): void => {
      if (this.#listed) this.#queue.add(key);
    };
    this.#copies = {
      exports: new HeldObjects(({ name }) => name, changed),
      imports: new HeldObjects(({ name }) => name, changed),
      services: new HeldObjects(({ labels }) => text(own(labels, importOfLabel)), changed),
      slices: new HeldObjects(({ labels }) => text(own(labels, serviceNameLabel)), changed),
    };
    this.#done = this.#run();
  }

  touch(keys: Iterable<ServiceKey> | 'all'): void {
    if (!this.#listed) return;
    for (const key of keys === 'all' ? this.#allKeys() : keys) this.#queue.add(key);
  }

  findings(): readonly Finding[] {
    const { cluster } = this.#options;
    const where = { cluster };
    const findings: Finding[] = [];
    if (this.#isAbsent) {
      findings.push({
        code: 'FW-MCS-013',
        severity: 'warning',
        message: `its API has no ServiceImports (${mcsGroup}), so nothing is imported into it`,
        where,
        hint: 'Install the CRDs of the Multi-Cluster Services API there; they are found without a restart.',
      });
    }
    const unread = this.#watchers.find(({ health }) => health.error !== undefined && health.error.kind !== 'expired');
    const failed = [...this.#failures].sort(([a], [b]) => (a < b ? -1 : 1))[0];
    const trouble =
      unread?.health.error === undefined
        ? failed && `${this.#failures.size} services cannot be written, for instance ${failed[0]}: ${failed[1]}`
        : `its ${unread.resource.name} cannot be read: ${unread.health.error.message}`;
    if (trouble !== undefined) {
      findings.push({
        code: 'FW-MCS-009',
        severity: 'warning',
        message: `what is imported cannot be written into it: ${trouble}`,
        where,
        hint: 'Apply deploy/remote/mcs.yaml and the CRDs of the Multi-Cluster Services API there; it is tried again all the time.',
      });
    }
    const [example] = [...this.#foreign].sort();
    if (example !== undefined) {
      findings.push({
        code: 'FW-MCS-008',
        severity: 'warning',
        message: `${this.#foreign.size} services are not imported, for their ServiceImport (or its Service) is somebody else’s, for instance ${example}`,
        where,
        hint: 'Delete or rename the object; nothing of it is overwritten.',
      });
    }
    const [held] = [...this.#heldBack].sort();
    if (held !== undefined) {
      findings.push({
        code: 'FW-MCS-014',
        severity: 'warning',
        message: `${this.#heldBack.size} imports are left as they are until the clusters that they came from are known, for instance ${held}`,
        where,
        hint: 'Bring back the clusters that were not read since the pilot started, or unregister them; `fairway get clusters` shows them.',
      });
    }
    return findings;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#api.close();
    await Promise.all([this.#done, this.#queue.stop(), ...this.#watchers.map((watcher) => watcher.stop())]);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (this.#apiVersion === undefined && !signal.aborted) {
      try {
        this.#apiVersion = await servedMcsVersion(this.#api, 'serviceimports', signal);
        this.#isAbsent = this.#apiVersion === undefined;
      } catch {
        // Out of reach: that is said of the cluster itself.
      }
      if (this.#apiVersion === undefined) await sleep(clock, this.#settings.refusedRetryMs, signal);
    }
    if (this.#apiVersion !== undefined && !signal.aborted) this.#watch(this.#apiVersion);
  }

  #watch(apiVersion: string): void {
    const { clock } = this.#options;
    const budget = new RequestBudget(clock, 4);
    const { exports, imports, services, slices } = this.#copies;
    const watched: readonly (readonly [Resource, HeldObjects])[] = [
      [{ name: 'serviceexports', group: mcsGroup, path: `/apis/${apiVersion}/serviceexports` }, exports],
      [{ name: 'serviceimports', group: mcsGroup, path: `/apis/${apiVersion}/serviceimports` }, imports],
      [
        { name: 'services', group: '', path: '/api/v1/services', labelSelector: `${managedByLabel}=${importManager}` },
        services,
      ],
      [
        {
          name: 'endpointslices',
          group: 'discovery.k8s.io',
          path: '/apis/discovery.k8s.io/v1/endpointslices',
          labelSelector: `${sliceManagerLabel}=${importManager}`,
        },
        slices,
      ],
    ];
    this.#watchers = watched.map(
      ([resource, held]) =>
        new ListerWatcher<HeldObject>({
          api: this.#api,
          resource,
          target: held.target(),
          settings: this.#settings,
          clock,
          budget,
          empty: 'possible',
          verify: () => Promise.resolve(),
          heard: () => undefined,
          changed: () => this.#look(),
          updated: () => this.#look(),
        }),
    );
    this.#look();
  }

  #look(): void {
    if (this.#listed || this.#stop.signal.aborted || this.#watchers.length === 0) return;
    if (!this.#watchers.every(({ health }) => health.listed)) return;
    this.#listed = true;
    this.touch('all');
  }

  /** What is to be there, and what is there. */
  #allKeys(): ReadonlySet<ServiceKey> {
    const { exports, imports, services, slices } = this.#copies;
    return new Set([
      ...this.#options.host.keys(),
      ...[exports, imports, services, slices].flatMap((held) => [...held.services()]),
    ]);
  }

  async #work(key: ServiceKey, isRetry: boolean): Promise<boolean> {
    const { host, clock, logger } = this.#options;
    const { signal } = this.#stop;
    const apiVersion = this.#apiVersion;
    if (apiVersion === undefined || signal.aborted) return true;
    const writes = new McsWrites(this.#api, (outcome) => host.wrote(outcome), signal);
    try {
      const outcome = await reconcile(key, { host, writes, copies: this.#copies, apiVersion, clock }, isRetry);
      this.#failures.delete(key);
      note(this.#foreign, key, outcome === 'foreign');
      note(this.#heldBack, key, outcome === 'held');
      // Nobody tells of a Service of somebody else's that goes: it is looked at again.
      return outcome !== 'again' && outcome !== 'foreign';
    } catch (thrown) {
      if (signal.aborted) return true;
      const error = networkError(thrown);
      // Changed or deleted a moment ago, or in a namespace that ends: the next look tells.
      const passes = error.kind === 'conflict' || error.kind === 'not-found' || /being terminated/.test(error.message);
      if (!passes) {
        host.wrote('failed');
        if (!this.#failures.has(key))
          logger.warn('an import cannot be written', { code: 'FW-MCS-009', object: key, err: error.message });
        this.#failures.set(key, error.message.slice(0, 500));
      }
      return false;
    }
  }
}

function note(set: Set<ServiceKey>, key: ServiceKey, isIn: boolean): void {
  if (isIn) set.add(key);
  else set.delete(key);
}
