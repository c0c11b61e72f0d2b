/**
 * Writes the status of rule objects to Kubernetes, as the leader.
 *
 * In: the latest status of each object, as often as anybody likes. Out: server-side applies on the status subresource, one at a time and not
 * too fast, of what differs from what the API holds. What always holds: the newest status wins; an unchanged one is not written; an object
 * that was deleted or made anew meanwhile gets nobody else's status; lastTransitionTime moves only with a condition's status, over restarts too;
 * conditions that somebody else keeps there are left alone, and are no reason to write.
 */

import { isDeepStrictEqual } from 'node:util';
import { Backoff } from '../../core/backoff.ts';
import { type Clock, sleep } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { ruleObjectId } from '../rule-sink.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { ApiError, networkError } from './api-error.ts';
import { type RuleKind, type RuleView, trafficRuleKind } from './rule-source.ts';

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

/** While somebody else leads, there is nothing to do but to look again. */
const lookAgainMs = 1_000;
const fieldManager = 'fairway';

export class RuleStatusWriter {
  readonly #options: RuleStatusWriterOptions;
  readonly #kind: RuleKind;
  readonly #api: ApiClient;
  readonly #stop = new AbortController();
  /** The latest status of every object, by id. */
  readonly #wanted = new Map<string, Pending>();
  readonly #dirty = new Set<string>();
  readonly #done: Promise<void>;
  #wake = new AbortController();
  #wasLeader = false;
  #counters: StatusCounters = { written: 0, failed: 0 };

  constructor(options: RuleStatusWriterOptions) {
    this.#options = options;
    this.#kind = options.kind ?? trafficRuleKind;
    this.#api = new ApiClient(options.access, options.clock);
    this.#done = this.#run();
  }

  get counters(): StatusCounters {
    return this.#counters;
  }

  /** The status that the object should have from now on. */
  put(target: StatusTarget, status: unknown): void {
    const id = ruleObjectId(this.#kind.kind, target.namespace, target.name);
    this.#wanted.set(id, { target, status });
    this.#dirty.add(id);
    this.#wake.abort();
  }

  /** The object is gone. */
  remove(namespace: string, name: string): void {
    const id = ruleObjectId(this.#kind.kind, namespace, name);
    this.#wanted.delete(id);
    this.#dirty.delete(id);
  }

  /** The API's credential (or address) is another from now on. */
  rotate(access: Access): void {
    this.#api.rotate(access);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#api.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, isLeader } = this.#options;
    const { signal } = this.#stop;
    const backoff = new Backoff({ firstMs: 200, maxMs: 30_000 });
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const leader = isLeader();
      // A new leader writes what the old one may have left undone.
      if (leader && !this.#wasLeader) for (const id of this.#wanted.keys()) this.#dirty.add(id);
      this.#wasLeader = leader;
      const id = leader ? this.#dirty.values().next().value : undefined;
      if (id === undefined) {
        const wake = leader ? AbortSignal.any([signal, this.#wake.signal]) : signal;
        await sleep(clock, lookAgainMs, wake);
        continue;
      }
      this.#dirty.delete(id);
      const error = await this.#write(id, signal);
      if (error === undefined) {
        backoff.reset();
        continue;
      }
      if (signal.aborted) return;
      if (error.kind !== 'conflict' && error.kind !== 'not-found') {
        this.#counters = { ...this.#counters, failed: this.#counters.failed + 1 };
      }
      if (retryable(error) && this.#wanted.has(id)) this.#dirty.add(id);
      await sleep(clock, error.retryAfterMs ?? backoff.next(), signal);
    }
  }

  /** undefined: written, or nothing to write. */
  async #write(id: string, signal: AbortSignal): Promise<ApiError | undefined> {
    const pending = this.#wanted.get(id);
    if (pending === undefined) return undefined;
    const { clock, logger, view, pauseMs = 50 } = this.#options;
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
    const status = keepTransitionTimes(pending.status, held.status);
    if (isDeepStrictEqual(status, withoutForeign(held.status, status))) return undefined;
    const { apiVersion, kind, plural, namespaced = true } = this.#kind;
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
      await sleep(clock, pauseMs, signal);
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

/** The status to write, with the API's lastTransitionTime for each condition whose status is the same there. Pure. */
export function keepTransitionTimes(wanted: unknown, held: unknown): unknown {
  const before = conditionsOf(held);
  const conditions = conditionsOf(wanted);
  if (conditions.length === 0) return wanted;
  return {
    ...(wanted as object),
    conditions: conditions.map((condition) => {
      const same = before.find(({ type, status }) => type === condition['type'] && status === condition['status']);
      const time = same?.['lastTransitionTime'];
      return typeof time === 'string' ? { ...condition, lastTransitionTime: time } : condition;
    }),
  };
}

/** Types of conditions that are Fairway's own, whether or not a status has them now: one that is not wanted any more must go. */
const ownTypes: ReadonlySet<unknown> = new Set(['Accepted', 'ResolvedRefs', 'Programmed']);

/** The held status without the conditions that somebody else keeps there (a deployment tool's, say): server-side apply leaves them alone. Pure. */
export function withoutForeign(held: unknown, wanted: unknown): unknown {
  const all = conditionsOf(held);
  const ours = new Set(conditionsOf(wanted).map(({ type }) => type));
  const own = all.filter(({ type }) => ownTypes.has(type) || ours.has(type));
  return own.length === all.length ? held : { ...(held as object), conditions: own };
}

function conditionsOf(status: unknown): readonly Readonly<Record<string, unknown>>[] {
  const conditions =
    typeof status === 'object' && status !== null ? (status as Record<string, unknown>)['conditions'] : undefined;
  return Array.isArray(conditions) ? conditions.filter((item) => typeof item === 'object' && item !== null) : [];
}
