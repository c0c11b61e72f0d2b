/**
 * Who decides: the rules that member clusters hold of their own, and which of them hold for the cluster's own proxies.
 *
 * In: what each member's source puts, the ClusterPolicies and ReferenceGrants of the primary, and the primary's rules in force. Out: by cluster, the rules that its
 * proxies see in place of the primary's; and a record for every object, those that are not in force among them, each with its reason.
 *
 * What always holds: what a member puts goes into a set of its own and reaches no other cluster's; a member grants nothing, for of what it
 * puts TrafficRules alone are read; the outcome depends on what there is, not on the order in which it came.
 */

import type { Finding } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { MemberDirt, MemberRuleTable } from '../../mesh/member-meshes.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import type { RawObject } from '../../model/object.ts';
import { ruleId, type TrafficRule } from '../../model/rule.ts';
import { type ServiceKey, splitServiceKey } from '../../model/service.ts';
import { Grants } from '../../rules/cluster-policy/grants.ts';
import type { ObjectSetSource } from '../../rules/objects/object-set.ts';
import type { Permits } from '../../rules/traffic-rule/cross-namespace.ts';
import { trafficRuleKind } from '../../rules/traffic-rule/kind.ts';
import type { RuleRecord } from '../../rules/traffic-rule/rule-record.ts';
import { RuleSet } from '../../rules/traffic-rule/rule-set.ts';
import type { ObjectForms, ObjectTarget } from '../rules/object-router.ts';
import { PermittedRules } from '../rules/permitted-rules.ts';
import { withheldFinding } from './member-findings.ts';

/** What a member's source is called among the sources of rules; no other begins so. */
const prefix = 'member ';

export function memberSourceName(cluster: string): string {
  return `${prefix}${cluster}`;
}

/** undefined: the source is no member's. */
export function memberOfSource(source: string): string | undefined {
  return source.startsWith(prefix) ? source.slice(prefix.length) : undefined;
}

export interface MemberRulesInputs {
  readonly logger: Logger;
  /** The primary's rules in force; live. */
  readonly primary: ReadonlyMap<ServiceKey, TrafficRule>;
  /** What the primary's grants let rules refer to in other namespaces. Default: everything. */
  readonly permits?: Permits;
  /** Objects of one member above this are not taken, which is logged and counted. Default 1000. */
  readonly maxObjects?: number;
}

interface Member {
  readonly rules: RuleSet;
  /** The rules as they count: without what they may not refer to. */
  readonly counted: PermittedRules;
  /** Services with a rule of the member in force. */
  readonly table: Map<ServiceKey, TrafficRule>;
  /** Objects of kinds that members cannot have, by id. */
  readonly foreign: Map<string, RawObject>;
}

export class MemberRules implements ObjectTarget {
  readonly #inputs: MemberRulesInputs;
  readonly #members = new Map<string, Member>();
  readonly #tables = new Map<string, ReadonlyMap<ServiceKey, TrafficRule>>();
  /** Who has a rule for a service, in force or not. */
  readonly #holders = new Map<ServiceKey, Set<string>>();
  readonly #listeners = new Set<(dirt: MemberDirt) => void>();
  readonly #recordListeners = new Set<(records: ReadonlySet<string>) => void>();
  #grants = new Grants([]);

  readonly #maxObjects: number;
  readonly #permits: Permits;

  constructor(inputs: MemberRulesInputs) {
    this.#inputs = inputs;
    this.#permits = inputs.permits ?? (() => true);
    this.#maxObjects = inputs.maxObjects ?? 1000;
  }

  /** What the proxies of each cluster see in place of the primary's rules; live. */
  get table(): MemberRuleTable {
    return this.#tables;
  }

  get grants(): Grants {
    return this.#grants;
  }

