/**
 * The seam between a registered cluster and who reads the rules that it holds of its own.
 *
 * What always holds: a link is opened for a cluster that is registered under that name, and closed when that ends; whether and when it is
 * started is up to the host.
 */

import type { StartMcsWriter } from './mcs-host.ts';
import type { RuleSink, RuleSource } from './rule-sink.ts';

export interface MemberSource extends RuleSource {
  /** Writes the status of a rule into the member. Left out: there is no place for it. `uid`: '' where unknown. */
  readonly writeStatus?: (
    target: { readonly namespace: string; readonly name: string; readonly uid: string },
    status: unknown,
  ) => void;
}

export interface MemberLink {
  /**
   * Starts reading the cluster's rules. `isLeader`: only the leader writes statuses. `isGranted`: some policy names the cluster; without one its
   * rules are read to be shown, as far as that takes nothing that the pilot does not have.
   */
  readonly start: (sink: RuleSink, isLeader: () => boolean, isGranted: boolean) => MemberSource;
  /** Reading costs nothing and takes no right that the pilot may lack: a grant makes no difference to it. */
  readonly isFree: boolean;
  /** Writes imports of the clusterset's services into the cluster, from its call on. Left out: there is no place for them. */
  readonly writeImports?: StartMcsWriter;
}

/** Returns what closes the link. A newer link to the same cluster takes the place of those before it. */
export type OpenMember = (cluster: string, link: MemberLink) => () => void;
