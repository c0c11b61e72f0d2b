/** What the bench says to its processes, and they to it. Times are `machineMs`. */

import type { Transport } from './wire.ts';

/** What the pilot under test holds. */
export interface MeshSize {
  readonly services: number;
  /** Per service. */
  readonly endpoints: number;
}

export interface NumberedChange {
  readonly kind: 'endpoint' | 'rule';
  /** Its number, see marks.ts; unique in a run. */
  readonly n: number;
  /** Index of the service. */
  readonly service: number;
}

export interface ServerSettings {
  readonly mesh: MeshSize;
  /** 0: any free one. */
  readonly port: number;
  /** Made before it is ready: what happened while nobody was connected. */
  readonly changes: readonly NumberedChange[];
}

export type ServerCommand =
  | { readonly kind: 'change'; readonly change: NumberedChange }
  /** Endpoint changes of one service after the other, evenly spaced. */
  | { readonly kind: 'churn'; readonly perSecond: number; readonly count: number; readonly firstN: number }
  | { readonly kind: 'report' };

export type ServerReply =
  | { readonly kind: 'ready'; readonly address: string; readonly port: number }
  /** For each change, when it was due. */
  | { readonly kind: 'changed'; readonly changes: readonly { readonly n: number; readonly atMs: number }[] }
  | ({ readonly kind: 'report' } & ServerReport);

export interface ServerReport {
  /** What a client holds that is in step with the server. */
  readonly stateHash: string;
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
  /** Indexes of proxies: `first`, `first + 1`, … */
  readonly first: number;
  readonly count: number;
  /** Streams beside them that ask for everything and read nothing. */
  readonly stuck: number;
}

export type ClientCommand =
  | { readonly kind: 'connect' }
  /** Lets go of the streams that read nothing. */
  | { readonly kind: 'unstick' }
  | { readonly kind: 'report' };

export type ClientReply =
  | { readonly kind: 'started' }
  /** Every proxy has got all that it asked for. */
  | { readonly kind: 'synced'; readonly atMs: readonly number[] }
  /** Every proxy has got change `n`, and when. */
  | { readonly kind: 'seen'; readonly n: number; readonly atMs: Float64Array }
  | ({ readonly kind: 'report' } & ClientReport);

export interface ClientReport {
  /** How many proxies hold which state. */
  readonly states: ReadonlyMap<string, number>;
  readonly bytes: number;
  readonly messages: number;
  /** Streams that ended, those that read nothing apart. */
  readonly ended: number;
  readonly lastEnd: string;
  readonly cpuMs: number;
}
