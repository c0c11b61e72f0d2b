/**
 * The seam between who knows what the clusterset's services are and who writes them into one cluster.
 *
 * What always holds: the host says what a cluster is to hold, the writer what became of it; a writer writes only between its start and its stop, and
 * only objects that are its own.
 */

import type { Finding } from '../core/errors.ts';
import type { ServiceKey } from '../model/service.ts';

type Values = Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, unknown>>;

/** What a cluster is to hold of one imported service. */
export interface ImportObjects {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Values;
  readonly annotations: Values;
  /** The ServiceImport's, without `ips` and `ipFamilies` where the derived Service tells them. */
  readonly spec: Fields;
  /** Of a headless import. */
  readonly ipFamilies: readonly string[];
  /** Ids of the clusters that export it, sorted. */
  readonly clusters: readonly string[];
  /** The Service that gives it a virtual IP; undefined: it is headless. */
  readonly derived: { readonly name: string; readonly labels: Values; readonly spec: Fields } | undefined;
  readonly slices: readonly {
    readonly name: string;
    readonly labels: Values;
    readonly addressType: string;
    readonly ports: readonly unknown[];
    readonly endpoints: readonly unknown[];
  }[];
}

/** Without times and generations. */
export interface ObjectCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** What a look at the API tells of a Service that nobody has told of. */
export type UnreadService = 'none' | 'alias' | 'pending';

/** A cluster of whose exports something was imported. */
export interface ImportSource {
  readonly id: string;
  /** Under which it was registered; undefined: nobody noted it. */
  readonly name: string | undefined;
}

/** What an import says, as far as it was made of clusters of which nothing is known. */
export interface HeldImport {
  /** These clusters' names by id; '' where nobody noted it. */
  readonly sources: ReadonlyMap<string, string>;
  /** Exported ones alone. */
  readonly labels: Values;
  readonly annotations: Values;
  /** The ServiceImport's. */
  readonly spec: Fields;
}

export interface McsHost {
  /** Services that this cluster may have to hold something of. */
  keys(): Iterable<ServiceKey>;
  /** undefined: nothing. `held`: what is to stay, whatever is known of the exports of others. */
  desired(key: ServiceKey, held?: HeldImport): ImportObjects | undefined;
  /** The ids of those of which nothing is known yet: what was made of their exports stays as it is. */
  unknownAmong(sources: readonly ImportSource[]): ReadonlySet<string>;
  /** Of this cluster's ServiceExport; undefined: nothing is known of its Service. */
  exportConditions(key: ServiceKey): readonly ObjectCondition[] | undefined;
  conditionsWithout(service: UnreadService): readonly ObjectCondition[];
  wrote(outcome: McsOutcome): void;
}

export type McsOutcome = 'applied' | 'deleted' | 'failed';

export interface McsWriter {
  /** What is desired of these services may be another; 'all': of any. */
  touch(keys: Iterable<ServiceKey> | 'all'): void;
  findings(): readonly Finding[];
  stop(): Promise<void>;
}

export type StartMcsWriter = (host: McsHost) => McsWriter;
