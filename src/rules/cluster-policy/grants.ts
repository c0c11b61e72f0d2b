/**
 * What all ClusterPolicies together grant. In: the policies that count; out: for a cluster, a namespace and a kind, whether it is granted and
 * whose rule goes first. Pure.
 *
 * What always holds: a right is the sum of what policies grant, whatever their order; where those that grant the same differ in who goes first,
 * it is the primary, which gives less away.
 */

import { compareText } from '../../core/compare-text.ts';
import type { ClusterPolicy, Precedence } from '../../model/cluster-policy.ts';

export interface Grant {
  readonly precedence: Precedence;
  /** The policies that grant it, by name. */
  readonly policies: readonly string[];
  /** They differ in who goes first. */
  readonly isDisputed: boolean;
  /** One of them has statuses written into the member. */
  readonly writesStatus: boolean;
}

/** A name, or a beginning with `*` behind it. */
export function matchesPattern(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

export class Grants {
  readonly #policies: readonly ClusterPolicy[];
  readonly #ofCluster = new Map<string, readonly ClusterPolicy[]>();

  constructor(policies: Iterable<ClusterPolicy>) {
    this.#policies = [...policies].sort((a, b) => compareText(a.ref.name, b.ref.name) || compareText(a.hash, b.hash));
  }

  /** The policies that name a cluster, by name. */
  ofCluster(cluster: string): readonly ClusterPolicy[] {
    let policies = this.#ofCluster.get(cluster);
    if (policies === undefined) {
      policies = this.#policies.filter(({ clusters }) => clusters.some((pattern) => matchesPattern(pattern, cluster)));
      this.#ofCluster.set(cluster, policies);
    }
    return policies;
  }

  /** undefined: nobody grants it. */
  of(cluster: string, namespace: string, kind: string): Grant | undefined {
    const granting = this.ofCluster(cluster).filter(({ grants }) =>
      grants.some(
        ({ namespaces, kinds }) =>
          kinds.includes(kind) && namespaces.some((pattern) => matchesPattern(pattern, namespace)),
      ),
    );
    if (granting.length === 0) return undefined;
    const isPrimary = granting.some(({ precedence }) => precedence === 'primary');
    return {
      precedence: isPrimary ? 'primary' : 'member',
      policies: [...new Set(granting.map(({ ref }) => ref.name))],
      writesStatus: granting.some(({ writeStatus }) => writeStatus),
      isDisputed: isPrimary && granting.some(({ precedence }) => precedence === 'member'),
    };
  }

  /** What decides the rights of one cluster, as text: equal texts, equal rights. */
  signature(cluster: string): string {
    return this.ofCluster(cluster)
      .map(({ ref, hash }) => `${ref.name}@${hash}`)
      .join();
  }
}
