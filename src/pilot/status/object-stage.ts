/**
 * What the pilot does with any kind of object besides TrafficRule: keeps what sources put, judges it when somebody looks, and tells of statuses
 * that became others. What a kind means is in its `judge`.
 */

import type { Clock } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import type { ObjectReport } from '../../model/report.ts';
import type { KindHead } from '../../rules/objects/kind-types.ts';
import type { ObjectRecord, ObjectSet } from '../../rules/objects/object-set.ts';
import {
  type ObjectStatus,
  type ObjectVerdicts,
  objectStatus,
  writtenObjectStatus,
} from '../../rules/status/object-status.ts';
import { isSettled, type Programming } from '../../rules/status/programming.ts';
import type { ObjectTarget } from '../rules/object-router.ts';
import type { FleetProgress } from './fleet-progress.ts';
import type { StatusGate } from './status-gate.ts';
import { type Counted, type Link, StatusKeeper } from './status-keeper.ts';

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
  readonly objects: ObjectTarget & { readonly size: number; onChange(listener: (key: string) => void): () => void };
  reports(): ObjectReport[];
  readonly gate: StatusGate;
  /** From now on statuses are judged after every change, and `listener` is told. */
  listen(listener: ObjectStatusListener): void;
  /** Something that statuses depend on may be another now: all of them. */
  touch(): void;
  /** These objects came, changed or went. */
  touchRecords(keys: Iterable<string>): void;
  /** What has one of these names may be another (`LinksOf`). */
  touchLinks(links: Iterable<Link>): void;
  /** Proxies have acknowledged something. */
  touchProgress(): void;
  stop(): void;
}

/**
 * What the judgement of an object goes by besides the object itself: keys of services and records, and any other name that is touched when what it
 * stands for is another. For stages that do not say it, that is everything.
 */
export type LinksOf<T> = (record: ObjectRecord<T>) => Iterable<Link>;

export interface Judgement extends ObjectVerdicts {
  /** What is wrong besides the object's own findings. */
  readonly findings: readonly Finding[];
}

export class KindStage<T> implements ObjectStage {
  readonly objects: ObjectSet<T>;
  readonly #judge: (record: ObjectRecord<T>) => Judgement;
  readonly #fleet: FleetProgress | undefined;
  readonly #statuses: StatusKeeper<ObjectRecord<T>, Judgement, ObjectStatus>;

  /** `fleet`: where other replicas' proxies are counted. */
  constructor(
    objects: ObjectSet<T>,
    judge: (record: ObjectRecord<T>) => Judgement,
    clock: Clock,
    fleet?: FleetProgress,
    links?: LinksOf<T>,
  ) {
    this.objects = objects;
    this.#fleet = fleet;
    this.#judge = judge;
    this.#statuses = new StatusKeeper({
      clock,
      records: () => objects.records(),
      record: (key) => objects.record(key),
      written: ({ raw }) => writtenObjectStatus(raw.object, objects.head.statusShape),
      judge: (record, counted) => this.#withFleet(record, judge(record), counted),
      make: ({ generation }, verdicts, nowMs, previous) => objectStatus(generation, verdicts, nowMs, previous),
      ...(links === undefined ? {} : { links }),
      isSettled: ({ programming, parents = [] }) =>
        [programming, ...parents.map((parent) => parent.programming)].every(
          (each) => each === undefined || isSettled(each),
        ),
      end: (counted) => fleet?.count(objects.head.kind, counted),
    });
  }

  get head(): KindHead {
    return this.objects.head;
  }

  get gate(): StatusGate {
    return this.#statuses.gate;
  }

  listen(listener: ObjectStatusListener): void {
    this.#statuses.listen(listener);
  }

  touch(): void {
    this.#statuses.touch();
  }

  touchRecords(keys: Iterable<string>): void {
    this.#statuses.touchRecords(keys);
  }

  touchLinks(links: Iterable<Link>): void {
    this.#statuses.touchLinks(links);
  }

  touchProgress(): void {
    this.#statuses.touchProgress();
  }

  stop(): void {
    this.#statuses.stop();
  }

  reports(): ObjectReport[] {
    this.#statuses.forgetGone();
    return this.objects.records().map((record) => {
      const { namespace, name, generation, raw, createdAtMs, spec } = record;
      const judged = this.#withFleet(record, this.#judge(record));
      const { conditions, proxies } = this.#statuses.statusOf(record, judged);
      return {
        kind: this.head.kind,
        namespace,
        name,
        generation,
        origin: raw.origin,
        ...(createdAtMs === 0 ? {} : { createdAt: new Date(createdAtMs).toISOString() }),
        conditions,
        programmed: proxies,
        findings: [...record.findings, ...judged.findings],
        spec,
      };
    });
  }

  /** `counted` takes how far it has got with the proxies here. */
  #withFleet({ namespace, name, lastGood }: ObjectRecord<T>, verdicts: Judgement, counted?: Counted): Judgement {
    const { programming } = verdicts;
    if (programming === undefined || this.#fleet === undefined) return verdicts;
    const fleet = this.#fleet;
    const { hash = '' } = (lastGood ?? {}) as { readonly hash?: string };
    const sum = (own: Programming, part = ''): Programming => {
      const form = `${this.head.kind}/${namespace}/${name}@${hash}${part === '' ? '' : `#${part}`}`;
      counted?.set(form, own);
      return fleet.sum(form, own);
    };
    const parents = verdicts.parents?.map((parent) =>
      parent.programming === undefined ? parent : { ...parent, programming: sum(parent.programming, parent.form) },
    );
    return { ...verdicts, programming: sum(programming), ...(parents === undefined ? {} : { parents }) };
  }
}
