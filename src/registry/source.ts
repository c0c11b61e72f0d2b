/**
 * The seam between where a cluster's services come from (kube, file, memory) and the inventory that holds them.
 *
 * A source speaks for one cluster, through a sink that only it holds: so no cluster can write, shadow or remove another's shards.
 * What always holds: a source calls `sync` only with a complete and consistent statement; it calls `change` only after a `sync`; and it
 * never reports a removal that it did not see (unknown is not empty).
 */

import type { Finding } from '../core/errors.ts';
import type { ClusterState } from '../model/cluster.ts';
import type { ClusterSnapshot, NamespaceShard, ServiceKey, ServiceShard } from '../model/service.ts';

/** undefined removes. */
export interface ClusterChange {
  readonly services: ReadonlyMap<ServiceKey, ServiceShard | undefined>;
  readonly namespaces: ReadonlyMap<string, NamespaceShard | undefined>;
  /** As in ClusterSnapshot. */
  readonly exportsUnknown?: true;
}

export interface ClusterSink {
  state(state: ClusterState): void;
  /**
   * The whole truth of the cluster; the inventory diffs it against what it holds. With `partial`, a part of it could not be read since the
   * start (a file that does not parse): what the snapshot does not name is unknown, and stays as it was held.
   */
  sync(snapshot: ClusterSnapshot, partial?: boolean): void;
  change(change: ClusterChange): void;
  /** All that is wrong with what the cluster says now, while the rest of it is in force: the whole list, [] when it is cured. */
  findings?(findings: readonly Finding[]): void;
  /** What the API says it is: `v1.36.1`. Said once it is known, and when it is another. */
  version?(version: string): void;
}

export interface ClusterSource {
  /** Ends all work; afterwards the sink is not called any more. */
  stop(): Promise<void>;
}

/** Starts reading a cluster. Must not throw: what goes wrong is said through `sink.state`. */
export type StartSource = (sink: ClusterSink) => ClusterSource;
