/**
 * The status of every rule object: judged anew when somebody looks, and, while somebody keeps statuses elsewhere (Kubernetes), soon after
 * anything that may change them. An unchanged status is the same object as before, so nothing is written for it.
 */

import type { Clock } from '../core/clock.ts';
import { Debounce } from '../core/debounce.ts';
import type { RuleReport } from '../model/report.ts';
import { isInForce, ruleStatus, type RuleStatus as Status, writtenStatus } from '../rules/conditions.ts';
import { type Resolution, resolveRule } from '../rules/resolve.ts';
import type { RuleRecord, RuleSet } from '../rules/rule-set.ts';
import type { Engine } from './engine.ts';

export interface RuleStatusInputs {
  readonly clock: Clock;
  readonly rules: RuleSet;
  readonly engine: Engine;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
}

/** Told of each status that is another than before. */
export type StatusListener = (record: RuleRecord, status: Status) => void;

/** Acknowledgements come in crowds: a status is judged once for many of them. */
const judgeWindow = { minWindowMs: 100, maxWindowMs: 1000, costFactor: 10 };

export class RuleStatus {
  readonly #inputs: RuleStatusInputs;
  /** By record: the status that was judged last. */
  readonly #known = new Map<string, Status>();
  /** By record: the status that the listener was told last. People who look in between must not keep it from hearing. */
  readonly #told = new Map<string, Status>();
  readonly #debounce: Debounce;
  #listener: StatusListener | undefined;
  #stopped = false;

  constructor(inputs: RuleStatusInputs) {
    this.#inputs = inputs;
    this.#debounce = new Debounce(inputs.clock, judgeWindow, () => this.#tell());
  }

  /** From now on statuses are judged after every change, and `listener` is told. */
  listen(listener: StatusListener): void {
    this.#listener = listener;
    this.#debounce.trigger();
  }

  /** Something that statuses depend on may be another now. */
  touch(): void {
    if (this.#listener !== undefined && !this.#stopped) this.#debounce.trigger();
  }

  /** Nobody is told from here on: proxies that leave a pilot which ends do not stop holding what they hold. */
  stop(): void {
    this.#stopped = true;
    this.#debounce.stop();
  }

  reports(): RuleReport[] {
    this.#forgetGone();
    return this.#inputs.rules.records().map((record) => {
      const resolution = this.#resolve(record);
      const status = this.#judge(record, resolution);
      return {
        namespace: record.namespace,
        name: record.name,
        generation: record.generation,
        service: record.service ?? '',
        origin: record.raw.origin,
        ...(record.createdAtMs === 0 ? {} : { createdAt: new Date(record.createdAtMs).toISOString() }),
        conditions: status.conditions,
        programmed: status.proxies,
        findings: [...record.findings, ...(resolution?.resolved === false ? resolution.findings : [])],
        spec: record.spec,
      };
    });
  }

  #tell(): void {
    for (const record of this.#inputs.rules.records()) {
      const before = this.#told.get(record.key) ?? writtenStatus(record.raw.object);
      const status = this.#judge(record, this.#resolve(record));
      this.#told.set(record.key, status);
      if (status !== before) this.#listener?.(record, status);
    }
    this.#forgetGone();
  }

  #forgetGone(): void {
    for (const statuses of [this.#known, this.#told]) {
      for (const key of statuses.keys()) if (this.#inputs.rules.record(key) === undefined) statuses.delete(key);
    }
  }

  #resolve({ lastGood, raw }: RuleRecord): Resolution | undefined {
    if (lastGood === undefined) return undefined;
    const targets = { service: this.#serviceOf, clusters: this.#inputs.clusters() };
    return resolveRule(lastGood, targets, (path) => raw.where(path));
  }

  readonly #serviceOf = (key: Parameters<Engine['catalog']['get']>[0]): ReturnType<Engine['catalog']['get']> =>
    this.#inputs.engine.catalog.get(key);

  #judge(record: RuleRecord, resolution: Resolution | undefined): Status {
    const { engine, clock } = this.#inputs;
    const { lastGood } = record;
    const programming =
      lastGood !== undefined && isInForce(record)
        ? engine.ruleProgress(lastGood)
        : { acknowledged: 0, total: 0, rejections: [] };
    // After a restart, what was written last goes on: its transition times stay true, and nothing is written that says the same.
    const previous = this.#known.get(record.key) ?? writtenStatus(record.raw.object);
    const status = ruleStatus(record, resolution, programming, clock.now(), previous);
    this.#known.set(record.key, status);
    return status;
  }
}
