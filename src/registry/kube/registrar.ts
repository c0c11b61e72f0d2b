/**
 * What a discovery of clusters needs of the inventory (src/registry/inventory.ts has all of it).
 */

import type { ClusterState, Locality } from '../../model/cluster.ts';
import type { ClusterProfileReport } from '../../model/report.ts';
import type { StartSource } from '../source.ts';

export interface ClusterRegistrar {
  /** First registration, or rotation: then the new source takes over once it has synced. */
  add(name: string, origin: string, start: StartSource): void;
  remove(name: string, origin: string): void;
  /** Shows what cannot be used; what is registered stays. The next `add` of the same name and origin takes it back. */
  refuse(name: string, origin: string, problem: NonNullable<ClusterState['problem']>): void;
  /** What a registration says of its cluster, for people. Left out: nobody is told. */
  note?(origin: string, profile: ClusterProfileReport | undefined): void;
  /** Nobody is answered before the returned function is called (or the wait for it is over); `false`: not everything could be read. */
  beginDiscovery(what: string): (isWhole?: boolean) => void;
  /** What is registered, by name. */
  clusters(): ReadonlyMap<string, { readonly info: { readonly origin: string } }>;
  /** Puts clusters in force that are known from before a restart. */
  restore(mine: (origin: string) => boolean): readonly { readonly name: string; readonly origin: string }[];
}

/** Where a cluster stands, as its registration says; '' for what is not said. */
export interface RegisteredPlace {
  readonly network: string;
  readonly locality: Locality;
}

export interface Discovery {
  /** Ends looking; the clusters stay registered. */
  stop(): Promise<void>;
}
