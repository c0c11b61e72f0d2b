/** What the bench says to its processes, and they to it. Times are `machineMs`. */

import type { Shape } from './shape.ts';
import type { Transport } from './wire.ts';

/** What the pilot under test holds. */
export interface MeshSize {
  /** Per cluster. */
  readonly services: number;
  /** Per service and cluster, on average; need not be whole. */
  readonly endpoints: number;
  /** Default 1. */
  readonly clusters?: number;
  /** Default: every cluster has the same services, which makes one of each; else every cluster has services of its own. */
  readonly own?: boolean;
}

export interface NumberedChange {
  readonly kind: 'endpoint' | 'rule';
  /** Its number, see marks.ts; unique in a run. */
  readonly n: number;
  /** Index of the service; where every cluster has its own, those of the first cluster come first. */
  readonly service: number;
}

export interface ServerSettings {
  readonly mesh: MeshSize;
  /** 0: any free one. */
  readonly port: number;
  /** Made before it is ready: what happened while nobody was connected. */
  readonly changes: readonly NumberedChange[];
  readonly accessLog: boolean;
}

export type ServerCommand =
  | { readonly kind: 'change'; readonly change: NumberedChange }
  /** Endpoint changes of one service after the other, evenly spaced. */
  | { readonly kind: 'churn'; readonly perSecond: number; readonly count: number; readonly firstN: number }
  /** What these proxies, which hold things on demand, are to hold. */
  | { readonly kind: 'expect'; readonly proxies: readonly OnDemandProxy[] }
  /** Collect all garbage, and say what is left. */
  | { readonly kind: 'memory' }
  | { readonly kind: 'report' };

export type ServerReply =
  | { readonly kind: 'ready'; readonly address: string; readonly port: number }
  /** For each change, when it was due. */
  | { readonly kind: 'changed'; readonly changes: readonly { readonly n: number; readonly atMs: number }[] }
  /** As hashes, in the order in which they were asked for. */
  | { readonly kind: 'expected'; readonly states: readonly string[] }
  | ({ readonly kind: 'memory' } & ServerMemory)
  | ({ readonly kind: 'report' } & ServerReport);

/** After a full collection of garbage. */
export interface ServerMemory {
  /** Objects, and the bytes that they hold outside the heap. */
  readonly heldBytes: number;
  readonly residentBytes: number;
}

/** A proxy in on-demand mode, and what it asked for. */
export interface OnDemandProxy {
  readonly cluster: string;
  /** Hosts that its workload calls. */
  readonly calls: readonly string[];
  readonly clusters: readonly string[];
}

export interface ServerReport {
  /** What a client in a cluster holds that is in step with the server, for every cluster that has clients. */
  readonly states: ReadonlyMap<string, string>;
  readonly heapUsedBytes: number;
  /** Since the last report. */
  readonly eventLoopLagP99Ms: number;
  readonly eventLoopLagMaxMs: number;
  /** How long the oldest change of a batch waited for it, at most, since the last report. */
  readonly debounceMaxMs: number;
  readonly droppedSlowReaders: number;
  readonly nacks: number;
}

export interface ClientSettings {
  readonly address: string;
  readonly transport: Transport;
  readonly shape: Shape;
  /** On demand: how many services each proxy calls, of how many. */
  readonly uses: number;
  readonly services: number;
  /** The proxies are spread over these. */
  readonly clusters: number;
  /** Indexes of proxies: `first`, `first + 1`, … */
  readonly first: number;
  readonly count: number;
  /** Streams beside them that ask for everything and read nothing. */
  readonly stuck: number;
}

export type ClientCommand =
  | { readonly kind: 'connect' }
  /** Change `n` is about to be made: on demand it reaches those alone that call the service. */
  | { readonly kind: 'await'; readonly n: number; readonly service: number }
  /** On demand: what each proxy asked for, and holds. */
  | { readonly kind: 'holdings' }
  /** Opens the streams that read nothing again, or lets go of them. */
  | { readonly kind: 'stick' | 'unstick' }
  | { readonly kind: 'report' };

export type ClientReply =
  | { readonly kind: 'started' }
  /** Every proxy has got all that it asked for. */
  | { readonly kind: 'synced'; readonly atMs: readonly number[] }
  /** Every proxy has got change `n` (on demand: that calls its service), and when. */
  | { readonly kind: 'seen'; readonly n: number; readonly atMs: Float64Array }
  | { readonly kind: 'holdings'; readonly proxies: readonly (OnDemandProxy & { readonly state: string })[] }
  | ({ readonly kind: 'report' } & ClientReport);

export interface ClientReport {
  /** How many proxies hold which state: by `<cluster> <hash>`. */
  readonly states: ReadonlyMap<string, number>;
  readonly bytes: number;
  readonly messages: number;
  /** Streams that ended, those that read nothing apart. */
  readonly ended: number;
  readonly lastEnd: string;
  readonly cpuMs: number;
}
