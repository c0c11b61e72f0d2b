/** Which member clusters may hold rules of their own: what a ClusterPolicy says, with its defaults applied. */

/** Whose rule is in force for a member's own proxies where both have one for a service. */
export type Precedence = 'primary' | 'member';

export interface PolicyGrant {
  /** Names, or beginnings with `*` behind them. Sorted. */
  readonly namespaces: readonly string[];
  /** Sorted. */
  readonly kinds: readonly string[];
}

export interface ClusterPolicy {
  readonly ref: { readonly name: string; readonly generation: number };
  readonly createdAtMs: number;
  /** Names of clusters, or beginnings with `*` behind them. Sorted. */
  readonly clusters: readonly string[];
  readonly grants: readonly PolicyGrant[];
  readonly precedence: Precedence;
  /** Statuses of the members' rules are written into the members. */
  readonly writeStatus: boolean;
  /** Equal content, equal hash. */
  readonly hash: string;
  /** For people. */
  readonly origin: string;
}