  /** Called with the services of each cluster whose record or rule in force may be another. */
  onChange(listener: (dirt: MemberDirt) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called with the keys of records that came, changed or went. */
  onRecords(listener: (records: ReadonlySet<string>) => void): () => void {
    this.#recordListeners.add(listener);
    return () => this.#recordListeners.delete(listener);
  }

  /** `name` as `memberSourceName` gives it. */
  source(name: string): ObjectSetSource {
    const cluster = memberOfSource(name) ?? '';
    const isRule = (id: string): boolean => id.startsWith(`${trafficRuleKind.kind}/`);
    return {
      put: (raw, id) => {
        const { rules, foreign } = this.#member(cluster);
        if (isRule(id)) rules.source(name).put(raw, id);
        else if (foreign.size < this.#maxObjects) foreign.set(id, raw);
        else
          this.#inputs.logger.error('an object of a member is not taken: there are too many', {
            code: 'FW-RULE-042',
            cluster,
            id,
            max: this.#maxObjects,
            hint: 'Delete objects in that cluster that nobody needs.',
          });
      },
      remove: (id) => {
        const member = this.#members.get(cluster);
        if (member === undefined) return;
        if (isRule(id)) member.rules.source(name).remove(id);
        else member.foreign.delete(id);
      },
    };
  }

  record(key: string): (RuleRecord & ObjectForms) | undefined {
    const cluster = memberOfSource(key.slice(0, Math.max(0, key.indexOf('#'))));
    if (cluster === undefined) return undefined;
    const record = this.#members.get(cluster)?.rules.record(key);
    return record === undefined ? undefined : this.#shown(cluster, record);
  }

