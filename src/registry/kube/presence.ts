/**
 * Which replicas there are, and what each says of itself: one Lease per replica (coordination.k8s.io/v1), which it renews while it runs and takes
 * away when it ends, with a short text as an annotation.
 *
 * What always holds: nobody trusts anybody's clock: a replica counts as gone when its Lease did not change for its whole duration by this
 * process' monotonic clock, and only while this process itself can write; a text is written at most twice a second, a long one more seldom, and
 * the newest wins.
 */

import { isDeepStrictEqual } from 'node:util';
import { type Clock, sleep } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';
import { defaultWatchSettings, ListerWatcher } from './lister-watcher.ts';
import { RequestBudget } from './request-budget.ts';

export interface PresenceSettings {
  /** A replica that was not heard of for this long is gone. */
  readonly durationMs: number;
  readonly renewMs: number;
  /** Between two writes. */
  readonly pauseMs: number;
}

export const defaultPresenceSettings: PresenceSettings = { durationMs: 15_000, renewMs: 5_000, pauseMs: 500 };

export interface PresenceOptions {
  readonly access: Access;
  readonly namespace: string;
  /** Unique among the replicas. */
  readonly identity: string;
  /** Whether this one removes what dead replicas left behind. */
  readonly isLeader: () => boolean;
  /** Who else there is, or what somebody says, is another than before. */
  readonly changed: (peers: ReadonlyMap<string, string>) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings?: PresenceSettings;
}

interface Seen {
  readonly lease: string;
  readonly identity: string;
  readonly text: string;
  readonly version: string;
  readonly durationMs: number;
  /** When this version was seen first, monotonic. */
  readonly atMs: number;
}

type Fields = Readonly<Record<string, unknown>>;

const apiVersion = 'coordination.k8s.io/v1';
const roleLabel = 'fairway.dev/lease';
const role = 'pilot';
const textAnnotation = 'fairway.dev/progress';
const answerMs = 5_000;
const peersMax = 1_000;
/** How much a replica writes at most: etcd keeps every form of an object for some minutes. */
const bytesPerMs = 50;

