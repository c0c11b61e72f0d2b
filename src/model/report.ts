/**
 * What the admin API answers and the CLI prints: plain JSON, stable names. Times are RFC 3339, ages are left to who prints them.
 */

import type { Finding } from '../core/errors.ts';
import type { ClusterPhase, Locality } from './cluster.ts';
import type { ProxyIdentity, SyncState } from './proxy.ts';
import type { Condition } from './rule.ts';
import type { AppProtocol, ServiceConflict, TransportProtocol } from './service.ts';

/** What the ClusterProfile by which a cluster is registered says of it. */
export interface ClusterProfileReport {
  readonly manager: string;
  readonly displayName: string;
  readonly properties: readonly { readonly name: string; readonly value: string }[];
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

export interface ClusterReport {
  readonly name: string;
  readonly phase: ClusterPhase;
  readonly since: string;
  readonly origin: string;
  readonly network: string;
  readonly locality: Locality;
  readonly uid: string;
  /** Of its API: `v1.36.1`; '' where it is not known. */
  readonly version: string;
  readonly services: number;
  readonly endpoints: number;
  readonly proxies: number;
  /** When it was last known to be as it is held; absent before the first news. */
  readonly lastNews?: string;
  readonly problem?: { readonly code: string; readonly message: string; readonly hint: string };
  /** A new registration of it (another credential, another address) that has not taken over yet; absent: there is none. */
  readonly rotation?: {
    readonly phase: ClusterPhase;
    readonly since: string;
    readonly problem?: ClusterReport['problem'];
  };
  /** All that is wrong with what it says, while the rest is in force. */
  readonly findings: readonly Finding[];
  /** Absent: it is registered otherwise. */
  readonly profile?: ClusterProfileReport;
  /** Foreign and excess shards and endpoints left out since the start. */
  readonly dropped: number;
}

/** An exported service, by its name in `clusterset.local`. */
export interface ClustersetReport {
  /** `reviews.shop.svc.clusterset.local` */
  readonly host: string;
  /** `also`: the service that all clusters have together has this name too. `only`: it is a service of its own, of the clusters that export it. */
  readonly names: 'also' | 'only';
  readonly type: 'ClusterSetIP' | 'Headless';
  /** Sorted by cluster. */
  readonly exportedBy: readonly {
    readonly cluster: string;
    /** By which the clusterset knows it. */
    readonly id: string;
    /** Absent where the export does not say. */
    readonly since?: string;
    /** Its properties count where exports disagree. */
    readonly counts?: boolean;
  }[];
  /** Of its imports, by importing cluster. */
  readonly virtualIps: readonly { readonly cluster: string; readonly addresses: readonly string[] }[];
  /** Reasons as the condition Conflict of a ServiceExport has them. */
  readonly conflicts: readonly { readonly reason: string; readonly message: string }[];
}

export interface ServiceReport {
  readonly namespace: string;
  readonly name: string;
  readonly headless: boolean;
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly transport: TransportProtocol;
    readonly protocol: AppProtocol;
    readonly clusters: readonly string[];
  }[];
  readonly clusters: readonly string[];
  /** Distinct versions among the endpoints, sorted; '' left out. */
  readonly versions: readonly string[];
  readonly endpoints: { readonly ready: number; readonly total: number };
  /** `namespace/name` of the TrafficRule in force. */
  readonly rule?: string;
  readonly conflicts: readonly ServiceConflict[];
  /** Some cluster exports it; with `names: only`, this is its exported part. Absent: nobody does. */
  readonly clusterset?: ClustersetReport;
  /** Each cluster has one of its own, and its clients see no other. Absent: it is one over all clusters. */
  readonly ownClusterOnly?: true;
}

export interface EndpointReport {
  readonly namespace: string;
  readonly service: string;
  /** Of the service's exported part, which is a service of its own. */
  readonly clusterset?: true;
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly cluster: string;
  readonly network: string;
  readonly locality: Locality;
  readonly version: string;
  readonly workload: string;
  readonly serviceAccount: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Its cluster is stale: this is what it last said, and when. */
  readonly staleSince?: string;
}

export interface RuleReport {
  /** The member cluster that holds it, for its own proxies. Absent: it is the primary's, for all. */
  readonly holder?: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly service: string;
  readonly origin: string;
  /** Absent where the object does not say. */
  readonly createdAt?: string;
  readonly conditions: readonly Condition[];
  /** n of m proxies hold it. */
  readonly programmed: { readonly acknowledged: number; readonly total: number };
  readonly findings: readonly Finding[];
  /** The object's spec, as it was given. */
  readonly spec: unknown;
}

/** An object of any kind that people apply; TrafficRules say more (RuleReport). */
export interface ObjectReport {
  readonly kind: string;
  /** '' for kinds without one. */
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly origin: string;
  /** Absent where the object does not say. */
  readonly createdAt?: string;
  readonly conditions: readonly Condition[];
  /** n of m proxies hold it. */
  readonly programmed: { readonly acknowledged: number; readonly total: number };
  readonly findings: readonly Finding[];
  /** The object's spec, as it was given. */
  readonly spec: unknown;
}

/** A kind of objects that others define, and how the reading of it fares. */
export interface KindReport {
  readonly kind: string;
  readonly plural: string;
  /** `gateway.networking.k8s.io` */
  readonly group: string;
  /** `gateway-api` */
  readonly standard: string;
  /** Of the primary's API, the one that is read: `v1`; '' where none is. */
  readonly version: string;
  /**
   * off: its standard is switched off. absent: no version of it that is read is installed in the primary. waiting: it was not listed yet. refused: the
   * right to read it is missing. failing: any other trouble.
   */
  readonly state: 'read' | 'off' | 'absent' | 'waiting' | 'refused' | 'failing';
  readonly objects: number;
  /** '' where all is well. */
  readonly message: string;
}

export interface ProxyReport {
  readonly identity: ProxyIdentity;
  readonly connectedSince: string;
  readonly peer: string;
  readonly transport: 'sotw' | 'delta';
  /** By short type name (CDS, EDS, LDS, RDS); a type the proxy did not ask for is absent. */
  readonly types: Readonly<
    Record<
      string,
      { readonly state: SyncState; readonly since: string; readonly resources: number; readonly error: string }
    >
  >;
  /** What of the mesh it does not get, and why. */
  readonly findings: readonly Finding[];
}

export interface VersionReport {
  readonly version: string;
  readonly node: string;
  readonly ready: boolean;
  /** This replica's name among the pilots; absent where there can be no other. */
  readonly pilot?: string;
  /** The others that share the proxies, as far as is known. */
  readonly peers?: readonly { readonly pilot: string; readonly proxies: number }[];
}

/** The answer to apply and delete. */
export interface WriteReport {
  readonly results: readonly {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly action: 'created' | 'configured' | 'unchanged' | 'deleted' | 'not-found' | 'invalid';
    /** The object's generation after this write; absent where it is not known (dry run, deleted, invalid). */
    readonly generation?: number;
    readonly findings: readonly Finding[];
  }[];
}
