/**
 * All TrafficRules that the sources hold: per object its latest form, its findings and its last good form; per service the rule in force.
 *
 * What always holds: an invalid form leaves the object's last good form in force; what is in force depends on what each source put last,
 * never on the order in which sources spoke; and whoever listens hears of every change, after it is made.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../core/logger.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import { type ObjectRecord, ObjectSet, type ObjectSetSource, sortRecords } from '../objects/object-set.ts';
import { prepareStructureCheck } from './checks/shape.ts';
import { trafficRuleHead } from './head.ts';
import { parseRuleObject } from './parse.ts';
import { compareRecords, lossFinding, lossOf } from './precedence.ts';
import type { Loss, RuleRecord } from './rule-record.ts';

export interface RuleSetChange {
  /** Services whose rule in force is another, or none any more. */
  readonly services: ReadonlySet<ServiceKey>;
  /** Keys of the records that were added, replaced or removed. */
  readonly records: ReadonlySet<string>;
}

export interface RuleSetLimits {
  /** Objects above this are not taken, which is logged and counted. */
  readonly maxObjects: number;
  readonly defaultNamespace: string;
}

export const defaultRuleSetLimits: RuleSetLimits = { maxObjects: 20_000, defaultNamespace: 'default' };

export class RuleSet {
  readonly #objects: ObjectSet<TrafficRule>;
  /** What the objects' set has, and what each lost against. */
  readonly #records = new Map<string, RuleRecord>();
  /** Keys by `namespace/name`, and by service. */
  readonly #byObject = new Map<string, Set<string>>();
  readonly #byService = new Map<ServiceKey, Set<string>>();
  readonly #winners = new Map<ServiceKey, TrafficRule>();
  readonly #listeners = new Set<(change: RuleSetChange) => void>();

  constructor(logger: Logger, limits: RuleSetLimits = defaultRuleSetLimits) {
    this.#objects = new ObjectSet({ ...limits, head: trafficRuleHead, parse: parseRuleObject, logger, stamp });
    this.#objects.onChange((key) => this.#take(key));
    prepareStructureCheck();
  }

  /** The rule in force per service; live. */
  get winners(): ReadonlyMap<ServiceKey, TrafficRule> {
    return this.#winners;
  }

  /** How many times an object was not taken because the set was full. */
  get refused(): number {
    return this.#objects.refused;
  }

  record(key: string): RuleRecord | undefined {
    return this.#records.get(key);
  }

