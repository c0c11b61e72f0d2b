/**
 * What `fairway serve` is told, read and checked: the command line goes in (src/cli/commands/serve.ts), this plain value comes out and is all
 * that src/cli/serve.ts gets. Paths are as given, relative to the working directory; durations are in ms.
 */

import type { LogLevel } from '../core/logger.ts';
import type { Merging } from '../model/clusterset.ts';
import type { Standard } from '../rules/objects/kind-types.ts';
import type { HostPort } from './host-port.ts';

/** One context of the kubeconfig and the name under which its cluster is registered. */
export interface ContextOption {
  /** The registered cluster's name: the alias, or the context's own name. Matches `clusterNamePattern`. */
  readonly cluster: string;
  readonly context: string;
}

export interface ServeOptions {
  /** A folder with one sub-folder per cluster. */
  readonly clustersDir?: string;
  /** A kubeconfig file; undefined: $KUBECONFIG, then ~/.kube/config, if any context is named. */
  readonly kubeconfig?: string;
  /** In the order given; cluster names are distinct. */
  readonly contexts: readonly ContextOption[];
  /** The registered cluster whose TrafficRules and cluster Secrets are read; undefined: the first context, or with `inCluster` the own one. */
  readonly primary?: string;
  /** Reads the cluster that the pilot runs in, through its service account. */
  readonly inCluster: boolean;
  /** The name of the own cluster with `inCluster`. */
  readonly inClusterName: string;
  /** Lets kubeconfigs run commands (`exec`, `authProvider`) and name files; refused otherwise. */
  readonly allowExecCredentials: boolean;
  /** A file of access providers (KEP-5339): ClusterProfiles in the pilot's namespace of the primary that offer one register their clusters. */
  readonly clusterProfiles?: string;
  /** Writes a ClusterProfile for each cluster that is registered otherwise, into the pilot's namespace of the primary. */
  readonly publishClusters?: boolean;
  /** A folder of YAML with TrafficRules and other objects; also where those applied over the admin API are written. */
  readonly rulesDir?: string;
  readonly xds: HostPort;
  readonly admin: HostPort;
  /** A file that holds the admin API's bearer token; required when `admin` is not a loopback address. */
  readonly adminTokenFile?: string;
  /** Where each cluster's last good state is kept; undefined: nowhere. */
  readonly stateDir?: string;
  /** How long a lost cluster's last good state stays in force; undefined: for ever. */
  readonly staleKeepMs?: number;
  /** The pilot's own namespace: where cluster Secrets and the Lease live. */
  readonly namespace: string;
  readonly outbound: 'allow-any' | 'registered-only';
  /** How much sidecars hold: all that they may see, or what their requests asked for. Namespaces and sidecars may say otherwise. */
  readonly mode: 'eager' | 'on-demand';
  readonly clusterDomain: string;
  /** Writes imports of exported services into the clusters (Multi-Cluster Services API). */
  readonly mcs?: boolean;
  /** Which services are one over all clusters: all of a name, or those that are exported, under `clusterset.local`. */
  readonly services: Merging;
  /** Ports that declare no protocol are looked into, connection by connection. */
  readonly detectProtocols?: boolean;
  /** On the sidecars' machines: whom they trust in TLS to hosts outside. */
  readonly systemCaFile?: string;
  /** The mark by which iptables know sidecars' own packets. */
  readonly proxyMark?: number;
  /** Kinds that others define and that are read. */
  readonly standards: readonly Standard[];
  readonly accessLog: boolean;
  readonly logLevel: LogLevel;
  /** `auto`: text on a terminal, else JSON. */
  readonly logFormat: 'auto' | 'json' | 'text';
  /** How long the first answer may wait for clusters that have not synced; after it they are marked and the rest is served. */
  readonly syncWaitMs: number;
  /** How long streams may drain after SIGTERM. */
  readonly drainMs: number;
}

export const serveDefaults = {
  xds: '127.0.0.1:15010',
  admin: '127.0.0.1:15014',
  namespace: 'fairway-system',
  inClusterName: 'primary',
  clusterDomain: 'cluster.local',
  outbound: 'allow-any',
  mode: 'eager',
  services: 'all',
  standards: 'gateway-api',
  logLevel: 'info',
  logFormat: 'auto',
  syncWait: '30s',
  drain: '5s',
} as const;
