/**
 * A registered cluster as the rest of the pilot knows it: who it is, where it is, and how fresh what it says is.
 */

import type { ErrorCode } from '../core/errors.ts';

/** Where something runs, from Kubernetes' well-known topology labels; '' means unknown. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

export const unknownLocality: Locality = { region: '', zone: '', subzone: '' };

export interface ClusterInfo {
  /** Unique among the registered clusters; matches `clusterNamePattern`. */
  readonly name: string;
  /** Endpoints of one network reach each other without a gateway. '' is the default network. */
  readonly network: string;
  /** The locality of endpoints that name none. */
  readonly locality: Locality;
  /** The kube-system namespace's UID; tells one API registered under two names. '' where there is none (file, memory). */
  readonly uid: string;
  /** What its API says of its id in the clusterset (ClusterProperty `cluster.clusterset.k8s.io`); a claim. Left out: nothing. */
  readonly clusterId?: string;
  /** For people: `file clusters/east`, `kubeconfig context kind-east`, `secret fairway-system/east`. */
  readonly origin: string;
}

/**
 * A cluster's name is part of Envoy cluster names (`outbound|80|v2.west|…`), where a dot separates version from cluster: so it holds none.
 */
export const clusterNamePattern = /^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;

/**
 * - `connecting`: nothing heard yet.
 * - `syncing`: it answers, and its first full list is not complete; what is held (if anything) is the last good state.
 * - `fresh`: all of it is listed and watched.
 * - `stale`: it was fresh (now or before a restart) and cannot be reached or trusted now; the last good state stays in force.
 * - `refused`: it will not be read until somebody changes something (bad credential, same API twice, forbidden kubeconfig).
 */
export type ClusterPhase = 'connecting' | 'syncing' | 'fresh' | 'stale' | 'refused';

export interface ClusterState {
  readonly phase: ClusterPhase;
  /** When this phase began, ms since the epoch. For `stale`: when the last news came. */
  readonly sinceMs: number;
  /** Why, for `stale` and `refused` and failing `connecting`; said with a code so that people can look it up. */
  readonly problem?: { readonly code: ErrorCode; readonly message: string; readonly hint: string };
}