  /** Sorted by namespace, name and source. */
  records(): readonly RuleRecord[] {
    return sortRecords(this.#records.values());
  }

  /** The objects that are for a service, those that are not in force among them. */
  recordsOf(service: ServiceKey): readonly RuleRecord[] {
    return this.#recordsAt(this.#byService.get(service));
  }

  /** The same object, as the sources have it. */
  recordsNamed(namespace: string, name: string): readonly RuleRecord[] {
    return this.#recordsAt(this.#byObject.get(objectId({ namespace, name })));
  }

  /** Called after each put or remove that changed something. Returns what ends it. */
  onChange(listener: (change: RuleSetChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `name` tells sources apart, in messages too: `rules folder`, `cluster primary`. A source speaks of its own objects only. */
  source(name: string): ObjectSetSource {
    return this.#objects.source(name);
  }

  #take(key: string): void {
    const before = this.#records.get(key);
    const object = this.#objects.record(key);
    if (object === undefined) this.#records.delete(key);
    else this.#records.set(key, withService(object));
    this.#settle(before, this.#records.get(key));
  }

  /** Brings the indexes, the losers' records and the winners up to date after one record changed, and tells the listeners. */
  #settle(before: RuleRecord | undefined, after: RuleRecord | undefined): void {
    const objects = new Set<string>();
    const services = new Set<ServiceKey>();
    for (const record of [before, after]) {
      if (record === undefined) continue;
      objects.add(objectId(record));
      if (record.lastGood !== undefined) services.add(record.lastGood.service);
    }
    unindex(this.#byObject, before && objectId(before), before?.key);
    unindex(this.#byService, before?.lastGood?.service, before?.key);
    index(this.#byObject, after && objectId(after), after?.key);
    index(this.#byService, after?.lastGood?.service, after?.key);

    const changed = new Set<string>([before?.key ?? after?.key ?? '']);
    for (const object of objects) {
      // Another source's copy of this object may come into force, or go out of it, for a service of its own.
      for (const record of this.#recordsAt(this.#byObject.get(object))) {
        if (record.lastGood !== undefined) services.add(record.lastGood.service);
      }
    }
    const dirty = new Set<ServiceKey>();
    for (const service of services) {
      if (this.#choose(service, changed)) dirty.add(service);
    }
    for (const listener of this.#listeners) listener({ services: dirty, records: changed });
  }

  /** Chooses the rule in force for a service anew; says whether it is another. */
  #choose(service: ServiceKey, changed: Set<string>): boolean {
    const candidates = this.#recordsAt(this.#byService.get(service)).toSorted(compareRecords);
    let winner: RuleRecord | undefined;
    for (const record of candidates) {
      const loss = this.#duplicateLoss(record) ?? (winner === undefined ? undefined : lossOf('overruled', winner));
      if (loss === undefined) winner = record;
      if (this.#setLoss(record, loss)) changed.add(record.key);
    }
    const before = this.#winners.get(service);
    const after = winner?.lastGood;
    if (isSameRule(before, after)) return false;
    if (after === undefined) this.#winners.delete(service);
    else this.#winners.set(service, after);
    return true;
  }

  /** The copy of the same object that goes before this one, if there is one. */
  #duplicateLoss(record: RuleRecord): Loss | undefined {
    const copies = this.#recordsAt(this.#byObject.get(objectId(record))).filter((copy) => copy.lastGood !== undefined);
    const first = copies.toSorted(compareRecords)[0];
    return first === undefined || first.key === record.key ? undefined : lossOf('duplicate', first);
  }

  #setLoss(record: RuleRecord, loss: Loss | undefined): boolean {
    const { loss: before, ...rest } = record;
    if (isDeepStrictEqual(before, loss)) return false;
    const own = rest.findings.filter(({ code }) => code !== 'FW-RULE-040' && code !== 'FW-RULE-041');
    const said = loss === undefined ? [] : [lossFinding(record, loss)];
    this.#records.set(record.key, { ...rest, findings: [...own, ...said], ...(loss === undefined ? {} : { loss }) });
    return true;
  }

  #recordsAt(keys: ReadonlySet<string> | undefined): readonly RuleRecord[] {
    const records: RuleRecord[] = [];
    for (const key of keys ?? []) {
      const record = this.#records.get(key);
      if (record !== undefined) records.push(record);
    }
    return records;
  }
}

function stamp(rule: TrafficRule, generation: number): TrafficRule {
  return { ...rule, ref: { ...rule.ref, generation } };
}

function withService(object: ObjectRecord<TrafficRule>): RuleRecord {
  const service = object.service ?? object.lastGood?.service;
  return service === undefined ? object : { ...object, service };
}

function objectId({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function isSameRule(a: TrafficRule | undefined, b: TrafficRule | undefined): boolean {
  return a === b || (a?.hash === b?.hash && a?.ref.generation === b?.ref.generation && a?.origin === b?.origin);
}

function index<K>(map: Map<K, Set<string>>, at: K | undefined, key: string | undefined): void {
  if (at === undefined || key === undefined) return;
  const keys = map.get(at);
  if (keys === undefined) map.set(at, new Set([key]));
  else keys.add(key);
}

function unindex<K>(map: Map<K, Set<string>>, at: K | undefined, key: string | undefined): void {
  if (at === undefined || key === undefined) return;
  const keys = map.get(at);
  keys?.delete(key);
  if (keys?.size === 0) map.delete(at);
}
