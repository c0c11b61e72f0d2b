/**
 * What the inventory is told to hold to, and what it shows: its clusters, the ones it would not take, and what changed. Plain values and live
 * read-only maps.
 */

import type { Finding } from '../core/errors.ts';
import type { ClusterInfo, ClusterState } from '../model/cluster.ts';
import type { NamespaceShard, ServiceKey, ServiceShard } from '../model/service.ts';
import { defaultStatementLimits, type StatementLimits } from './statement.ts';

export interface InventorySettings {
  readonly limits: StatementLimits;
  readonly maxClusters: number;
  /** How long streams wait for the first sync of the clusters, ms. After it they are answered, with a loud mark on each cluster that is missing. */
  readonly initialWaitMs: number;
  /** The same for a cluster that has already said that it cannot be reached. */
  readonly unreachableWaitMs: number;
  /** The same for a cluster whose last good state was loaded from disk: it has something to serve, so it is waited for only briefly. */
  readonly lastGoodWaitMs: number;
  /**
   * How long the last good state of a cluster without news stays in force, ms. `Infinity`, the default, is for ever: an endpoint that is really
   * gone is found out by its clients (retries, fallback), while taking a working one away is an outage that only the pilot makes.
   */
  readonly staleKeepMs: number;
}

export const defaultInventorySettings: InventorySettings = {
  limits: defaultStatementLimits,
  maxClusters: 2000,
  initialWaitMs: 30_000,
  unreachableWaitMs: 5_000,
  lastGoodWaitMs: 2_000,
  staleKeepMs: Number.POSITIVE_INFINITY,
};

export interface ClusterRecord {
  readonly info: ClusterInfo;
  readonly state: ClusterState;
  /** Of its API, as the source in force read it: `v1.36.1`; '' where that is not known. */
  readonly version: string;
  /** Which of its services are exported cannot be told; what was held of that stays. */
  readonly exportsUnknown: boolean;
  /** Live; never changed by its reader. Held last good while the state is anything but `fresh`. */
  readonly services: ReadonlyMap<ServiceKey, ServiceShard>;
  readonly namespaces: ReadonlyMap<string, NamespaceShard>;
  readonly endpointCount: number;
  /** When the cluster was last known to be as it is held here, ms since the epoch; undefined before the first news. */
  readonly lastNewsMs: number | undefined;
  /** All that is wrong with what its source in force says, while the rest is in force; a rotated source's come when it takes over. */
  readonly findings: readonly Finding[];
  /** Foreign and excess shards and endpoints left out since the start. */
  readonly droppedTotal: number;
  /** The state of a rotated source that has not taken over yet. */
  readonly rotation: ClusterState | undefined;
}

/** A registration that is not in force: its name is taken or malformed, or its discovery could not use it. */
export interface RefusedRecord {
  readonly name: string;
  readonly origin: string;
  readonly sinceMs: number;
  readonly problem: Problem;
}

export type Problem = NonNullable<ClusterState['problem']>;

export interface InventoryChange {
  readonly cluster: string;
  /** Services of this cluster that were added, changed or removed. */
  readonly services: ReadonlySet<ServiceKey>;
  readonly namespaces: ReadonlySet<string>;
  /** Anything else about the cluster changed: its state, info or findings, or it came or went. */
  readonly stateChanged: boolean;
}

/** Equal problems read the same. */
export function sameState(a: ClusterState | undefined, b: ClusterState | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.phase === b.phase &&
    a.sinceMs === b.sinceMs &&
    a.problem?.code === b.problem?.code &&
    a.problem?.message === b.problem?.message &&
    a.problem?.hint === b.problem?.hint
  );
}
