/**
 * Kubernetes Events (events.k8s.io/v1), written as the leader: what happened goes in, at any rate; Events go out, one at a time and not too fast.
 *
 * What always holds: equal events are one Event with a count, over replicas and restarts too, for its name is made of what it says; the queue
 * is bounded, and what does not fit is counted; a pilot that may not write Events says so once, and goes on without them.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */

import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { type ApiError, networkError } from './api-error.ts';
import { eventName, eventObject, type KubeEvent, microTime, pathOf } from './event-object.ts';
import { LeaderLoop } from './leader-loop.ts';

/** What became of an event: a new Event, one more of a known one, or nothing at all. */
export type EventOutcome = 'written' | 'repeated' | 'dropped';

export interface EventSettings {
  /** Events that wait to be written. */
  readonly queueMax: number;
  /** Pause after each write, ms. */
  readonly pauseMs: number;
  /** A known event that happens again is written at most this often, with its count. */
  readonly repeatMs: number;
  /** Known events; the oldest are forgotten, and found again by their names. */
  readonly knownMax: number;
  /** While nobody leads here, an event waits this long for its turn: a lease runs out and is taken over in that time. */
  readonly leadWaitMs: number;
  /** Without the right to write, it is tried again after this long. */
  readonly refusedMs: number;
}

export const defaultEventSettings: EventSettings = {
  queueMax: 500,
  pauseMs: 100,
  repeatMs: 60_000,
  knownMax: 1_000,
  leadWaitMs: 20_000,
  refusedMs: 600_000,
};

export interface EventWriterOptions {
  readonly access: Access;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isLeader: () => boolean;
  /** This process: the pod's name. */
  readonly identity: string;
  readonly count?: (outcome: EventOutcome) => void;
  readonly settings?: EventSettings;
}

interface Waiting {
  readonly event: KubeEvent;
  readonly name: string;
  /** Wall time, of the last time it happened. */
  atMs: number;
  /** How often it happened since the last write. */
  times: number;
  readonly sinceMs: number;
  /** It happened while somebody else led, who may have written it already. */
  readonly wasLed: boolean;
}

interface Known {
  count: number;
  writtenMs: number;
}

