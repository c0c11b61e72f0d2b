/** What a pilot is told, complete and checked. Durations in ms; paths relative to the working directory. */

import type { LogLevel } from '../core/logger.ts';
import type { Merging } from '../model/clusterset.ts';
import type { ConfigMode } from '../model/mesh.ts';
import type { Standard } from '../rules/objects/kind-types.ts';

export interface Address {
  /** '' means every address. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface PilotConfig {
  readonly clustersDir?: string;
  readonly kubeconfig?: string;
  readonly contexts: readonly { readonly cluster: string; readonly context: string }[];
  readonly primary?: string;
  readonly inCluster: boolean;
  readonly inClusterName: string;
  readonly allowExecCredentials: boolean;
  /** A file of access providers; left out: ClusterProfiles register no clusters. */
  readonly clusterProfiles?: string;
  /** Registered clusters are told of in ClusterProfiles. */
  readonly publishClusters?: boolean;
  readonly rulesDir?: string;
  readonly xds: Address;
  readonly admin: Address;
  readonly adminTokenFile?: string;
  readonly stateDir?: string;
  readonly staleKeepMs?: number;
  readonly namespace: string;
  readonly outbound: 'allow-any' | 'registered-only';
  /** For proxies that do not say it, in namespaces that do not say it. */
  readonly mode: ConfigMode;
  readonly clusterDomain: string;
  /** Services that are exported are imported into the clusters that have their namespace (Multi-Cluster Services API). */
  readonly mcs?: boolean;
  /** Which services are one over all clusters. Default: all of a name. */
  readonly services?: Merging;
  /** Ports that declare no protocol are looked into. */
  readonly detectProtocols?: boolean;
  /** As in `MeshSettings`. */
  readonly systemCaFile?: string;
  /** The mark by which iptables know sidecars' own packets. */
  readonly proxyMark?: number;
  /** Kinds that others define and that are read. Default: Gateway API's. */
  readonly standards?: readonly Standard[];
  readonly accessLog: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'auto' | 'json' | 'text';
  readonly syncWaitMs: number;
  readonly drainMs: number;
}
