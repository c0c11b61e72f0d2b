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
import type { Programming } from '../rules/programming.ts';
import type { FleetProgress } from './fleet-progress.ts';
import type { ObjectTarget } from './object-router.ts';
import { StatusGate } from './status-gate.ts';

/** The object that a status is of. */
export interface StatusSubject {
  readonly source: string;
  readonly namespace: string;
  readonly name: string;
  readonly raw: ObjectRecord<unknown>['raw'];
}

/** `before`: what was told last, or what the object carried at the start. */
export type ObjectStatusListener = (
  subject: StatusSubject,
  status: ObjectStatus,
  before: ObjectStatus | undefined,
) => void;

/** One kind at work. */
export interface ObjectStage {
  readonly head: KindHead;
  readonly objects: ObjectTarget & { onChange(listener: () => void): () => void };
  reports(): ObjectReport[];
  readonly gate: StatusGate;
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
  readonly #listeners: ObjectStatusListener[] = [];
  readonly gate: StatusGate;
  readonly #fleet: FleetProgress | undefined;
  #stopped = false;

  /** `fleet`: where other replicas' proxies are counted. */
  constructor(
    objects: ObjectSet<T>,
    judge: (record: ObjectRecord<T>) => Judgement,
    clock: Clock,
    fleet?: FleetProgress,
  ) {
    this.objects = objects;
    this.#fleet = fleet;
    this.#judge = judge;
    this.#clock = clock;
    this.#debounce = new Debounce(clock, judgeWindow, () => this.#tell());
    this.gate = new StatusGate(clock, () => this.touch());
  }

  get head(): KindHead {
    return this.objects.head;
  }

  listen(listener: ObjectStatusListener): void {
    this.#listeners.push(listener);
    this.#debounce.trigger();
  }

  touch(): void {
    if (this.#listeners.length > 0 && !this.#stopped) this.#debounce.trigger();
  }

  stop(): void {
    this.#stopped = true;
    this.gate.stop();
    this.#debounce.stop();
  }

  reports(): ObjectReport[] {
    this.#forgetGone();
    return this.objects.records().map((record) => {
      const { namespace, name, generation, raw, createdAtMs, spec } = record;
      const { findings, ...verdicts } = this.#judge(record);
      const { conditions, proxies } = this.#status(record, this.#withFleet(record, verdicts));
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
    if (this.gate.isHeld) return;
    const counted = new Map<string, Programming>();
    for (const record of this.objects.records()) {
      const told = this.#told.get(record.key);
      const before = told ?? writtenObjectStatus(record.raw.object);
      const verdicts = this.#withFleet(record, this.#judge(record), counted);
      if (told === undefined && this.gate.keeps(record.generation, before)) continue;
      const status = this.#status(record, verdicts);
      this.#told.set(record.key, status);
      if (status !== before) for (const listener of this.#listeners) listener(record, status, before);
    }
    this.#fleet?.count(this.head.kind, counted);
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

  /** `counted` takes how far it has got with the proxies here. */
  #withFleet(
    { namespace, name, lastGood }: ObjectRecord<T>,
    verdicts: ObjectVerdicts,
    counted?: Map<string, Programming>,
  ): ObjectVerdicts {
    const { programming } = verdicts;
    if (programming === undefined || this.#fleet === undefined) return verdicts;
    const { hash = '' } = (lastGood ?? {}) as { readonly hash?: string };
    const form = `${this.head.kind}/${namespace}/${name}@${hash}`;
    counted?.set(form, programming);
    return { ...verdicts, programming: this.#fleet.sum(form, programming) };
  }

  #forgetGone(): void {
    for (const statuses of [this.#known, this.#told]) {
      for (const key of statuses.keys()) if (this.objects.record(key) === undefined) statuses.delete(key);
    }
  }
}
