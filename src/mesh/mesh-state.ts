/**
 * The mesh as it is now, kept up with the catalog and the rules: told which services are dirty, it compiles those anew and nothing else.
 * Remembers for each service with a rule the forms that were in force before the present one: what a proxy goes on with that rejects it.
 *
 * There is one mesh for all, and another for each cluster that holds rules of its own (member-meshes.ts), which differs from it in these.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Mesh, MeshService, MeshSettings } from '../model/mesh.ts';
import type { RuleBackend, TrafficRule } from '../model/rule.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { compileService } from './compile.ts';
import { Elsewhere } from './elsewhere.ts';
import { type MemberDirt, MemberMeshes, type MemberRuleLookup } from './member-meshes.ts';
import { OverlaidServices } from './overlaid-services.ts';
import { RuleHistory } from './rule-history.ts';
import { type RuledAs, ruleOf } from './ruled-as.ts';

export interface MeshInputs {
  readonly services: Pick<ReadonlyMap<ServiceKey, CatalogService>, 'get'>;
  /** Hosts outside for which rules stand under this key. Default: none. */
  readonly ruledAs?: RuledAs;
  /** The rule in force per service. */
  readonly rules: Pick<ReadonlyMap<ServiceKey, TrafficRule>, 'get'>;
  /** By cluster: the rules that its own proxies see in place of these. Default: none. */
  readonly memberRules?: MemberRuleLookup;
}

/** Hosts outside in other forms than those in force, and those that are not there. */
export interface OutsideHosts {
  readonly services: ReadonlyMap<ServiceKey, CatalogService>;
  readonly hidden: ReadonlySet<ServiceKey>;
}

const noHosts: OutsideHosts = { services: new Map(), hidden: new Set() };

const noDirt: MemberDirt = new Map();

export class MeshState {
  readonly #inputs: MeshInputs;
  readonly #settings: MeshSettings;
  readonly #services = new Map<ServiceKey, MeshService>();
  readonly #history = new RuleHistory();
  readonly #members: MemberMeshes;
  readonly #elsewhere = new Elsewhere();
  /** Of `#mesh`, by cluster. */
  readonly #ofCluster = new Map<string, Mesh>();
  #memberChanges: MemberDirt = noDirt;
  #mesh: Mesh;

