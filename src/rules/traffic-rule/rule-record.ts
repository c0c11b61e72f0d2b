/** A TrafficRule as one source holds it, and what became of it among the others. */

import type { Finding } from '../../core/errors.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { ObjectRecord } from '../objects/object-set.ts';

/** One object as one source holds it, and what became of it among the others. Replaced, never changed. */
export interface RuleRecord extends ObjectRecord<TrafficRule> {
  /** The service that the latest form is for, or else the last good form; undefined where neither says. */
  readonly service?: ServiceKey;
  /** Of the latest form, and of what it lost against. An error means that the latest form is not in force. */
  readonly findings: readonly Finding[];
  /** Why `lastGood` is not in force. */
  readonly loss?: Loss;
  /** The member cluster that holds it for its own proxies. Left out: it is the primary's, for all. */
  readonly holder?: string;
  /** Why the winner of its holder is not in force nevertheless. */
  readonly withheld?: { readonly reason: 'NotGranted' | 'PrimaryFirst'; readonly message: string };
}

export interface Loss {
  /** `overruled`: another rule is in force for the service; `duplicate`: another source has the same object. */
  readonly kind: 'overruled' | 'duplicate';
  readonly by: Winner;
}

export interface Winner {
  /** The winning record's. */
  readonly key: string;
  /** `namespace/name`. */
  readonly id: string;
  /** Where it comes from, for people. */
  readonly origin: string;
}