  /** Of all members: sorted by cluster, then as in a rule set. */
  records(): readonly RuleRecord[] {
    return [...this.#members.keys()].sort().flatMap((cluster) => this.recordsOf(cluster));
  }

  recordsOf(cluster: string): readonly RuleRecord[] {
    const records = this.#members.get(cluster)?.rules.records() ?? [];
    return records.map((record) => this.#shown(cluster, record));
  }

  /** What is wrong with what a member holds, besides its rules. */
  findings(cluster: string): readonly Finding[] {
    const { foreign } = this.#members.get(cluster) ?? {};
    const [first] = foreign ?? [];
    if (foreign === undefined || first === undefined) return [];
    const [id, raw] = first;
    const more = foreign.size > 1 ? ` (and ${foreign.size - 1} more objects)` : '';
    return [
      {
        code: 'FW-RULE-202',
        severity: 'warning',
        message: `a member cannot hold ${id}${more}; it counts for nothing there`,
        where: { ...raw.where(['kind']), cluster },
        hint: 'Apply it in the primary; a member may hold TrafficRules alone',
      },
    ];
  }

  /** The policies that count, all of them. */
  setPolicies(policies: Iterable<ClusterPolicy>): void {
    const before = this.#grants;
    this.#grants = new Grants(policies);
    const moved = [...this.#members].filter(
      ([cluster]) => before.signature(cluster) !== this.#grants.signature(cluster),
    );
    this.#tell(new Map(moved.map(([cluster, { rules }]) => [cluster, new Set(rules.winners.keys())])));
  }

  /** The primary's rule in force for these services may be another, or none. */
  primaryChanged(services: Iterable<ServiceKey>): void {
    const dirt = new Map<string, Set<ServiceKey>>();
    for (const key of services) {
      for (const cluster of this.#holders.get(key) ?? []) {
        const keys = dirt.get(cluster);
        if (keys === undefined) dirt.set(cluster, new Set([key]));
        else keys.add(key);
      }
    }
    this.#tell(dirt);
  }

  /** What this namespace (left out: any) lets others refer to may be other. */
  granted(namespace?: string): void {
    const dirt = new Map<string, ReadonlySet<ServiceKey>>();
    for (const [cluster, { counted }] of this.#members) {
      counted.granted(namespace);
      const services = counted.takeChanged();
      if (services.size > 0) dirt.set(cluster, services);
    }
    this.#tell(dirt);
  }

  #member(cluster: string): Member {
    let member = this.#members.get(cluster);
    if (member === undefined) {
      const limits = { maxObjects: this.#maxObjects, defaultNamespace: 'default' };
      const rules = new RuleSet(this.#inputs.logger.with({ cluster }), limits);
      const counted = new PermittedRules(rules.winners, this.#permits);
      member = { rules, counted, table: new Map(), foreign: new Map() };
      this.#members.set(cluster, member);
      rules.onChange(({ services, records }) => {
        for (const listener of this.#recordListeners) listener(records);
        for (const key of services) this.#index(cluster, key, rules.winners.has(key));
        this.#tell(new Map([[cluster, services]]));
      });
    }
    return member;
  }

  #index(cluster: string, key: ServiceKey, holds: boolean): void {
    const holders = this.#holders.get(key);
    if (!holds) {
      holders?.delete(cluster);
      if (holders?.size === 0) this.#holders.delete(key);
    } else if (holders === undefined) this.#holders.set(key, new Set([cluster]));
    else holders.add(cluster);
  }

  #tell(dirt: MemberDirt): void {
    for (const [cluster, services] of dirt) {
      const member = this.#members.get(cluster);
      if (member === undefined) continue;
      for (const key of services) {
        const rule = member.counted.get(key);
        if (rule === undefined || this.#withheld(cluster, key) !== undefined) member.table.delete(key);
        else member.table.set(key, rule);
      }
      if (member.table.size > 0) this.#tables.set(cluster, member.table);
      else this.#tables.delete(cluster);
      if (member.rules.records().length + member.foreign.size === 0) this.#members.delete(cluster);
    }
    if (dirt.size > 0) for (const listener of this.#listeners) listener(dirt);
  }

  /** The table as it would be under other grants of both kinds, with other rules of the primary. */
  tableWith(
    grants: Grants,
    primary: (key: ServiceKey) => TrafficRule | undefined,
    permits: Permits = this.#permits,
  ): MemberRuleTable {
    const tables = new Map<string, ReadonlyMap<ServiceKey, TrafficRule>>();
    for (const [cluster, { rules, counted }] of this.#members) {
      const held = [...rules.winners].filter(([key]) => withheldBy(grants, primary(key), cluster, key) === undefined);
      const forms = held.map(([key, rule]) => [key, counted.formWith(rule, permits)] as const);
      if (forms.length > 0) tables.set(cluster, new Map(forms));
    }
    return tables;
  }

  #withheld(cluster: string, key: ServiceKey): RuleRecord['withheld'] {
    return withheldBy(this.#grants, this.#inputs.primary.get(key), cluster, key);
  }

  #shown(cluster: string, record: RuleRecord): RuleRecord {
    const { service, loss, findings } = record;
    const withheld = service === undefined || loss !== undefined ? undefined : this.#withheld(cluster, service);
    if (withheld === undefined) return { ...record, holder: cluster };
    return {
      ...record,
      holder: cluster,
      withheld,
      findings: [...findings, withheldFinding(record, cluster, withheld)],
    };
  }
}

function withheldBy(
  grants: Grants,
  primary: TrafficRule | undefined,
  cluster: string,
  key: ServiceKey,
): RuleRecord['withheld'] {
  const { namespace } = splitServiceKey(key);
  const grant = grants.of(cluster, namespace, trafficRuleKind.kind);
  if (grant === undefined) {
    const message = `no ClusterPolicy of the primary grants cluster ${cluster} rules of its own in namespace ${namespace}`;
    return { reason: 'NotGranted', message };
  }
  if (grant.precedence === 'member' || primary === undefined) return undefined;
  const message = `TrafficRule ${ruleId(primary.ref)} of the primary (${primary.origin}) goes before it: ClusterPolicy ${grant.policies.join(', ')} says so`;
  return { reason: 'PrimaryFirst', message };
}