  constructor(inputs: MeshInputs, settings: MeshSettings) {
    this.#inputs = inputs;
    this.#settings = settings;
    this.#members = new MemberMeshes({
      services: inputs.services,
      ...(inputs.ruledAs === undefined ? {} : { ruledAs: inputs.ruledAs }),
      rules: inputs.memberRules ?? new Map(),
      ruleForAll: (key) => ruleOf(key, inputs.rules, inputs.services),
      compile: (catalog, rule, needed) => this.#compile(catalog, rule, needed),
    });
    this.#mesh = { revision: 0, settings, services: this.#services };
  }

  get mesh(): Mesh {
    return this.#mesh;
  }

  /** As the proxies of a cluster see it: the mesh itself, where the cluster has no rules of its own. */
  meshOf(cluster: string): Mesh {
    const own = this.#members.services(cluster);
    if (own.size === 0) return this.#mesh;
    let mesh = this.#ofCluster.get(cluster);
    if (mesh === undefined) {
      mesh = { ...this.#mesh, services: new OverlaidServices(this.#services, own) };
      this.#ofCluster.set(cluster, mesh);
    }
    return mesh;
  }

  /** Clusters whose proxies see another mesh than all. */
  memberClusters(): Iterable<string> {
    return this.#members.clusters();
  }

  /** Services that are others for the proxies of a cluster than for all; live. */
  memberServices(cluster: string): ReadonlyMap<ServiceKey, MeshService> {
    return this.#members.services(cluster);
  }

  /** What the last update changed for the proxies of single clusters, besides what it changed for all. */
  get memberChanges(): MemberDirt {
    return this.#memberChanges;
  }

  /**
   * Compiles `dirty` anew; returns those that changed for all. `memberDirty`: services whose rule of a cluster's own may be another. Raises the
   * revision if a service or a rule changed, a rule for no service included.
   */
  update(dirty: Iterable<ServiceKey>, memberDirty: MemberDirt = noDirt): ReadonlySet<ServiceKey> {
    const revision = this.#mesh.revision + 1;
    const changed = new Set<ServiceKey>();
    let rulesChanged = false;
    const { led, drained, all } = this.#withThoseAround(dirty);
    for (const key of all) {
      const catalog = this.#inputs.services.get(key);
      const rule = ruleOf(key, this.#inputs.rules, this.#inputs.services);
      const ruleChanged = catalog?.ruledAs === undefined && this.#history.remember(key, rule, revision);
      rulesChanged ||= ruleChanged;
      const before = this.#services.get(key);
      if (catalog === undefined) {
        if (this.#services.delete(key)) changed.add(key);
      } else if (before === undefined || before.catalog !== catalog || ruleChanged || led.has(key)) {
        if (rule !== undefined && !isDeepStrictEqual(before?.catalog.ports, catalog.ports))
          this.#history.show(catalog.ruledAs ?? key, revision);
        this.#services.set(key, this.#compile(catalog, rule));
        changed.add(key);
      }
    }
    this.#memberChanges = this.#members.update(changed, drained, memberDirty, revision);
    if (changed.size > 0 || rulesChanged || this.#memberChanges.size > 0) {
      this.#mesh = { revision, settings: this.#settings, services: this.#services };
      this.#ofCluster.clear();
    }
    return changed;
  }

  /**
   * `led`: services that are others although nothing of their own changed, for routes lead to them, or their routes lead to one. `drained`: whose
   * load is moved out otherwise.
   */
  #withThoseAround(dirty: Iterable<ServiceKey>): Readonly<Record<'led' | 'drained' | 'all', ReadonlySet<ServiceKey>>> {
    const all = new Set(dirty);
    const led = new Set<ServiceKey>();
    const drained = new Set<ServiceKey>();
    for (const key of [...all]) {
      for (const target of this.#elsewhere.set(key, this.#inputs.rules.get(key)?.routes)) led.add(target);
      if (this.#services.get(key)?.catalog.drain?.id === this.#inputs.services.get(key)?.drain?.id) continue;
      drained.add(key);
      for (const source of this.#elsewhere.sources(key)) led.add(source);
    }
    for (const key of [...all, ...led]) {
      // Rules for these, or the service that takes them, may be others.
      const isStill = this.#history.present(key) === this.#inputs.rules.get(key);
      const isThere = this.#inputs.services.get(key) !== undefined;
      if (isStill && isThere === this.#services.has(key) && !led.has(key)) continue;
      for (const host of this.#inputs.ruledAs?.(key) ?? []) led.add(host);
    }
    return { led, drained, all: led.size === 0 ? all : all.union(led) };
  }

  #compile(
    catalog: CatalogService,
    rule: TrafficRule | undefined,
    needed: readonly RuleBackend['chain'][] = [],
  ): MeshService {
    return compileService(catalog, rule, {
      needed: [...this.#elsewhere.chains(catalog.key), ...needed],
      drainOf: (key) => this.#inputs.services.get(key)?.drain,
    });
  }

  /** What services have to do with one another, now and if some had other routes in force; valid until the next update. */
  get elsewhere(): Pick<Elsewhere, 'chains' | 'sources' | 'with'> {
    return this.#elsewhere;
  }

  /** The revision in which rules of the cluster's own last changed something for its proxies; 0: never. */
  memberChangedIn(cluster: string): number {
    return this.#members.changedIn(cluster);
  }

  /** Clusters whose proxies see a rule of their own for the service, or came to see the one for all later than others. */
  clustersApart(key: ServiceKey): Iterable<string> {
    return this.#members.clustersApart(key);
  }

  /** A cluster's proxies see a rule of their own in place of the one for all. */
  isOverruled(key: ServiceKey, cluster: string): boolean {
    return this.#members.history(cluster)?.present(key) !== undefined;
  }

  /**
   * The revision since which the proxies of a cluster see this form of the rule for its service; undefined: they do not, or not yet. `cluster`
   * left out: those of clusters without rules of their own.
   */
  ruleSince(rule: TrafficRule, cluster = ''): number | undefined {
    if (this.isOverruled(rule.service, cluster)) return this.#members.history(cluster)?.since(rule);
    const since = this.#history.since(rule);
    return since === undefined ? undefined : Math.max(since, this.#members.returned(cluster, rule.service) ?? 0);
  }

  /** The form of the service's rule that the proxies of a cluster saw at a revision, as far as it is remembered; undefined: none. */
  ruleAt(key: ServiceKey, revision: number, cluster = ''): TrafficRule | undefined {
    return this.#members.history(cluster)?.at(key, revision) ?? this.#history.at(key, revision);
  }

  /** Services whose rule the proxies of a cluster saw for the first time, or more of it, after revision `after` and up to `upTo`. */
  ruleChanges(after: number, upTo: number, cluster = ''): ServiceKey[] {
    const own = this.#members.history(cluster)?.changes(after, upTo) ?? [];
    const returned = this.#members.returns(cluster, after, upTo);
    return [...new Set([...this.#history.changes(after, upTo), ...own, ...returned])];
  }

  /** Every form that is in force or may be fallen back to. */
  *ruleForms(): Generator<TrafficRule> {
    yield* this.#history.forms();
    yield* this.#members.forms();
  }

  /**
   * The newest form of the service's rule, as a cluster's proxies see it, that is not set aside; undefined: it goes without a rule. Where all
   * forms of a member's rule are set aside, the rule for all takes their place.
   */
  ruleWithout(key: ServiceKey, isAside: (rule: TrafficRule) => boolean, cluster = ''): TrafficRule | undefined {
    return this.#members.history(cluster)?.without(key, isAside) ?? this.#history.without(key, isAside);
  }

  /**
   * The mesh as a proxy (of a cluster) sees it for which some forms of rules are set aside: their services are compiled with the newest form
   * that is not, or without a rule if there is none. `outside`: hosts outside that are others for it.
   */
  without(isAside: (rule: TrafficRule) => boolean, cluster = '', outside: OutsideHosts = noHosts): Mesh {
    const own = new Map(this.#members.services(cluster));
    const histories = [this.#history, this.#members.history(cluster)];
    for (const history of histories) {
      for (const [key, present] of history?.all() ?? []) {
        if (history === this.#history && this.isOverruled(key, cluster)) continue;
        if (!isAside(present)) continue;
        const hosts = this.#inputs.services.get(key) === undefined ? (this.#inputs.ruledAs?.(key) ?? []) : [key];
        for (const ruled of hosts) {
          const catalog = outside.services.get(ruled) ?? this.#inputs.services.get(ruled);
          if (catalog !== undefined) own.set(ruled, this.#compiled(catalog, this.ruleWithout(key, isAside, cluster)));
        }
      }
    }
    for (const [key, catalog] of outside.services) {
      if (own.get(key)?.catalog === catalog) continue;
      const { rules, memberRules, services } = this.#inputs;
      const rule = ruleOf(key, memberRules?.get(cluster), services) ?? ruleOf(key, rules, services);
      own.set(key, this.#compiled(catalog, rule));
    }
    return { ...this.#mesh, services: new OverlaidServices(this.#services, own, outside.hidden) };
  }

  /** Other forms than those in force, compiled: the same object as long as nothing changes, so that what was made from it is found again. */
  readonly #others = new WeakMap<CatalogService, Map<TrafficRule | undefined, MeshService>>();

  #compiled(catalog: CatalogService, rule: TrafficRule | undefined): MeshService {
    let byRule = this.#others.get(catalog);
    if (byRule === undefined) {
      byRule = new Map();
      this.#others.set(catalog, byRule);
    }
    let compiled = byRule.get(rule);
    if (compiled === undefined) {
      compiled = this.#compile(catalog, rule);
      byRule.set(rule, compiled);
    }
    return compiled;
  }
}
