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
import { McsSchema, readMcsSchema } from './mcs-schema.ts';
import { writerFindings } from './mcs-writer-findings.ts';
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
  #schema = new McsSchema();
  /** Something was refused that the schema should have. */
  #isSchemaOld = false;
  /** Ends the pause between two looks at what the API serves. */
  #wake: () => void = () => undefined;
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
    const unread = this.#watchers.find(({ health }) => health.error !== undefined && health.error.kind !== 'expired');
    return writerFindings(cluster, {
      isAbsent: this.#isAbsent,
      apiVersion: this.#apiVersion ?? mcsGroup,
      missing: this.#schema.missing,
      unread: unread && { name: unread.resource.name, message: unread.health.error?.message ?? '' },
      failures: this.#failures,
      foreign: this.#foreign,
      heldBack: this.#heldBack,
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#api.close();
    await Promise.all([this.#done, this.#queue.stop(), ...this.#watchers.map((watcher) => watcher.stop())]);
  }

  /** What the API serves may change, to another version of the kinds or to none, while this runs. */
  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { emptyConfirmMs, emptyConfirmations, refusedRetryMs } = this.#settings;
    const { signal } = this.#stop;
    let absences = 0;
    while (!signal.aborted) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      let waitMs = refusedRetryMs;
      try {
        const served = await servedMcsVersion(this.#api, 'serviceimports', signal);
        absences = served === undefined ? absences + 1 : 0;
        if (served !== undefined) {
          await this.#serve(served, signal);
          waitMs = 2 * refusedRetryMs;
        } else if (this.#apiVersion !== undefined && absences < emptyConfirmations) waitMs = emptyConfirmMs;
        else await this.#end();
        this.#isAbsent = this.#apiVersion === undefined;
      } catch {
        // Out of reach: that is said of the cluster itself.
      }
      await sleep(clock, waitMs * (0.75 + Math.random() / 2), AbortSignal.any([signal, woken.signal]));
      // Whoever wakes it does so for each trouble that he has.
      if (woken.signal.aborted) await sleep(clock, Math.min(emptyConfirmMs, 500), signal);
    }
  }

  async #serve(apiVersion: string, signal: AbortSignal): Promise<void> {
    const isAnother = apiVersion !== this.#apiVersion;
    if (!isAnother && !this.#isSchemaOld && this.#schema.missing.length === 0) return;
    const schema = await readMcsSchema(this.#api, apiVersion, signal);
    if (signal.aborted) return;
    this.#isSchemaOld = false;
    if (!isAnother) {
      if (schema.isLike(this.#schema)) return;
      // What was missing may be there: what is held is looked at again.
      this.#schema = schema;
      this.touch('all');
      return;
    }
    await this.#end();
    this.#schema = schema;
    this.#apiVersion = apiVersion;
    if (!signal.aborted) this.#watch(apiVersion);
  }

  async #end(): Promise<void> {
    const watchers = this.#watchers;
    this.#watchers = [];
    this.#apiVersion = undefined;
    this.#listed = false;
    this.#failures.clear();
    await Promise.all(watchers.map((watcher) => watcher.stop()));
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
          changed: () => {
            if (this.#watchers.some(({ health }) => health.error?.kind === 'not-found')) this.#wake();
            this.#look();
          },
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
      const outcome = await reconcile(
        key,
        { host, writes, copies: this.#copies, apiVersion, schema: this.#schema, clock },
        isRetry,
      );
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
      if (/field not declared in schema/.test(error.message)) {
        this.#isSchemaOld = true;
        this.#wake();
      }
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
