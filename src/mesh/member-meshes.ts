/**
 * What the proxies of single clusters see in place of what all see: rules that member clusters hold of their own, compiled.
 *
 * In: by cluster, the rules that hold there (already granted and chosen), and which of them, or of the services, may have changed. Out: by
 * cluster, the services that are other ones there: those with such a rule, and those that the routes of one lead to and need other chains of. What
 * always holds: a cluster's rules change nothing but what its own proxies see; a cluster without rules of its own costs nothing; the cost of a change
 * is that of the clusters that have a rule for the service, or lead to it.
 */

import { isDeepStrictEqual } from 'node:util';
import type { MeshService } from '../model/mesh.ts';
import type { RuleBackend, TrafficRule } from '../model/rule.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { Elsewhere } from './elsewhere.ts';
import { RuleHistory } from './rule-history.ts';
import { type RuledAs, ruleOf } from './ruled-as.ts';

/** By cluster, then by service. */
export type MemberRuleTable = ReadonlyMap<string, ReadonlyMap<ServiceKey, TrafficRule>>;

/** As much of such a table as is asked for when services are compiled. */
export interface MemberRuleLookup {
  get(cluster: string): { get(key: ServiceKey): TrafficRule | undefined } | undefined;
}

export type MemberDirt = ReadonlyMap<string, ReadonlySet<ServiceKey>>;

export interface MemberMeshInputs {
  readonly services: Pick<ReadonlyMap<ServiceKey, CatalogService>, 'get'>;
  readonly rules: MemberRuleLookup;
  /** As for all. */
  readonly ruledAs?: RuledAs;
  /** The rule that all others see. */
  readonly ruleForAll: (key: ServiceKey) => TrafficRule | undefined;
  /** As for all. `needed`: chains that routes of the cluster's own rules need besides. */
  readonly compile: (
    catalog: CatalogService,
    rule: TrafficRule | undefined,
    needed: readonly RuleBackend['chain'][],
  ) => MeshService;
}

interface Member {
  readonly services: Map<ServiceKey, MeshService>;
  readonly history: RuleHistory;
  /** Services that have no rule of the member any more, with the revision in which its proxies came to see the rule of all again. */
  readonly returned: Map<ServiceKey, number>;
  /** The revision of its last change. */
  changedIn: number;
}

/** Per cluster; the longest ago is forgotten first. */
const returnedMax = 1000;
/** Clusters that have no rule any more, of which it is known what they had. */
const emptyMax = 200;

const none: Member['services'] = new Map();

export class MemberMeshes {
  readonly #inputs: MemberMeshInputs;
  readonly #members = new Map<string, Member>();
  /** Who has a rule for a service. */
  readonly #clusters = new Map<ServiceKey, Set<string>>();
  /** Who had one. */
  readonly #returned = new Map<ServiceKey, Set<string>>();
  /** By cluster, what its own rules need of other services. */
  readonly #elsewhere = new Map<string, Elsewhere>();
  /** Whose rules lead to a service. */
  readonly #led = new Map<ServiceKey, Set<string>>();

  constructor(inputs: MemberMeshInputs) {
    this.#inputs = inputs;
  }

  /** Services that are other ones for the proxies of a cluster; live. */
  services(cluster: string): ReadonlyMap<ServiceKey, MeshService> {
    return this.#members.get(cluster)?.services ?? none;
  }