export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #settings: EventSettings;
  readonly #api: ApiClient;
  /** By name, in the order in which they came. */
  readonly #queue = new Map<string, Waiting>();
  readonly #known = new Map<string, Known>();
  readonly #loop: LeaderLoop;
  #refusedUntilMs = Number.NEGATIVE_INFINITY;
  #isRefused = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#settings = options.settings ?? defaultEventSettings;
    this.#api = new ApiClient(options.access, options.clock);
    const { clock, isLeader } = options;
    this.#loop = new LeaderLoop({
      clock,
      isLeader,
      step: (signal) => this.#step(signal),
      followed: () => this.#forgetOthers(),
    });
  }

  /** It happened just now. */
  put(event: KubeEvent): void {
    const { clock, isLeader } = this.#options;
    const name = eventName(event);
    const waiting = this.#queue.get(name);
    if (waiting !== undefined) {
      waiting.times += 1;
      waiting.atMs = clock.now();
      return;
    }
    if (clock.monotonic() < this.#refusedUntilMs || this.#queue.size >= this.#settings.queueMax) {
      this.#count('dropped');
      return;
    }
    const nowMs = clock.monotonic();
    this.#queue.set(name, { event, name, atMs: clock.now(), times: 1, sinceMs: nowMs, wasLed: !isLeader() });
    this.#loop.wake();
  }

  rotate(access: Access): void {
    this.#api.rotate(access);
    this.#refusedUntilMs = Number.NEGATIVE_INFINITY;
  }

  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.#api.close();
    await stopped;
  }

  async #step(signal: AbortSignal): Promise<number | undefined> {
    const next = this.#next();
    if (next === undefined) return undefined;
    this.#queue.delete(next.name);
    await this.#write(next, signal);
    return this.#settings.pauseMs;
  }

  /** What waited too long for leadership is for whoever leads. */
  #forgetOthers(): void {
    const limitMs = this.#options.clock.monotonic() - this.#settings.leadWaitMs;
    for (const { name, sinceMs } of this.#queue.values()) if (sinceMs < limitMs) this.#queue.delete(name);
  }

  /** The first that is due: a repeated one is not before its time. */
  #next(): Waiting | undefined {
    const dueMs = this.#options.clock.monotonic() - this.#settings.repeatMs;
    for (const waiting of this.#queue.values()) {
      const known = this.#known.get(waiting.name);
      if (known === undefined || known.writtenMs <= dueMs) return waiting;
    }
    return undefined;
  }

  async #write(waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const known = this.#known.get(waiting.name);
    try {
      const outcome =
        known === undefined ? await this.#create(waiting, signal) : await this.#repeat(waiting, known, signal);
      this.#isRefused = false;
      this.#count(outcome);
    } catch (thrown) {
      const error = networkError(thrown);
      if (signal.aborted) return;
      this.#count('dropped');
      // An API that cannot be reached is said by all that read it.
      if (error.kind === 'forbidden' || error.kind === 'invalid') this.#say(error);
      else logger.debug('an Event could not be written', { err: errorMessage(error) });
      if (error.kind !== 'forbidden') return;
      this.#refusedUntilMs = clock.monotonic() + this.#settings.refusedMs;
      for (const _ of this.#queue) this.#count('dropped');
      this.#queue.clear();
    }
  }

  #say(error: ApiError): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.#options.logger.warn('Kubernetes Events are not written', {
      code: 'FW-KUBE-041',
      err: errorMessage(error),
      hint: 'Give the pilot a ClusterRole with create, get and patch on events.events.k8s.io; all else works without it.',
    });
  }

  async #create(waiting: Waiting, signal: AbortSignal): Promise<EventOutcome> {
    const body = eventObject(waiting, this.#options.identity);
    try {
      await this.#api.json({ method: 'POST', path: pathOf(waiting.event), body, signal });
    } catch (thrown) {
      if (networkError(thrown).kind !== 'conflict') throw thrown;
      // Written before a restart, or by another replica.
      const known = { count: await this.#countOf(waiting, signal), writtenMs: this.#options.clock.monotonic() };
      this.#remember(waiting.name, known);
      return waiting.wasLed ? 'repeated' : this.#repeat(waiting, known, signal);
    }
    this.#remember(waiting.name, { count: waiting.times, writtenMs: this.#options.clock.monotonic() });
    return 'written';
  }

  async #repeat(waiting: Waiting, known: Known, signal: AbortSignal): Promise<EventOutcome> {
    const count = known.count + waiting.times;
    try {
      await this.#api.json({
        method: 'PATCH',
        path: `${pathOf(waiting.event)}/${waiting.name}`,
        contentType: 'application/merge-patch+json',
        // The API lets nothing else be changed: the first one's words stay.
        body: { series: { count, lastObservedTime: microTime(waiting.atMs) } },
        signal,
      });
    } catch (thrown) {
      if (networkError(thrown).kind !== 'not-found') throw thrown;
      // Events are deleted by the API after an hour.
      this.#known.delete(waiting.name);
      return this.#create(waiting, signal);
    }
    this.#remember(waiting.name, { count, writtenMs: this.#options.clock.monotonic() });
    return 'repeated';
  }

  async #countOf({ event, name }: Waiting, signal: AbortSignal): Promise<number> {
    const held = (await this.#api.json({ path: `${pathOf(event)}/${name}`, signal })) as {
      readonly series?: { readonly count?: number };
    };
    return held.series?.count ?? 1;
  }

  #remember(name: string, known: Known): void {
    this.#known.delete(name);
    this.#known.set(name, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#settings.knownMax && oldest !== undefined) this.#known.delete(oldest);
  }

  #count(outcome: EventOutcome): void {
    this.#options.count?.(outcome);
  }
}
