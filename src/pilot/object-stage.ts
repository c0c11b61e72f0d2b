/**
 * What the pilot does with any kind of object besides TrafficRule: keeps what sources put, judges it when somebody looks, and tells of statuses
 * that became others. What a kind means is in its `judge`.
 */

import type { Clock } from '../core/clock.ts';
import { Debounce } from '../core/debounce.ts';
import type { Finding } from '../core/errors.ts';
import type { ObjectReport } from '../model/report.ts';
import type { KindHead } from '../rules/kind-types.ts';
import type { ObjectRecord, ObjectSet } from '../rules/object-set.ts';
import { type ObjectStatus, type ObjectVerdicts, objectStatus, writtenObjectStatus } from '../rules/object-status.ts';
import type { ObjectTarget } from './object-router.ts';

/** The object that a status is of. */
export interface StatusSubject {
  readonly source: string;
  readonly namespace: string;
  readonly name: string;
  readonly raw: ObjectRecord<unknown>['raw'];
}

export type ObjectStatusListener = (subject: StatusSubject, status: ObjectStatus) => void;

/** One kind at work. */
export interface ObjectStage {
  readonly head: KindHead;
  readonly objects: ObjectTarget & { onChange(listener: () => void): () => void };
  reports(): ObjectReport[];
  /** From now on statuses are judged after every change, and `listener` is told. */
  listen(listener: ObjectStatusListener): void;
  /** Something that statuses depend on may be another now. */
  touch(): void;
  stop(): void;
}

export interface Judgement extends ObjectVerdicts {
  /** What is wrong besides the object's own findings. */
  readonly findings: readonly Finding[];
}

const judgeWindow = { minWindowMs: 100, maxWindowMs: 1000, costFactor: 10 };

export class KindStage<T> implements ObjectStage {
  readonly objects: ObjectSet<T>;
  readonly #judge: (record: ObjectRecord<T>) => Judgement;
  readonly #clock: Clock;
  readonly #debounce: Debounce;
  /** By record: judged last, and told last. People who look in between must not keep the listener from hearing. */
  readonly #known = new Map<string, ObjectStatus>();
  readonly #told = new Map<string, ObjectStatus>();
  #listener: ObjectStatusListener | undefined;
  #stopped = false;

  constructor(objects: ObjectSet<T>, judge: (record: ObjectRecord<T>) => Judgement, clock: Clock) {
    this.objects = objects;
    this.#judge = judge;
    this.#clock = clock;
    this.#debounce = new Debounce(clock, judgeWindow, () => this.#tell());
  }

  get head(): KindHead {
    return this.objects.head;
  }

  listen(listener: ObjectStatusListener): void {
    this.#listener = listener;
    this.#debounce.trigger();
  }

  touch(): void {
    if (this.#listener !== undefined && !this.#stopped) this.#debounce.trigger();
  }

  stop(): void {
    this.#stopped = true;
    this.#debounce.stop();
  }

  reports(): ObjectReport[] {
    this.#forgetGone();
    return this.objects.records().map((record) => {
      const { namespace, name, generation, raw, createdAtMs, spec } = record;
      const { findings, ...verdicts } = this.#judge(record);
      const { conditions, proxies } = this.#status(record, verdicts);
      return {
        kind: this.head.kind,
        namespace,
        name,
        generation,
        origin: raw.origin,
        ...(createdAtMs === 0 ? {} : { createdAt: new Date(createdAtMs).toISOString() }),
        conditions,
        programmed: proxies,
        findings: [...record.findings, ...findings],
        spec,
      };
    });
  }

  #tell(): void {
    for (const record of this.objects.records()) {
      const before = this.#told.get(record.key) ?? writtenObjectStatus(record.raw.object);
      const status = this.#status(record, this.#judge(record));
      this.#told.set(record.key, status);
      if (status !== before) this.#listener?.(record, status);
    }
    this.#forgetGone();
  }

  #status(record: ObjectRecord<T>, verdicts: ObjectVerdicts): ObjectStatus {
    const { key, generation, raw } = record;
    // After a restart, what was written last goes on: its transition times stay true, and nothing is written that says the same.
    const previous = this.#known.get(key) ?? writtenObjectStatus(raw.object);
    const status = objectStatus(generation, verdicts, this.#clock.now(), previous);
    this.#known.set(key, status);
    return status;
  }

  #forgetGone(): void {
    for (const statuses of [this.#known, this.#told]) {
      for (const key of statuses.keys()) if (this.objects.record(key) === undefined) statuses.delete(key);
    }
  }
}