  /** Clusters whose proxies see something else than all. */
  *clusters(): Generator<string> {
    for (const [cluster, { services }] of this.#members) if (services.size > 0) yield cluster;
  }

  /** Clusters that have a rule for the service, or had one. */
  *clustersApart(key: ServiceKey): Generator<string> {
    yield* this.#clusters.get(key) ?? [];
    yield* this.#returned.get(key) ?? [];
  }

  /** The revision in which the cluster's proxies last came to see something else than before for a reason of their own; 0: never. */
  changedIn(cluster: string): number {
    return this.#members.get(cluster)?.changedIn ?? 0;
  }

  history(cluster: string): RuleHistory | undefined {
    return this.#members.get(cluster)?.history;
  }

  /** The revision in which the cluster's proxies came to see the rule of all again for a service; undefined: they always did. */
  returned(cluster: string, key: ServiceKey): number | undefined {
    return this.#members.get(cluster)?.returned.get(key);
  }

  /** Services for which the cluster's proxies came to see the rule of all again, after revision `after` and up to `upTo`. */
  returns(cluster: string, after: number, upTo: number): ServiceKey[] {
    const returned = this.#members.get(cluster)?.returned ?? [];
    return [...returned].filter(([, revision]) => revision > after && revision <= upTo).map(([key]) => key);
  }

  *forms(): Generator<TrafficRule> {
    for (const { history } of this.#members.values()) yield* history.forms();
  }

  /**
   * `services`: those that became others for all, and `drained`: whose load is moved out otherwise than before; `rules`: those whose rule of a member
   * may be another. Returns, by cluster, the services that
   * are others for its proxies than before.
   */
  update(
    services: ReadonlySet<ServiceKey>,
    drained: ReadonlySet<ServiceKey>,
    rules: MemberDirt,
    revision: number,
  ): MemberDirt {
    const dirty = new Map([...rules].map(([cluster, keys]) => [cluster, this.#withHosts(keys)]));
    for (const key of services) {
      for (const cluster of [...(this.#clusters.get(key) ?? []), ...(this.#led.get(key) ?? [])]) {
        const keys = dirty.get(cluster);
        if (keys === undefined) dirty.set(cluster, new Set([key]));
        else keys.add(key);
      }
    }
    const changed = new Map<string, Set<ServiceKey>>();
    for (const [cluster, keys] of dirty) {
      const own = new Set<ServiceKey>();
      const around = this.#around(cluster, keys, drained);
      for (const key of keys.union(around))
        if (this.#settle(cluster, key, services.has(key) || around.has(key), revision)) own.add(key);
      if (own.size === 0) continue;
      changed.set(cluster, own);
      const member = this.#members.get(cluster);
      if (member !== undefined) member.changedIn = revision;
    }
    if (changed.size > 0) this.#forget();
    return changed;
  }

  /** Services that are others for the cluster since its routes need other chains of them, or lead to one that is drained otherwise. */
  #around(cluster: string, keys: ReadonlySet<ServiceKey>, drained: ReadonlySet<ServiceKey>): ReadonlySet<ServiceKey> {
    const rules = this.#inputs.rules.get(cluster);
    const elsewhere = this.#elsewhere.get(cluster) ?? new Elsewhere();
    const found = new Set<ServiceKey>();
    for (const key of keys) {
      for (const target of elsewhere.set(key, rules?.get(key)?.routes)) {
        for (const led of this.#withHosts(new Set([target]))) {
          found.add(led);
          index(this.#led, cluster, led, elsewhere.chains(target).length > 0);
        }
      }
      if (drained.has(key)) for (const source of elsewhere.sources(key)) found.add(source);
    }
    if (elsewhere.isEmpty) this.#elsewhere.delete(cluster);
    else this.#elsewhere.set(cluster, elsewhere);
    return found;
  }

  #withHosts(keys: ReadonlySet<ServiceKey>): Set<ServiceKey> {
    return new Set([...keys].flatMap((key) => [key, ...(this.#inputs.ruledAs?.(key) ?? [])]));
  }

  /** Says whether the cluster's proxies see another thing of the service, or under another rule. */
  #settle(cluster: string, key: ServiceKey, isAnother: boolean, revision: number): boolean {
    const catalog = this.#inputs.services.get(key);
    const rule = ruleOf(key, this.#inputs.rules.get(cluster), this.#inputs.services);
    const needed = this.#elsewhere.get(cluster)?.chains(key) ?? [];
    let member = this.#members.get(cluster);
    if (member === undefined) {
      if (rule === undefined && needed.length === 0) return false;
      member = { services: new Map(), history: new RuleHistory(), returned: new Map(), changedIn: revision };
      this.#members.set(cluster, member);
    }
    const before = member.services.get(key);
    const ruleChanged =
      catalog?.ruledAs === undefined ? member.history.remember(key, rule, revision) : before?.rule !== rule?.ref;
    index(this.#clusters, cluster, key, rule !== undefined);
    if (rule === undefined) {
      const wasThere = member.services.has(key);
      if (needed.length === 0 || catalog === undefined) member.services.delete(key);
      else if (!wasThere || isAnother || ruleChanged)
        member.services.set(key, this.#inputs.compile(catalog, this.#inputs.ruleForAll(key), needed));
      if (!ruleChanged) return wasThere !== member.services.has(key) || (wasThere && isAnother);
      member.returned.set(key, revision);
      index(this.#returned, cluster, key, true);
      const [oldest] = member.returned.keys();
      if (oldest !== undefined && member.returned.size > returnedMax) this.#forgetReturn(cluster, member, oldest);
      return true;
    }
    if (member.returned.has(key)) this.#forgetReturn(cluster, member, key);
    if (catalog === undefined) return member.services.delete(key) || ruleChanged;
    if (before !== undefined && !isAnother && !ruleChanged) return false;
    if (!isDeepStrictEqual(before?.catalog.ports, catalog.ports)) member.history.show(catalog.ruledAs ?? key, revision);
    member.services.set(key, this.#inputs.compile(catalog, rule, needed));
    return true;
  }

  #forgetReturn(cluster: string, member: Member, key: ServiceKey): void {
    member.returned.delete(key);
    index(this.#returned, cluster, key, false);
  }

  #forget(): void {
    const empty = [...this.#members].filter(([, { history }]) => history.size === 0);
    for (const [cluster, member] of empty.slice(0, Math.max(0, empty.length - emptyMax))) {
      for (const key of [...member.returned.keys()]) this.#forgetReturn(cluster, member, key);
      this.#members.delete(cluster);
    }
  }
}

function index(clusters: Map<ServiceKey, Set<string>>, cluster: string, key: ServiceKey, isIn: boolean): void {
  const there = clusters.get(key);
  if (!isIn) {
    there?.delete(cluster);
    if (there?.size === 0) clusters.delete(key);
  } else if (there === undefined) clusters.set(key, new Set([cluster]));
  else there.add(cluster);
}
