/**
 * The status of every rule object: judged anew when somebody looks, and, while somebody keeps statuses elsewhere (Kubernetes), soon after
 * anything that may change them. An unchanged status is the same object as before, so nothing is written for it.
 */

import type { Clock } from '../../core/clock.ts';
import type { RuleReport } from '../../model/report.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { CatalogService, ServiceKey } from '../../model/service.ts';
import { isSettled, type Programming } from '../../rules/status/programming.ts';
import {
  isInForce,
  ruleStatus,
  type RuleStatus as Status,
  writtenStatus,
} from '../../rules/traffic-rule/conditions.ts';
import { type Permits, servicesOfOtherNamespaces } from '../../rules/traffic-rule/cross-namespace.ts';
import { type Resolution, resolveRule } from '../../rules/traffic-rule/resolve.ts';
import type { RuleRecord } from '../../rules/traffic-rule/rule-record.ts';
import type { RuleSet } from '../../rules/traffic-rule/rule-set.ts';
import type { Engine } from '../engine.ts';
import { ruleForm } from '../proxies/proxies.ts';
import type { FleetProgress } from './fleet-progress.ts';
import type { StatusGate } from './status-gate.ts';
import { type Counted, type KeptListener, type Link, StatusKeeper } from './status-keeper.ts';

export interface RuleStatusInputs {
  readonly clock: Clock;
  readonly rules: Pick<RuleSet, 'records' | 'record'>;
  readonly engine: Engine;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
  /** Where other replicas' proxies are counted. */
  readonly fleet?: FleetProgress;
  /** What these rules are among what replicas tell each other. Default: TrafficRule. */
  readonly fleetKind?: string;
  /** Default: a rule may refer to everything. */
  readonly permits?: Permits;
}

interface Resolved {
  readonly raw: RuleRecord['raw'];
  /** The services that were looked up, the rule's own among them. */
  readonly services: ReadonlyMap<ServiceKey, CatalogService | undefined>;
  readonly clusters: ReadonlySet<string>;
  readonly resolution: Resolution;
}

/** Told of each status that is another than `before`; that is what was told last, or what the object carried at the start. */
export type StatusListener = KeptListener<RuleRecord, Status>;

/** What this namespace lets rules of others refer to. */
export function grantsLink(namespace: string): Link {
  return `grants of ${namespace}`;
}

export class RuleStatus {
  readonly #inputs: RuleStatusInputs;
  readonly #statuses: StatusKeeper<RuleRecord, Programming, Status>;
  readonly #resolved = new WeakMap<TrafficRule, Resolved>();
  #clusters: ReadonlySet<string> = new Set();

  constructor(inputs: RuleStatusInputs) {
    this.#inputs = inputs;
    const { clock, rules, fleet } = inputs;
    this.#statuses = new StatusKeeper({
      clock,
      records: () => rules.records(),
      record: (key) => rules.record(key),
      written: ({ raw }) => writtenStatus(raw.object),
      judge: (record, counted) => this.#programming(record, counted),
      make: (record, programming, nowMs, previous) =>
        ruleStatus(record, this.#resolve(record), programming, nowMs, previous),
      links: (record) => this.#links(record),
      isSettled,
      begin: () => this.#takeClusters(),
      end: (counted) => fleet?.count(inputs.fleetKind ?? 'TrafficRule', counted),
    });
  }

  get gate(): StatusGate {
    return this.#statuses.gate;
  }

  listen(listener: StatusListener): void {
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

  reports(records: readonly RuleRecord[] = this.#inputs.rules.records()): RuleReport[] {
    this.#statuses.forgetGone();
    this.#takeClusters();
    return records.map((record) => {
      const resolution = this.#resolve(record);
      const status = this.#statuses.statusOf(record, this.#programming(record));
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

  /** One set for as long as the names in it stay. */
  #takeClusters(): void {
    const names = this.#inputs.clusters();
    if (names.size !== this.#clusters.size || [...names].some((name) => !this.#clusters.has(name)))
      this.#clusters = names;
  }

  /** The same inputs, the same answer: acknowledgements alone do not have targets looked up again. */
  #resolve({ lastGood, raw }: RuleRecord): Resolution | undefined {
    if (lastGood === undefined) return undefined;
    const { engine, permits } = this.#inputs;
    const clusters = this.#clusters;
    const known = this.#resolved.get(lastGood);
    if (known?.raw === raw && known.clusters === clusters) {
      const isSame =
        known.services.entries().every(([key, service]) => engine.ruled(key) === service) &&
        servicesOfOtherNamespaces(lastGood).length === 0;
      if (isSame) return known.resolution;
    }
    const services = new Map<ServiceKey, CatalogService | undefined>();
    const service = (key: ServiceKey): CatalogService | undefined => {
      const found = engine.ruled(key);
      services.set(key, found);
      return found;
    };
    const resolution = resolveRule(lastGood, { service, clusters, ...(permits && { permits }) }, (path) =>
      raw.where(path),
    );
    this.#resolved.set(lastGood, { raw, services, clusters, resolution });
    return resolution;
  }

  /** Its service and those that were looked up, each under the key that was found too; and namespaces whose grants it needs. */
  *#links({ service, lastGood }: RuleRecord): Generator<Link> {
    if (service !== undefined) yield service;
    if (lastGood === undefined) return;
    yield lastGood.service;
    for (const [key, found] of this.#resolved.get(lastGood)?.services ?? []) {
      yield key;
      if (found !== undefined) yield found.key;
    }
    for (const { namespace } of servicesOfOtherNamespaces(lastGood)) yield grantsLink(namespace);
  }

  /** `counted` takes how far it has got with the proxies here. */
  #programming(record: RuleRecord, counted?: Counted): Programming {
    const { lastGood } = record;
    if (lastGood === undefined || !isInForce(record)) return { acknowledged: 0, total: 0, rejections: [] };
    const { engine, fleet } = this.#inputs;
    const own = engine.reach.ofRule(lastGood, record.holder);
    if (fleet === undefined) return own;
    // Two clusters may hold the same.
    const form = record.holder === undefined ? ruleForm(lastGood) : `${record.holder} ${ruleForm(lastGood)}`;
    counted?.set(form, own);
    return fleet.sum(form, own);
  }
}
