/**
 * Writes the status of rule objects to Kubernetes, as the leader.
 *
 * In: the latest status of each object, as often as anybody likes. Out: server-side applies on the status subresource, one at a time and not
 * too fast, of what differs from what the API holds. What always holds: the newest status wins; an unchanged one is not written; an object
 * that was deleted or made anew meanwhile gets nobody else's status; lastTransitionTime moves only with a condition's status, over restarts too;
 * conditions that somebody else keeps there are left alone, and are no reason to write. A list of parents is shared with other controllers: it is
 * written whole, in the very version that was read, and tried again from the newer one if somebody was faster. What somebody else took away or wrote
 * over is put right.
 */

import { isDeepStrictEqual } from 'node:util';
import { Backoff } from '../../core/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { ruleObjectId } from '../rule-sink.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { ApiError, networkError } from './api-error.ts';
import type { RuleView } from './held-rule.ts';
import { LeaderLoop } from './leader-loop.ts';
import { parentEntries } from './parent-entries.ts';
import { type RuleKind, trafficRuleKind } from './rule-kind.ts';
import { StatusRepairs } from './status-repairs.ts';
import { keepTransitionTimes, withoutForeign } from './transition-times.ts';

export interface StatusTarget {
  readonly namespace: string;
  readonly name: string;
  /** '' where unknown; else an object of another uid is left alone. */
  readonly uid: string;
}

export interface RuleStatusWriterOptions {
  readonly access: Access;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the API holds of an object, as far as is known; undefined: it is gone (KubeRuleSource.view). */
  readonly view: (id: string) => RuleView | undefined;
  /** Whether the API's objects have been read; before that, an object that `view` does not know may be there all the same. Default: they have. */
  readonly isRead?: () => boolean;
  /** Only the leader writes. */
  readonly isLeader: () => boolean;
  readonly kind?: RuleKind;
  /** Pause after each write, ms: at most 1000 / this writes per second. */
  readonly pauseMs?: number;
}

export interface StatusCounters {
  readonly written: number;
  readonly failed: number;
}

interface Pending {
  readonly target: StatusTarget;
  readonly status: unknown;
}

const fieldManager = 'fairway';

export class RuleStatusWriter {
  readonly #options: RuleStatusWriterOptions;
  readonly #kind: RuleKind;
  readonly #api: ApiClient;
  /** The latest status of every object, by id. */
  readonly #wanted = new Map<string, Pending>();
  readonly #dirty = new Set<string>();
  readonly #backoff = new Backoff({ firstMs: 200, maxMs: 30_000 });
  readonly #loop: LeaderLoop;
  readonly #repairs: StatusRepairs;
  #counters: StatusCounters = { written: 0, failed: 0 };

