/**
 * How far what is in force has got: which proxies hold which form of a rule, and since when. In: the mesh, the connected proxies, and what their
 * streams have acknowledged. Out: counts, and forms of rules. What always holds: a look at all rules costs proxies + rules (rule-progress.ts).
 */

import type { MeshState } from '../../mesh/mesh-state.ts';
import type { Scope } from '../../model/mesh.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { Proxies } from './proxies.ts';
import { progressOfRule } from './rule-audience.ts';
import { type AckedFloor, ProgressCensus, type RuleProgress } from './rule-progress.ts';

export interface ReachInputs {
  readonly mesh: MeshState;
  readonly proxies: Pick<Proxies, 'all'>;
  readonly ackedFloor: AckedFloor;
  /** The rule in force that one is a part of. `holder`: as for `ofRule`. Default: itself. */
  readonly carrier?: ((rule: TrafficRule, holder: string) => TrafficRule) | undefined;
}

export class Reach {
  readonly #inputs: ReachInputs;
  #last: ProgressCensus | undefined;

  constructor(inputs: ReachInputs) {
    this.#inputs = inputs;
  }

  /** Something that counts is another now. */
  moved(): void {
    this.#last = undefined;
  }

  /** `holder`: the cluster that holds the rule for its own proxies; '': it is for all but those that have one of their own in its place. */
  ofRule(rule: TrafficRule, holder = ''): RuleProgress {
    return progressOfRule(this.#census(), this.#inputs.mesh, this.#carrier(rule, holder), holder);
  }

  /** Whether a proxy of this mode is connected. */
  hasMode(mode: Scope['mode']): boolean {
    return this.#census().hasMode(mode);
  }

  /** The revision of the mesh since which the proxies of a cluster see this form of a rule; undefined: they do not, or not yet. */
  ruleSince(rule: TrafficRule, cluster: string): number | undefined {
    const { mesh } = this.#inputs;
    return mesh.ruleSince(rule, cluster) ?? mesh.ruleSince(this.#carrier(rule, ''), cluster);
  }

  /** What the proxies of a cluster saw of a service's rule at a revision of the mesh, as far as it is remembered. */
  ruleAt(service: ServiceKey, revision: number, cluster: string): TrafficRule | undefined {
    return this.#inputs.mesh.ruleAt(service, revision, cluster);
  }

  /** What a proxy of a cluster has of a service's rule for which some forms are set aside. */
  ruleWithout(service: ServiceKey, isAside: (rule: TrafficRule) => boolean, cluster: string): TrafficRule | undefined {
    return this.#inputs.mesh.ruleWithout(service, isAside, cluster);
  }

  /** How many of the proxies that `isFor` picks hold what is in force since that revision of the mesh. */
  since(since: number | undefined, isFor: (scope: Scope) => boolean, form?: string): RuleProgress {
    return this.#census().since(since, isFor, form);
  }

  /** How many proxies of these clusters hold what rules of the clusters' own changed last. */
  ofMembers(clusters: ReadonlySet<string>): RuleProgress {
    const since = Math.max(0, ...[...clusters].map((cluster) => this.#inputs.mesh.memberChangedIn(cluster)));
    return this.#census().since(since, ({ cluster }) => clusters.has(cluster));
  }

  #carrier(rule: TrafficRule, holder: string): TrafficRule {
    return this.#inputs.carrier?.(rule, holder) ?? rule;
  }

  /** Taken once for all who ask before anything else happens. */
  #census(): ProgressCensus {
    if (this.#last === undefined) {
      this.#last = new ProgressCensus(this.#inputs.proxies.all(), this.#inputs.ackedFloor);
      queueMicrotask(() => this.moved());
    }
    return this.#last;
  }
}
