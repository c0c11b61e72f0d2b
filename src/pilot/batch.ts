/**
 * Where a batch begins: what changed since the last one is collected here, and taken over by the stages that stand before the mesh, each of which may touch
 * further services. In: services of which something is new, as often as anybody likes. Out: all that the mesh is to compile anew, and why.
 *
 * What always holds: what is collected is taken once, by the batch after; the stages see the catalog as this batch made it.
 */

import type { Catalog } from '../catalog/catalog.ts';
import type { MemberDirt, MemberRuleTable } from '../mesh/member-meshes.ts';
import type { ServiceKey } from '../model/service.ts';
import type { EngineOptions } from './engine-options.ts';

const noMemberRules: MemberRuleTable = new Map();

/** What stands before the mesh, and may be left out. */
export type Stages = Pick<EngineOptions, 'names' | 'externals' | 'drains' | 'derivedRules' | 'memberRules'>;

export interface Batch {
  /** What the catalog holds otherwise than before. */
  readonly catalog: ReadonlySet<ServiceKey>;
  /** Hosts outside that are otherwise. */
  readonly hosts: ReadonlySet<ServiceKey>;
  /** Services whose rule may be another. */
  readonly rules: ReadonlySet<ServiceKey>;
  /** All that the mesh is to look at again: the above, what is drained, and other names of these. */
  readonly dirty: ReadonlySet<ServiceKey>;
  /** By cluster: what its own proxies may see in place of a rule. */
  readonly members: MemberDirt;
}

export class PendingChanges {
  #shards = new Set<ServiceKey>();
  #rules = new Set<ServiceKey>();
  #members = new Map<string, Set<ServiceKey>>();

  /** What clusters say of them. Says whether anything waits now. */
  addShards(services: Iterable<ServiceKey>): boolean {
    for (const key of services) this.#shards.add(key);
    return this.#shards.size > 0;
  }

  /** The rules for them. Says whether anything waits now. */
  addRules(services: Iterable<ServiceKey>): boolean {
    for (const key of services) this.#rules.add(key);
    return this.#rules.size > 0;
  }

  /** What single clusters see. Says whether anything waits now. */
  addMembers(dirt: MemberDirt): boolean {
    for (const [cluster, keys] of dirt) this.#members.set(cluster, keys.union(this.#members.get(cluster) ?? new Set()));
    return this.#members.size > 0;
  }

  /** `revision`: of the mesh that comes of it. */
  take(catalog: Catalog, stages: Stages, revision: number): Batch {
    const [shards, ruleKeys, memberKeys] = [this.#shards, this.#rules, this.#members];
    this.#shards = new Set();
    this.#rules = new Set();
    this.#members = new Map();
    const { names, externals, drains, derivedRules, memberRules = noMemberRules } = stages;
    const changed = catalog.update(shards);
    const imported = names?.update() ?? new Set();
    const hosts = externals?.update(catalog.services, changed, revision) ?? new Set();
    const drained = drains?.update(catalog.services, changed, revision) ?? new Set();
    const derived = derivedRules?.(imported.size === 0 ? changed : changed.union(imported)) ?? new Set();
    const rules = derived.size === 0 ? ruleKeys : ruleKeys.union(derived);
    const ruled = rules.union(drained);
    const twins = names?.withTwins(ruled) ?? ruled;
    return {
      catalog: changed,
      hosts,
      rules,
      dirty: changed.union(twins).union(hosts).union(imported),
      members: names?.memberDirt(memberKeys, imported, memberRules) ?? memberKeys,
    };
  }
}
