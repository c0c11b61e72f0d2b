/**
 * What the proxies of single clusters see in place of what all see: rules that member clusters hold of their own, compiled.
 *
 * In: by cluster, the rules that hold there (already granted and chosen), and which of them, or of the services, may have changed. Out: by
 * cluster, the services that are other ones there. What always holds: a cluster's rules change nothing but what its own proxies see; a cluster
 * without rules of its own costs nothing; the cost of a change is that of the clusters that have a rule for the service.
 */

import { isDeepStrictEqual } from 'node:util';
import type { MeshService } from '../model/mesh.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { RuleHistory } from './rule-history.ts';
import { type RuledAs, ruleOf } from './ruled-as.ts';

/** By cluster, then by service. */
export type MemberRuleTable = ReadonlyMap<string, ReadonlyMap<ServiceKey, TrafficRule>>;

export type MemberDirt = ReadonlyMap<string, ReadonlySet<ServiceKey>>;

export interface MemberMeshInputs {
  readonly services: Pick<ReadonlyMap<ServiceKey, CatalogService>, 'get'>;
  readonly rules: MemberRuleTable;
  /** As for all. */
  readonly ruledAs?: RuledAs;
  /** As for all. */
  readonly compile: (catalog: CatalogService, rule: TrafficRule | undefined) => MeshService;
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
   * `services`: those that became others for all; `rules`: those whose rule of a member may be another. Returns, by cluster, the services that
   * are others for its proxies than before.
   */
  update(services: ReadonlySet<ServiceKey>, rules: MemberDirt, revision: number): MemberDirt {
    const dirty = new Map([...rules].map(([cluster, keys]) => [cluster, this.#withHosts(keys)]));
    for (const key of services) {
      for (const cluster of this.#clusters.get(key) ?? []) {
        const keys = dirty.get(cluster);
        if (keys === undefined) dirty.set(cluster, new Set([key]));
        else keys.add(key);
      }
    }
    const changed = new Map<string, Set<ServiceKey>>();
    for (const [cluster, keys] of dirty) {
      const own = new Set<ServiceKey>();
      for (const key of keys) if (this.#settle(cluster, key, services.has(key), revision)) own.add(key);
      if (own.size === 0) continue;
      changed.set(cluster, own);
      const member = this.#members.get(cluster);
      if (member !== undefined) member.changedIn = revision;
    }
    if (changed.size > 0) this.#forget();
    return changed;
  }

  #withHosts(keys: ReadonlySet<ServiceKey>): Set<ServiceKey> {
    return new Set([...keys].flatMap((key) => [key, ...(this.#inputs.ruledAs?.(key) ?? [])]));
  }

  /** Says whether the cluster's proxies see another thing of the service, or under another rule. */
  #settle(cluster: string, key: ServiceKey, isAnother: boolean, revision: number): boolean {
    const catalog = this.#inputs.services.get(key);
    const rule = ruleOf(key, this.#inputs.rules.get(cluster), this.#inputs.services);
    let member = this.#members.get(cluster);
    if (member === undefined) {
      if (rule === undefined) return false;
      member = { services: new Map(), history: new RuleHistory(), returned: new Map(), changedIn: revision };
      this.#members.set(cluster, member);
    }
    const before = member.services.get(key);
    const ruleChanged =
      catalog?.ruledAs === undefined ? member.history.remember(key, rule, revision) : before?.rule !== rule?.ref;
    index(this.#clusters, cluster, key, rule !== undefined);
    if (rule === undefined) {
      if (!ruleChanged) return false;
      member.services.delete(key);
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
    member.services.set(key, this.#inputs.compile(catalog, rule));
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
