/** What a pilot is told, complete and checked. Durations in ms; paths relative to the working directory. */

import type { LogLevel } from '../core/logger.ts';
import type { ConfigMode } from '../model/mesh.ts';

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
  /** Ports that declare no protocol are looked into. */
  readonly detectProtocols?: boolean;
  readonly accessLog: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'auto' | 'json' | 'text';
  readonly syncWaitMs: number;
  readonly drainMs: number;
}
