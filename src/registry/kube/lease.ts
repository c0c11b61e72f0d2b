/**
 * Leadership by a Lease (coordination.k8s.io/v1), as client-go's leader election does it.
 *
 * What always holds: nobody trusts anybody's clock: another's lease counts as expired when it has not changed for its whole duration by
 * this process' own monotonic clock, and this process stops leading well before others may take over, whether or not it can reach the API.
 */

import { type Clock, sleep } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';

export interface LeaseSettings {
  /** Others may take over after this long without a renewal. */
  readonly durationMs: number;
  /** This process stops leading after this long without a renewal; well below `durationMs`. */
  readonly renewDeadlineMs: number;
  /** Between two tries to renew or to acquire. */
  readonly retryMs: number;
}

export const defaultLeaseSettings: LeaseSettings = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

export interface LeaseOptions {
  readonly access: Access;
  readonly namespace: string;
  readonly name: string;
  /** Unique among the replicas: the pod's name. */
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings?: LeaseSettings;
}

interface LeaseObject {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: LeaseSpec;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export class Lease {
  readonly #options: LeaseOptions;
  readonly #settings: LeaseSettings;
  readonly #api: ApiClient;
  readonly #path: string;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** When the last renewal was sent that succeeded, monotonic. */
  #renewedMs: number | undefined;
  #seen: { readonly version: unknown; readonly atMs: number } | undefined;
  #said: string | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#settings = options.settings ?? defaultLeaseSettings;
    this.#api = new ApiClient(options.access, options.clock);
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(options.namespace)}/leases`;
    this.#done = this.#run();
  }

  isLeader(): boolean {
    return (
      this.#renewedMs !== undefined &&
      this.#options.clock.monotonic() - this.#renewedMs < this.#settings.renewDeadlineMs
    );
  }

  /** The API's credential (or address) is another from now on. */
  rotate(access: Access): void {
    this.#api.rotate(access);
  }

  /** Gives leadership back, so that another need not wait for it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    this.#api.close();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const wasLeader = this.isLeader();
      const sentMs = clock.monotonic();
      try {
        if (await this.#tryOnce(signal)) this.#renewedMs = sentMs;
        else this.#renewedMs = undefined;
        this.#say(wasLeader, undefined);
      } catch (error) {
        // Still the leader for the rest of the deadline: another cannot be, before the lease's own duration is over.
        if (!signal.aborted) this.#say(wasLeader, error);
      }
      await sleep(clock, this.#settings.retryMs * (0.9 + Math.random() * 0.2), signal);
    }
    if (this.isLeader()) await this.#release();
  }

  #say(wasLeader: boolean, error: unknown): void {
    const { logger, name, namespace } = this.#options;
    const lease = `${namespace}/${name}`;
    if (wasLeader !== this.isLeader())
      logger.info(this.isLeader() ? 'this replica leads: it writes statuses' : 'this replica does not lead any more', {
        lease,
      });
    const text = error === undefined ? undefined : errorMessage(error);
    if (text === this.#said) return;
    this.#said = text;
    if (text === undefined) return;
    logger.warn('the lease cannot be had, so no statuses are written', {
      code: 'FW-KUBE-020',
      lease,
      err: text,
      hint: `Give the pilot a Role with get, create and update on leases.coordination.k8s.io in ${namespace}.`,
    });
  }

  /** Whether it is held, acquired or renewed now. */
  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const { clock, identity, name } = this.#options;
    const answerMs = this.#settings.renewDeadlineMs / 2;
    const held = await this.#get(signal, answerMs);
    if (held === undefined) {
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name },
        spec: this.#spec(undefined),
      };
      return this.#send({ method: 'POST', path: this.#path, body, signal, answerMs });
    }
    const version = held.metadata['resourceVersion'];
    if (this.#seen?.version !== version) this.#seen = { version, atMs: clock.monotonic() };
    const holder = held.spec.holderIdentity ?? '';
    const durationMs = (held.spec.leaseDurationSeconds ?? 0) * 1000 || this.#settings.durationMs;
    const running = this.#seen !== undefined && clock.monotonic() - this.#seen.atMs < durationMs;
    if (holder !== '' && holder !== identity && running) return false;
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: held.metadata,
      spec: this.#spec(held.spec),
    };
    return this.#send({ method: 'PUT', path: `${this.#path}/${encodeURIComponent(name)}`, body, signal, answerMs });
  }

  #spec(before: LeaseSpec | undefined): LeaseSpec {
    const { clock, identity } = this.#options;
    const now = microTime(clock.now());
    const mine = before?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.round(this.#settings.durationMs / 1000)),
      acquireTime: mine ? (before?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (before === undefined || mine ? 0 : 1),
    };
  }

  async #get(signal: AbortSignal, answerMs: number): Promise<LeaseObject | undefined> {
    try {
      const path = `${this.#path}/${encodeURIComponent(this.#options.name)}`;
      const lease = (await this.#api.json({ path, signal, answerMs })) as Partial<LeaseObject>;
      return { metadata: lease.metadata ?? {}, spec: lease.spec ?? {} };
    } catch (error) {
      if (networkError(error).kind === 'not-found') return undefined;
      throw error;
    }
  }

  /** False when another was faster. */
  async #send(request: Parameters<ApiClient['json']>[0]): Promise<boolean> {
    try {
      await this.#api.json(request);
      return true;
    } catch (error) {
      if (networkError(error).kind === 'conflict') return false;
      throw error;
    }
  }

  async #release(): Promise<void> {
    this.#renewedMs = undefined;
    const { identity, name } = this.#options;
    try {
      const signal = AbortSignal.timeout(2_000);
      const held = await this.#get(signal, 2_000);
      if (held?.spec.holderIdentity !== identity) return;
      const spec: LeaseSpec = { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1 };
      const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: held.metadata, spec };
      await this.#send({ method: 'PUT', path: `${this.#path}/${encodeURIComponent(name)}`, body, signal });
    } catch (error) {
      this.#options.logger.debug('the lease could not be given back; it runs out by itself', {
        err: errorMessage(error),
      });
    }
  }
}

/** Kubernetes' MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