export class Presence {
  readonly #options: PresenceOptions;
  readonly #settings: PresenceSettings;
  readonly #api: ApiClient;
  readonly #path: string;
  readonly #lease: string;
  readonly #stop = new AbortController();
  readonly #watcher: ListerWatcher<Seen>;
  readonly #seen = new Map<string, Seen>();
  readonly #done: Promise<void>;
  #ended: Promise<void> | undefined;
  #wake = new AbortController();
  #text = '';
  #dirty = true;
  /** When the last write that succeeded was sent, monotonic. */
  #writtenMs: number | undefined;
  #peers: ReadonlyMap<string, string> = new Map();
  #said: string | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#settings = options.settings ?? defaultPresenceSettings;
    this.#api = new ApiClient(options.access, options.clock);
    this.#path = `/apis/${apiVersion}/namespaces/${encodeURIComponent(options.namespace)}/leases`;
    this.#lease = `fairway-pilot-${options.identity.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`.slice(0, 250);
    this.#watcher = this.#watch();
    this.#done = this.#run();
  }

  /** What others are to hear from now on; bounded by whoever calls (annotations may have 256 KiB in all). */
  say(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    this.#dirty = true;
    this.#wake.abort();
  }

  rotate(access: Access): void {
    this.#api.rotate(access);
    this.#watcher.kick(this.#options.clock.monotonic());
  }

  /** Takes the Lease away, so that nobody counts on this replica any more. May be called twice. */
  stop(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#done, this.#watcher.stop()]);
    if (this.#writtenMs !== undefined) {
      await this.#remove(this.#lease, undefined, AbortSignal.timeout(2_000)).catch((error: unknown) => {
        this.#options.logger.debug('the replica’s lease could not be removed; it runs out by itself', {
          err: errorMessage(error),
        });
      });
    }
    this.#api.close();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { pauseMs, renewMs } = this.#settings;
    const { signal } = this.#stop;
    let nextMs = clock.monotonic();
    while (!signal.aborted) {
      this.#wake = new AbortController();
      if (this.#dirty || clock.monotonic() >= nextMs) {
        await this.#write(signal);
        nextMs = clock.monotonic() + renewMs;
        await sleep(clock, pauseMs + this.#text.length / bytesPerMs, signal);
      }
      await this.#review(signal);
      if (!this.#dirty) await sleep(clock, renewMs / 4, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { clock, identity } = this.#options;
    const sentMs = clock.monotonic();
    this.#dirty = false;
    try {
      await this.#api.json({
        method: 'PATCH',
        path: `${this.#path}/${this.#lease}`,
        query: { fieldManager: 'fairway', force: 'true' },
        contentType: 'application/apply-patch+yaml',
        body: {
          apiVersion,
          kind: 'Lease',
          metadata: {
            name: this.#lease,
            labels: { [roleLabel]: role, 'app.kubernetes.io/part-of': 'fairway' },
            annotations: { [textAnnotation]: this.#text },
          },
          spec: {
            holderIdentity: identity,
            leaseDurationSeconds: Math.max(1, Math.round(this.#settings.durationMs / 1000)),
            renewTime: new Date(clock.now()).toISOString().replace('Z', '000Z'),
          },
        },
        signal,
        answerMs,
      });
      // After a time without the API, nobody else may have had it either: all get their whole time again.
      if (this.#writtenMs === undefined || sentMs - this.#writtenMs > this.#settings.durationMs) {
        for (const [name, seen] of this.#seen) this.#seen.set(name, { ...seen, atMs: sentMs });
      }
      this.#writtenMs = sentMs;
      this.#say(undefined);
    } catch (error) {
      this.#dirty = true;
      if (!signal.aborted) this.#say(error);
    }
  }

  /** Looks who is gone. Whoever was only slow writes its Lease again. */
  async #review(signal: AbortSignal): Promise<void> {
    this.#tell();
    if (!this.#options.isLeader()) return;
    for (const { lease, version } of [...this.#seen.values()].filter((seen) => this.#isSilent(seen))) {
      try {
        await this.#remove(lease, version, signal);
      } catch (error) {
        this.#options.logger.debug('the lease of a replica that is gone stays', { lease, err: errorMessage(error) });
      }
    }
  }

  #isSilent({ atMs, durationMs }: Seen): boolean {
    return this.#writtenMs !== undefined && this.#writtenMs - atMs > durationMs;
  }

  #tell(): void {
    const living = [...this.#seen.values()].filter((seen) => !this.#isSilent(seen)).slice(0, peersMax);
    const peers = new Map(living.map(({ identity, text }) => [identity, text]));
    if (this.#stop.signal.aborted || isDeepStrictEqual(peers, this.#peers)) return;
    this.#peers = peers;
    this.#options.changed(peers);
  }

  /** `version`: only if it is still this one. */
  async #remove(lease: string, version: string | undefined, signal: AbortSignal): Promise<void> {
    const body = version === undefined ? {} : { body: { preconditions: { resourceVersion: version } } };
    try {
      await this.#api.json({ method: 'DELETE', path: `${this.#path}/${lease}`, ...body, signal, answerMs });
    } catch (error) {
      if (!['not-found', 'conflict'].includes(networkError(error).kind)) throw error;
    }
  }

  #watch(): ListerWatcher<Seen> {
    const { clock, identity } = this.#options;
    const seen = this.#seen;
    const put = (name: string, value: Seen): void => {
      if (value.identity === identity) return;
      const before = seen.get(name);
      seen.set(name, before?.version === value.version ? before : value);
    };
    return new ListerWatcher<Seen>({
      api: this.#api,
      resource: {
        name: 'leases',
        group: 'coordination.k8s.io',
        path: this.#path,
        labelSelector: `${roleLabel}=${role}`,
      },
      target: {
        read: (raw) => readLease(raw, clock.monotonic()),
        size: () => seen.size,
        has: (name) => seen.has(name),
        replace(items) {
          for (const name of seen.keys()) if (!items.has(name)) seen.delete(name);
          for (const [name, value] of items) put(name, value);
        },
        put,
        remove: (name) => void seen.delete(name),
      },
      settings: { ...defaultWatchSettings, list: { page: 500, items: peersMax }, emptyConfirmMs: 500 },
      clock,
      budget: new RequestBudget(clock),
      empty: 'possible',
      verify: () => Promise.resolve(),
      heard: () => undefined,
      changed: () => this.#say(this.#watcher.health.error),
      updated: () => this.#tell(),
    });
  }

  #say(error: unknown): void {
    const text = error === undefined ? undefined : errorMessage(error);
    if (text === this.#said || this.#stop.signal.aborted) return;
    this.#said = text;
    if (text === undefined) return;
    const { logger, namespace } = this.#options;
    logger.warn('replicas cannot hear of each other, so statuses count the proxies of one of them only', {
      code: 'FW-KUBE-024',
      err: text,
      hint: `Give the pilot a Role with get, list, watch, create, update, patch and delete on leases.coordination.k8s.io in ${namespace}.`,
    });
  }
}

function readLease(raw: unknown, atMs: number): { readonly key: string; readonly value: Seen } {
  const metadata = fields(fields(raw)['metadata']);
  const spec = fields(fields(raw)['spec']);
  const lease = text(metadata['name']);
  const seconds = Number(spec['leaseDurationSeconds']);
  return {
    key: lease,
    value: {
      lease,
      identity: text(spec['holderIdentity']) || lease,
      text: text(fields(metadata['annotations'])[textAnnotation]),
      version: text(metadata['resourceVersion']),
      durationMs: Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : 15_000,
      atMs,
    },
  };
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