  constructor(options: RuleStatusWriterOptions) {
    this.#options = options;
    this.#kind = options.kind ?? trafficRuleKind;
    this.#api = new ApiClient(options.access, options.clock);
    const { clock, isLeader } = options;
    this.#repairs = new StatusRepairs(() => clock.monotonic());
    this.#loop = new LeaderLoop({
      clock,
      isLeader,
      step: (signal) => this.#step(signal),
      // A new leader writes what the old one may have left undone.
      gained: () => {
        for (const id of this.#wanted.keys()) this.#dirty.add(id);
      },
    });
  }

  get counters(): StatusCounters {
    return this.#counters;
  }

  /** The status that the object should have from now on. */
  put(target: StatusTarget, status: unknown): void {
    const id = ruleObjectId(this.#kind.kind, target.namespace, target.name);
    if (!isDeepStrictEqual(this.#wanted.get(id)?.status, status)) this.#repairs.forget(id);
    this.#wanted.set(id, { target, status });
    this.#dirty.add(id);
    this.#loop.wake();
  }

  /** The API holds another status of this object than before: somebody may have written over ours. */
  noticed(id: string): void {
    if (this.#wanted.has(id)) this.#repairs.notice(id);
  }

  /** The object is gone. */
  remove(namespace: string, name: string): void {
    const id = ruleObjectId(this.#kind.kind, namespace, name);
    this.#wanted.delete(id);
    this.#dirty.delete(id);
    this.#repairs.forget(id);
  }

  /** The API's credential (or address) is another from now on. */
  rotate(access: Access): void {
    this.#api.rotate(access);
  }

  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.#api.close();
    await stopped;
  }

  /** A write at most; the pause after it. */
  async #step(signal: AbortSignal): Promise<number | undefined> {
    const { pauseMs = 50 } = this.#options;
    for (const due of this.#repairs.take()) this.#dirty.add(due);
    const id = this.#dirty.values().next().value;
    if (id === undefined) return undefined;
    this.#dirty.delete(id);
    const { written } = this.#counters;
    const error = await this.#write(id, signal);
    this.#repairs.looked(id, this.#counters.written > written);
    if (error === undefined) {
      this.#backoff.reset();
      return this.#counters.written > written ? pauseMs : 0;
    }
    if (error.kind !== 'conflict' && error.kind !== 'not-found') {
      this.#counters = { ...this.#counters, failed: this.#counters.failed + 1 };
    }
    if (retryable(error) && this.#wanted.has(id)) this.#dirty.add(id);
    return error.retryAfterMs ?? this.#backoff.next();
  }

  /** undefined: it is there already. */
  #toWrite(wanted: unknown, held: unknown, id: string): unknown {
    if (this.#kind.statusShape !== 'parents') {
      const status = keepTransitionTimes(wanted, held);
      return isDeepStrictEqual(status, withoutForeign(held, status)) ? undefined : status;
    }
    const entries = parentEntries(wanted, held);
    if (entries !== undefined && entries.omitted > 0) {
      this.#options.logger.warn('a status has no room for all of its parents', {
        code: 'FW-KUBE-047',
        object: id,
        omitted: entries.omitted,
        hint: 'Remove parents from the route: their controllers share one list of 32.',
      });
    }
    return entries?.status;
  }

  /** undefined: written, or nothing to write. */
  async #write(id: string, signal: AbortSignal): Promise<ApiError | undefined> {
    const pending = this.#wanted.get(id);
    if (pending === undefined) return undefined;
    const { logger, view } = this.#options;
    const { namespace, name, uid } = pending.target;
    const held = view(id);
    if (held === undefined && this.#options.isRead?.() === false) {
      return new ApiError('not-found', 'the API has not been read yet');
    }
    if (held === undefined || (uid !== '' && held.uid !== uid)) {
      // What is made anew is put anew: nothing is kept of the object that it was.
      this.#wanted.delete(id);
      logger.debug('an object is gone or another one; its status is not written', { object: id });
      return undefined;
    }
    const status = this.#toWrite(pending.status, held.status, id);
    if (status === undefined) return undefined;
    const { kind, plural, namespaced = true } = this.#kind;
    const { apiVersion } = held;
    const folder = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    const space = namespaced ? { namespace } : {};
    try {
      await this.#api.json({
        method: 'PATCH',
        path: `/apis/${apiVersion}${folder}/${plural}/${encodeURIComponent(name)}/status`,
        query: { fieldManager, force: 'true' },
        contentType: 'application/apply-patch+yaml',
        // The version makes sure that it is the object that was judged: a status is not checked against the uid.
        body: { apiVersion, kind, metadata: { ...space, name, resourceVersion: held.resourceVersion }, status },
        signal,
      });
      this.#counters = { ...this.#counters, written: this.#counters.written + 1 };
      return undefined;
    } catch (thrown) {
      const error = networkError(thrown);
      if (signal.aborted) return error;
      // Deleted or changed a moment ago: the next look at it tells.
      if (error.kind === 'not-found' || error.kind === 'conflict') return error;
      logger.warn('a status cannot be written', {
        code: 'FW-KUBE-019',
        object: id,
        err: errorMessage(error),
        hint: `Give the pilot a ClusterRole with patch on ${plural}/status, and check that the API is up.`,
      });
      return error;
    }
  }
}

function retryable(error: ApiError): boolean {
  return error.kind !== 'invalid';
}
