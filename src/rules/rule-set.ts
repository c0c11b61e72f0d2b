/**
 * All TrafficRules that the sources hold: per object its latest form, its findings and its last good form; per service the rule in force.
 *
 * What always holds: an invalid form leaves the object's last good form in force; what is in force depends on what each source put last,
 * never on the order in which sources spoke; and whoever listens hears of every change, after it is made.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Finding } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { RawObject } from '../model/object.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { ServiceKey } from '../model/service.ts';
import { nextGeneration, uidOf } from './object-generation.ts';
import { parseTrafficRule } from './parse.ts';
import { compareRecords, compareText, type Loss, lossFinding, lossOf } from './precedence.ts';
import { prepareStructureCheck } from './structure.ts';

/** One object as one source holds it. Replaced, never changed. */
export interface RuleRecord {
  /** Unique over all sources: `<source>#<id>`. */
  readonly key: string;
  readonly source: string;
  /** '' where the object does not say. */
  readonly namespace: string;
  readonly name: string;
  /** metadata.generation; where there is none, it counts the changes of the object since it was first seen. */
  readonly generation: number;
  readonly createdAtMs: number;
  /** The service that the latest form is for, or else the last good form; undefined where neither says. */
  readonly service?: ServiceKey;
  /** The latest form, as it was given. */
  readonly raw: RawObject;
  /** Its spec; undefined where it was not looked at: there is none, it is of another kind, or too large. */
  readonly spec: unknown;
  /** Of the latest form, and of what it lost against. An error means that the latest form is not in force. */
  readonly findings: readonly Finding[];
  /** The latest form, if it is valid. */
  readonly latest?: TrafficRule;
  /** The last form that was valid (`latest`, if that is); it takes part in the choice of the rule in force. */
  readonly lastGood?: TrafficRule;
  /** What `lastGood` was made from. */
  readonly lastGoodRaw?: RawObject;
  /** Why `lastGood` is not in force. */
  readonly loss?: Loss;
  /** The member cluster that holds it for its own proxies. Left out: it is the primary's, for all. */
  readonly holder?: string;
  /** Why the winner of its holder is not in force nevertheless. */
  readonly withheld?: { readonly reason: 'NotGranted' | 'PrimaryFirst'; readonly message: string };
}

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

/** What a source of rules holds to speak to the set. */
export interface RuleSetSource {
  put(raw: RawObject, id: string): void;
  remove(id: string): void;
}

export class RuleSet {
  readonly #logger: Logger;
  readonly #limits: RuleSetLimits;
  readonly #records = new Map<string, RuleRecord>();
  /** Keys by `namespace/name`, and by service. */
  readonly #byObject = new Map<string, Set<string>>();
  readonly #byService = new Map<ServiceKey, Set<string>>();
  readonly #winners = new Map<ServiceKey, TrafficRule>();
  readonly #listeners = new Set<(change: RuleSetChange) => void>();
  #refused = 0;

  constructor(logger: Logger, limits: RuleSetLimits = defaultRuleSetLimits) {
    this.#logger = logger;
    this.#limits = limits;
    prepareStructureCheck();
  }

  /** The rule in force per service; live. */
  get winners(): ReadonlyMap<ServiceKey, TrafficRule> {
    return this.#winners;
  }

  /** How many times an object was not taken because the set was full. */
  get refused(): number {
    return this.#refused;
  }

  record(key: string): RuleRecord | undefined {
    return this.#records.get(key);
  }

  /** Sorted by namespace, name and source. */
  records(): readonly RuleRecord[] {
    return [...this.#records.values()].sort(
      (a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name) || compareText(a.key, b.key),
    );
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
  source(name: string): RuleSetSource {
    return {
      put: (raw, id) => this.#put(name, raw, id),
      remove: (id) => this.#remove(`${name}#${id}`),
    };
  }

  #put(source: string, raw: RawObject, id: string): void {
    const key = `${source}#${id}`;
    const before = this.#records.get(key);
    if (before === undefined && this.#records.size >= this.#limits.maxObjects) {
      this.#refused += 1;
      this.#logger.error('a rule object is not taken: there are too many', {
        code: 'FW-RULE-042',
        origin: raw.origin,
        id,
      });
      return;
    }
    const record = nextRecord(key, source, raw, this.#limits.defaultNamespace, before);
    this.#records.set(key, record);
    this.#settle(before, record);
  }

  #remove(key: string): void {
    const before = this.#records.get(key);
    if (before === undefined) return;
    this.#records.delete(key);
    this.#settle(before, undefined);
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

/**
 * The record that follows `before` when its source puts `raw`. An object of another name or uid under the same id is a new one, and inherits
 * nothing.
 */
function nextRecord(
  key: string,
  source: string,
  raw: RawObject,
  defaultNamespace: string,
  before: RuleRecord | undefined,
): RuleRecord {
  const parsed = parseTrafficRule(raw, { defaultNamespace });
  const isNew =
    before === undefined ||
    uidOf(before.raw) !== uidOf(raw) ||
    (parsed.name !== '' && objectId(parsed) !== objectId(before));
  const previous = isNew ? undefined : before;
  // What can no longer be read is still the object that it was.
  const { namespace, name } = parsed.name === '' && previous !== undefined ? previous : parsed;
  const generation = nextGeneration(parsed.generation, parsed.spec, previous);
  const latest = parsed.rule === undefined ? undefined : { ...parsed.rule, ref: { ...parsed.rule.ref, generation } };
  const lastGood = latest ?? previous?.lastGood;
  const lastGoodRaw = latest === undefined ? previous?.lastGoodRaw : raw;
  const service = parsed.service ?? lastGood?.service;
  return {
    key,
    source,
    namespace,
    name,
    generation,
    createdAtMs: parsed.createdAtMs,
    ...(service === undefined ? {} : { service }),
    raw,
    spec: parsed.spec,
    findings: parsed.findings,
    ...(latest === undefined ? {} : { latest }),
    ...(lastGood === undefined ? {} : { lastGood }),
    ...(lastGoodRaw === undefined ? {} : { lastGoodRaw }),
  };
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
