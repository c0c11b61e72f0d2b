/**
 * The status of every rule object: judged anew when somebody looks, and, while somebody keeps statuses elsewhere (Kubernetes), soon after
 * anything that may change them. An unchanged status is the same object as before, so nothing is written for it.
 */

import type { Clock } from '../core/clock.ts';
import { Debounce } from '../core/debounce.ts';
import type { RuleReport } from '../model/report.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { CatalogService } from '../model/service.ts';
import { isInForce, ruleStatus, type RuleStatus as Status, writtenStatus } from '../rules/conditions.ts';
import type { Programming } from '../rules/programming.ts';
import { type Resolution, resolveRule } from '../rules/resolve.ts';
import type { RuleRecord, RuleSet } from '../rules/rule-set.ts';
import type { Engine } from './engine.ts';
import type { FleetProgress } from './fleet-progress.ts';
import { ruleForm } from './proxies.ts';
import { StatusGate } from './status-gate.ts';

export interface RuleStatusInputs {
  readonly clock: Clock;
  readonly rules: Pick<RuleSet, 'records' | 'record'>;
  readonly engine: Engine;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
  /** Where other replicas' proxies are counted. */
  readonly fleet?: FleetProgress;
}

interface Resolved {
  readonly raw: RuleRecord['raw'];
  readonly service: CatalogService | undefined;
  readonly clusters: ReadonlySet<string>;
  readonly resolution: Resolution;
}

/** Told of each status that is another than `before`; that is what was told last, or what the object carried at the start. */
export type StatusListener = (record: RuleRecord, status: Status, before: Status | undefined) => void;

/** Acknowledgements come in crowds: a status is judged once for many of them. */
const judgeWindow = { minWindowMs: 100, maxWindowMs: 1000, costFactor: 10 };

export class RuleStatus {
  readonly #inputs: RuleStatusInputs;
  /** By record: the status that was judged last. */
  readonly #known = new Map<string, Status>();
  /** By record: the status that the listener was told last. People who look in between must not keep it from hearing. */
  readonly #told = new Map<string, Status>();
  readonly #debounce: Debounce;
  readonly #listeners: StatusListener[] = [];
  readonly gate: StatusGate;
  readonly #resolved = new WeakMap<TrafficRule, Resolved>();
  #clusters: ReadonlySet<string> = new Set();
  #stopped = false;

  constructor(inputs: RuleStatusInputs) {
    this.#inputs = inputs;
    this.#debounce = new Debounce(inputs.clock, judgeWindow, () => this.#tell());
    this.gate = new StatusGate(inputs.clock, () => this.touch());
  }

  /** From now on statuses are judged after every change, and `listener` is told, from the first judgement on if it listens before that. */
  listen(listener: StatusListener): void {
    this.#listeners.push(listener);
    this.#debounce.trigger();
  }

  /** Something that statuses depend on may be another now. */
  touch(): void {
    if (this.#listeners.length > 0 && !this.#stopped) this.#debounce.trigger();
  }

  /** Nobody is told from here on: proxies that leave a pilot which ends do not stop holding what they hold. */
  stop(): void {
    this.#stopped = true;
    this.gate.stop();
    this.#debounce.stop();
  }

  reports(records: readonly RuleRecord[] = this.#inputs.rules.records()): RuleReport[] {
    this.#forgetGone();
    this.#takeClusters();
    return records.map((record) => {
      const resolution = this.#resolve(record);
      const status = this.#judge(record, resolution);
      return {
        namespace: record.namespace,
        name: record.name,
        generation: record.generation,
        service: record.service ?? '',
        origin: record.raw.origin,
        ...(record.holder === undefined ? {} : { holder: record.holder }),
        ...(record.createdAtMs === 0 ? {} : { createdAt: new Date(record.createdAtMs).toISOString() }),
        conditions: status.conditions,
        programmed: status.proxies,
        findings: [...record.findings, ...(resolution?.resolved === false ? resolution.findings : [])],
        spec: record.spec,
      };
    });
  }

  #tell(): void {
    if (this.gate.isHeld) return;
    this.#takeClusters();
    const counted = new Map<string, Programming>();
    for (const record of this.#inputs.rules.records()) {
      const told = this.#told.get(record.key);
      const before = told ?? writtenStatus(record.raw.object);
      if (told === undefined && this.gate.keeps(record.generation, before)) {
        // Others are to know of it nevertheless.
        this.#programming(record, counted);
        continue;
      }
      const status = this.#judge(record, this.#resolve(record), counted);
      this.#told.set(record.key, status);
      if (status !== before) for (const listener of this.#listeners) listener(record, status, before);
    }
    this.#inputs.fleet?.count('TrafficRule', counted);
    this.#forgetGone();
  }

  #forgetGone(): void {
    for (const statuses of [this.#known, this.#told]) {
      for (const key of statuses.keys()) if (this.#inputs.rules.record(key) === undefined) statuses.delete(key);
    }
  }

  /** One set for as long as the names in it stay. */
  #takeClusters(): void {
    const names = this.#inputs.clusters();
    if (names.size !== this.#clusters.size || [...names].some((name) => !this.#clusters.has(name)))
      this.#clusters = names;
  }

  /** The same inputs, the same answer: acknowledgements alone do not have targets looked up again. */
  #resolve({ lastGood, raw }: RuleRecord): Resolution | undefined {
    if (lastGood === undefined) return undefined;
    const service = this.#inputs.engine.catalog.get(lastGood.service);
    const clusters = this.#clusters;
    const known = this.#resolved.get(lastGood);
    if (known?.raw === raw && known.service === service && known.clusters === clusters) return known.resolution;
    const resolution = resolveRule(lastGood, { service: () => service, clusters }, (path) => raw.where(path));
    this.#resolved.set(lastGood, { raw, service, clusters, resolution });
    return resolution;
  }

  /** `counted` takes how far it has got with the proxies here. */
  #judge(record: RuleRecord, resolution: Resolution | undefined, counted?: Map<string, Programming>): Status {
    const { clock } = this.#inputs;
    const programming = this.#programming(record, counted);
    // After a restart, what was written last goes on: its transition times stay true, and nothing is written that says the same.
    const previous = this.#known.get(record.key) ?? writtenStatus(record.raw.object);
    const status = ruleStatus(record, resolution, programming, clock.now(), previous);
    this.#known.set(record.key, status);
    return status;
  }

  #programming(record: RuleRecord, counted?: Map<string, Programming>): Programming {
    const { lastGood } = record;
    if (lastGood === undefined || !isInForce(record)) return { acknowledged: 0, total: 0, rejections: [] };
    const { engine, fleet } = this.#inputs;
    const own = engine.ruleProgress(lastGood, record.holder);
    if (fleet === undefined) return own;
    const form = ruleForm(lastGood);
    counted?.set(form, own);
    return fleet.sum(form, own);
  }
}
